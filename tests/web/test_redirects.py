"""Where a request may be sent on to: our own pages, and nowhere else."""

import pytest
from django.test import Client
from django.test.client import RequestFactory

from tests.cast import SECRET, Cast

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "https:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "\t//evil.example",
    " https://evil.example",
    "data:text/html,x",
]


def is_ours(address: str) -> bool:
    """Whether a browser stays here: it resolves the address against the page's own."""
    return address.startswith("/") and not address.startswith(("//", "/\\"))


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_a_sign_in_leads_to_our_own_pages(cast: Cast, elsewhere: str) -> None:
    fields = {"username": "cashier", "password": SECRET, "next": elsewhere}
    response = Client().post("/sign-in/", fields)
    assert response.status_code in {302, 303} and is_ours(response["Location"])
    assert "evil.example" not in response["Location"]


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_a_change_of_language_leads_to_our_own_pages(cast: Cast, elsewhere: str) -> None:
    response = Client().post("/language/", {"language": "fr", "next": elsewhere})
    assert is_ours(response["Location"]) and "evil.example" not in response["Location"]


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_the_admins_own_sign_in_hands_nobody_on(cast: Cast, elsewhere: str) -> None:
    client = Client()
    response = client.get("/admin/login/", {"next": elsewhere})
    assert is_ours(response["Location"])
    page = client.get(response["Location"])
    fields = {"username": "administrator", "password": SECRET, "next": elsewhere}
    assert page.status_code == 200
    assert is_ours(client.post("/sign-in/", fields)["Location"])


def test_a_page_of_ours_is_where_a_sign_in_leads(cast: Cast) -> None:
    fields = {"username": "manager", "password": SECRET, "next": "/office/log/"}
    assert Client().post("/sign-in/", fields)["Location"] == "/office/log/"


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "127.0.0.1.evil.example"]
)
def test_another_host_is_refused(db: None, host: str) -> None:
    assert Client(headers={"Host": host}).get("/sign-in/").status_code == 400
    assert RequestFactory().get("/").get_host() == "testserver"
