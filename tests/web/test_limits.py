"""How much may be sent to us, and security.txt."""

import pytest
from django.core.checks import run_checks
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from backoffice.headers import somebody_is_named
from tests.web.conftest import Shop

CONTACT = "https://milepost.example/security"


def test_a_body_that_is_too_large_is_refused(shop: Shop) -> None:
    client = shop.browser(shop.cast.manager)
    fields = {"lines": "x" * (256 * 1024 + 1)}
    assert client.post("/office/privacy/search/", fields).status_code == 400
    body = "number=" + "8" * (256 * 1024 + 1)
    kind = "application/x-www-form-urlencoded"
    response = client.generic("POST", "/office/privacy/search/", body, content_type=kind)
    assert response.status_code == 400


def test_too_many_fields_are_refused(shop: Shop) -> None:
    client = shop.browser(shop.cast.manager)
    fields = {f"field{n}": "x" for n in range(501)}
    assert client.post("/office/privacy/search/", fields).status_code == 400


def test_too_many_files_are_refused(shop: Shop) -> None:
    client = shop.browser(shop.cast.manager)
    files = {f"file{n}": SimpleUploadedFile(f"{n}.txt", b"x") for n in range(3)}
    assert client.post("/office/privacy/search/", files).status_code == 400


def test_security_txt_names_somebody_to_strangers(db: None) -> None:
    with override_settings(MILEPOST_SECURITY_CONTACT=CONTACT):
        response = Client().get("/.well-known/security.txt")
    assert response.status_code == 200 and response["Content-Type"].startswith("text/plain")
    told = dict(line.split(": ", 1) for line in response.content.decode().splitlines())
    assert told["Contact"] == CONTACT and told["Expires"].endswith("Z")


@pytest.mark.parametrize("contact", ["", "somebody@milepost.example", "http://milepost.example"])
def test_where_nobody_is_named_a_deploy_check_says_so(db: None, contact: str) -> None:
    with override_settings(MILEPOST_SECURITY_CONTACT=contact):
        assert [one.id for one in somebody_is_named()] == ["milepost.W001"]
        found = run_checks(include_deployment_checks=True)
        assert "milepost.W001" in [one.id for one in found]
        if not contact:
            assert Client().get("/.well-known/security.txt").status_code == 404
