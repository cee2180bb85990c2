"""The OpenAPI document of the switch says what the switch does, and a page shows it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

from amcash.tills import Call
from backoffice.switch import reference, schema
from issuance.codes import FORMS, Message

SAMPLES = json.loads((Path(__file__).parents[1] / "samples" / "samples.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as it is served."""
    return reference.document()


def test_the_document_is_openapi_and_names_every_call(document: dict[str, Any]) -> None:
    validate_schema(document)  # type: ignore[no-untyped-call]
    assert document["openapi"].startswith("3.1")
    amcash = {f"/checkout/amcash/{call.value}" for call in Call}
    calls = {path for path, ways in document["paths"].items() if "post" in ways}
    assert calls == amcash | {FORMS[message].path for message in Message}
    for path in calls:
        assert document["paths"][path]["post"]["requestBody"]["required"] is True
    of_the_api = set(document["paths"]) - calls
    assert of_the_api and all(path.startswith("/api/v1/") for path in of_the_api)
    scheme = document["components"]["securitySchemes"]["device"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_the_samples_of_the_document_are_the_programmes_own() -> None:
    assert list(schema.samples()) == SAMPLES


@pytest.mark.parametrize("one", SAMPLES, ids=[one["name"] for one in SAMPLES])
def test_a_sample_is_valid_by_the_document_and_stands_in_it(
    document: dict[str, Any], one: dict[str, Any]
) -> None:
    operation = document["paths"][one["path"]]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    jsonschema.validate(one["request"], content["schema"])
    assert one["request"] in [example["value"] for example in content["examples"].values()]
    assert str(one["status"]) in operation["responses"]


@pytest.mark.parametrize("name", ["traceId", "collectorNumber"])
def test_the_document_refuses_what_the_switch_refuses(document: dict[str, Any], name: str) -> None:
    request = dict(next(one["request"] for one in SAMPLES if one["name"] == "redeem"))
    operation = document["paths"]["/checkout/amcash/redeem"]["post"]
    form = operation["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.validate(request, form)
    for bad in ({**request, name: "x"}, {k: v for k, v in request.items() if k != name}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, form)


def test_a_link_leads_to_a_call_and_names_fields_of_both(document: dict[str, Any]) -> None:
    posts = [methods["post"] for methods in document["paths"].values() if "post" in methods]
    by_id = {operation["operationId"]: operation for operation in posts}
    followed = set()
    for operation in posts:
        for answer in operation["responses"].values():
            for name, link in answer.get("links", {}).items():
                followed.add((operation["operationId"], name, link["operationId"]))
                asked = _fields_of(by_id[link["operationId"]])
                for field, source in link["requestBody"].items():
                    assert field in asked, (name, field)
                    of, _, found = source.partition("#/")
                    if of == "$request.body":
                        assert found in _fields_of(operation), (name, found)
                    else:
                        assert of in {"$response.body", ""}, source
    assert followed >= {
        ("amcash_inquire", "redeem", "amcash_redeem"),
        ("amcash_redeem", "giveBack", "amcash_reverse"),
        ("amcash_redeem", "void", "amcash_reverse"),
        ("issuance_calculate", "give", "issuance_issue"),
        ("issuance_issue", "takeBack", "issuance_return"),
        ("issuance_post", "takeBack", "issuance_reverse"),
        ("issuance_post_event", "takeBack", "issuance_reverse_event"),
    }


def _fields_of(operation: dict[str, Any]) -> set[str]:
    return set(operation["requestBody"]["content"]["application/json"]["schema"]["properties"])


@pytest.mark.django_db
def test_the_document_and_its_page_need_no_account(client: Client) -> None:
    answer = client.get("/api/schema/")
    assert answer.status_code == 200 and answer.json()["openapi"].startswith("3.1")
    page = client.get("/api/")
    assert page.status_code == 200
    text = page.content.decode()
    for path, calls in answer.json()["paths"].items():
        for method in calls:
            assert f"{method.upper()} {path}" in text
    assert "84095202006" in text
    for told in ("collector_last4", "transactions:read", "older", "RFC 9457"):
        assert told in text
    french = client.get("/api/", headers={"Accept-Language": "fr"}).content.decode()
    assert "L’API, pour les programmes qui lisent" in french
