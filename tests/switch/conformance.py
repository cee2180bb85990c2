"""Schemathesis with all of its checks over the switch, and three of ours: the harness of
`test_conformance` (over WSGI, a scripted platform) and of `python -m tests.switch` (real processes
and the sandbox).

The document is read as one till reads it: who it says it is can only be what its token says, which
no document can know. Everything else is as it is served.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.config._checks import POSITIVE_DATA_ACCEPTANCE_EXPECTED_STATUSES
from schemathesis.engine import Status, events, from_schema

from amcash.tills import Call
from issuance.codes import FORMS, Message
from tests.switch.findings import Findings
from tests.switch.reader import PREFIX, REDEEM, REVERSE, Reader

# docs/integrators.md tells tills to wait that long for an answer.
PATIENCE_S: Final = 25
# Every check of schemathesis; `CheckConfig` has no others (a test compares).
CHECKS: Final = (
    "allow_header_conformance",
    "content_type_conformance",
    "ensure_resource_availability",
    "ignored_auth",
    "max_response_time",
    "missing_required_header",
    "negative_data_rejection",
    "not_a_server_error",
    "object_level_authorization",
    "positive_data_acceptance",
    "response_headers_conformance",
    "response_schema_conformance",
    "status_code_conformance",
    "unsupported_method",
    "use_after_free",
)
# Calls with few fields, which have every kind of field among them.
_SHORT: Final = frozenset({f"{PREFIX}amcash/{Call.ECHO}", REDEEM, FORMS[Message.POST_EVENT].path})


def config(
    reader: Reader, *, base_url: str, cases: int, flows: int, steady: bool
) -> SchemathesisConfig:
    """Return how schemathesis runs: every check, stateful on.

    `cases` are generated for each operation beside the hundreds that its own limits give, and
    `flows` are walks along the links. Without cases there are walks alone, all with well-formed
    requests: they get far. A steady run makes the same cases every time, and tries the limits of
    some calls only: a suite has no time for all.
    """
    operations = [
        {"include-path": path, "checks": checks} for path, checks in _exceptions().items()
    ]
    if steady:
        for one in operations:
            is_short = one["include-path"] in _SHORT
            one["phases"] = {"coverage": {"enabled": is_short}}
    told: dict[str, Any] = {
        "headers": {"Authorization": f"Bearer {reader.token}"},
        "continue-on-failure": True,
        "generation": {
            "max-examples": max(cases, 1),
            "mode": "all" if cases else "positive",
            "no-shrink": True,
            "deterministic": steady,
            "database": "none",
        },
        "phases": {
            **{name: {"enabled": cases > 0} for name in ("examples", "coverage", "fuzzing")},
            "stateful": {"generation": {"max-examples": flows}},
        },
        "checks": {"max_response_time": PATIENCE_S},
        "operations": operations,
        # There is no secret in a run: its token opens nothing when it is over.
        "output": {"sanitization": {"enabled": False}},
        "base-url": base_url,
    }
    return SchemathesisConfig.from_dict(told)


def _exceptions() -> dict[str, dict[str, Any]]:
    """Return the statuses that a well-formed request of a call may get by its nature.

    `no_words_of_form` and `a_server_error_sent_nothing` look at what such an answer says.
    """
    taken = POSITIVE_DATA_ACCEPTANCE_EXPECTED_STATUSES
    # The same key with another body is 422, whatever the body is like (PRODUCT 7).
    found: dict[str, dict[str, Any]] = {
        f"{PREFIX}amcash/{Call.ECHO}": {},
        f"{PREFIX}amcash/{Call.INQUIRE}": {},
        # Whose trace number was voided before it came is told that nothing was sent (decision 019).
        REDEEM: _accepting(*taken, "422") | _failing("503"),
        # A number that no redemption has reads as well as one that one has: 0057 is 400.
        REVERSE: _accepting(*taken, "422", "400"),
    }
    for message, form in FORMS.items():
        # The programme rejects by 400 a collector that does not exist, and the like.
        found[form.path] = _accepting(*taken, "422", "400")
        if message is not Message.CALCULATE:
            # Behind an unsettled issuance of its collector it waits, and 500 says so (PRODUCT 2).
            found[form.path] |= _failing("500")
    return found


def _failing(status: str) -> dict[str, Any]:
    return {"not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", status]}}


def _accepting(*statuses: str) -> dict[str, Any]:
    return {"positive_data_acceptance": {"expected-statuses": list(statuses)}}


def _codes(response: Any) -> set[str]:
    """Return the codes of an answer: AM Cash has one, issuance as many as it has errors."""
    told = json.loads(response.content)
    return {told["responseCode"]} if "responseCode" in told else {
        one["errorCode"] for one in told.get("errors", ())
    }  # fmt: skip


def _is_of_a_call(case: Any, response: Any) -> bool:
    return bool(case.operation.path.startswith(PREFIX) and response.request.method == "POST")


@schemathesis.check
def no_words_of_form(ctx: Any, response: Any, case: Any) -> bool | None:
    """A well-formed request is never told that a field is wrong, whatever else it is told."""
    if not _is_of_a_call(case, response) or case.meta is None:
        return None
    if case.meta.generation.mode.is_positive and response.status_code == 400:
        assert not _codes(response) & {"0035", "InvalidField"}, response.content
    if case.meta.generation.mode.is_positive and response.status_code == 422:
        assert (case.headers or {}).get("Idempotency-Key"), "422 to a request without a key"
    return None


@schemathesis.check
def a_server_error_sent_nothing(ctx: Any, response: Any, case: Any) -> bool | None:
    """A 500 of issuance waits in line, and says under which number; a 503 of REDEEM is 0092."""
    if _is_of_a_call(case, response) and response.status_code >= 500:
        if case.operation.path == REDEEM:
            assert _codes(response) == {"0092"}, response.content
            return None
        assert _codes(response) == {"NothingSent"}, response.content
        assert response.headers.get("milepost-transaction"), "a 500 that is not kept"
    return None


@schemathesis.check
def errors_are_in_our_own_form(ctx: Any, response: Any, case: Any) -> bool | None:
    """Whatever goes wrong, and by whatever method, a till reads JSON that says what."""
    if case.operation.path.startswith(PREFIX) and response.status_code in {401, 403, 405}:
        if response.request.method != "HEAD":
            assert json.loads(response.content)["message"], response.content
        assert response.headers["content-type"] == ["application/json;charset=UTF-8"]
        if response.status_code == 405:
            assert response.headers["allow"] == ["POST"]
    return None


OURS: Final = (
    "no_words_of_form",
    "a_server_error_sent_nothing",
    "errors_are_in_our_own_form",
)


def run(
    document: Mapping[str, Any],
    how: SchemathesisConfig,
    *,
    hear: Callable[[str], None] = lambda text: None,
    before: Findings | None = None,
) -> Findings:
    """Run every phase over the calls of the switch and return what was found, with what was found
    before."""
    loaded = schemathesis.openapi.from_dict(dict(document), config=how)
    findings = before or Findings()
    for event in from_schema(loaded).execute():
        if isinstance(event, events.ScenarioFinished):
            findings.note(event.phase.value, event.recorder)
        elif isinstance(event, events.PhaseFinished) and event.status is not Status.SKIP:
            if cases := findings.cases[event.phase.name]:
                hear(f"{event.phase.name}: {cases} cases by now")
        elif isinstance(event, events.NonFatalError):
            findings.problems[f"{event.label}: {event.value}"] += 1
        elif isinstance(event, events.EngineFinished):
            findings.problems.update(str(one) for one in event.failures)
            if str(event.stop_reason) != "completed":
                findings.problems[f"The run was stopped: {event.stop_reason}"] += 1
    return findings
