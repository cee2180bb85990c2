"""The API keeps to its own OpenAPI document whatever is asked: no server error, no status and no
body that the document does not name, nothing without a token, nothing but what it knows.

Some hundred cases run with the suite, always the same; MILEPOST_CASES=1000 runs 10,000 others.
"""

import os
from typing import Any

import hypothesis
import jsonschema
import pytest
import schemathesis
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, strategies
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks as openapi

from backoffice.api import access
from backoffice.journal.models import Transaction
from backoffice.switch import reference
from backoffice.wsgi import application
from issuance.models import Offer
from tests.api.program import Program
from tests.cast import Cast
from tests.issuance.stories import confirmed, give
from tests.journal.rows import approved, cancel
from tests.scripted import ScriptedPlatform

pytestmark = pytest.mark.django_db(transaction=True)

GIVEN = os.environ.get("MILEPOST_CASES", "")
CASES = int(GIVEN or "20")
PATHS = [path for path in reference.document()["paths"] if path.startswith("/api/v1/")]
CHECKS = [
    schemathesis.checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
    openapi.negative_data_rejection,
    openapi.unsupported_method,
]


@pytest.fixture
def log(cast: Cast, scripted: ScriptedPlatform) -> None:
    """One thing of each kind."""
    cancel(cast, approved(cast))
    scripted.will(confirmed())
    give(cast)
    Offer.objects.create(
        sponsor=cast.sponsor,
        offer_id="100",
        code="STANDARD",
        kind="base",
        description_en="A mile",
        miles=1,
        per_cents=2000,
    )


def test_the_document_names_every_address_and_both_kinds_of_token() -> None:
    document = reference.document()
    validate_schema(document)  # type: ignore[no-untyped-call]
    assert len(PATHS) == 10
    for path in PATHS:
        operations = document["paths"][path]
        assert set(operations) == {"get"}
        assert operations["get"]["security"] == [{"api": []}]
    assert set(document["components"]["securitySchemes"]) == {"api", "device"}


@pytest.mark.parametrize("path", PATHS)
def test_an_address_answers_as_its_document_says(
    cast: Cast, program: Program, log: None, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "MOST_REQUESTS", 1_000_000)
    document = schemathesis.openapi.from_wsgi("/api/schema/", application)
    operation = document[path]["GET"]
    cases = strategies.one_of(
        operation.as_strategy(),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )
    statuses = set()

    @hypothesis.settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=not GIVEN,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=cases)
    def ask(case: schemathesis.Case[Any]) -> None:
        response = case.call(headers={"Authorization": f"Bearer {program.secret}"})
        statuses.add(response.status_code)
        case.validate_response(response, checks=CHECKS)
        stranger = case.call(headers={"Authorization": "Bearer nothing"})
        assert stranger.status_code in {401, 406}

    ask()
    # Some cases bring a header of their own in place of the token.
    assert statuses <= {200, 400, 401, 404, 406}
    assert statuses & {200, 404}
    assert Transaction.objects.count() == 3


@pytest.mark.parametrize("path", PATHS)
def test_what_is_there_is_valid_to_the_last_field(
    cast: Cast, program: Program, log: None, path: str
) -> None:
    row = Transaction.objects.get(operation="redeem")
    kind = path.split("/")[3]
    number = {
        "stores": cast.north.pk,
        "devices": cast.till.pk,
        "offers": Offer.objects.values_list("pk", flat=True).first(),
    }.get(kind)
    told = program.read(path.format(reference=row.reference, number=number))
    operation = reference.document()["paths"][path]["get"]
    form = operation["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(told, form, format_checker=jsonschema.FormatChecker())
    # An answer without a field is noticed.
    assert told
    for name in told:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({key: told[key] for key in told if key != name}, form)
