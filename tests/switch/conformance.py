"""Schemathesis with all of its checks over the switch, and what it found: the harness of
`test_conformance` (over WSGI, a scripted platform) and of `python -m tests.switch` (real processes
and the sandbox).

The document is read as one till reads it: who it says it is can only be what its token says, which
no document can know. Everything else is as it is served.
"""

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.config._checks import POSITIVE_DATA_ACCEPTANCE_EXPECTED_STATUSES
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from amcash.tills import IDENTITY, Call
from issuance.codes import FORMS, Message

PREFIX: Final = "/checkout/"
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
# A day that every month has, in a year that every system has.
_MOMENT: Final = (
    "^20[12][0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):?[0-5][0-9])$"
)
_REDEEM: Final = f"{PREFIX}amcash/{Call.REDEEM}"
# Above one unit, and mostly within the basket.
_WORTH_IT: Final = r"^([1-9][0-9]\.00|[1-9][0-9]{1,12}(\.[0-9]{1,2})?)$"
_REVERSE: Final = f"{PREFIX}amcash/{Call.REVERSE}"
# Calls with few fields, which have every kind of field among them.
_SHORT: Final = frozenset(
    {f"{PREFIX}amcash/{Call.ECHO}", f"{PREFIX}amcash/{Call.REDEEM}", FORMS[Message.POST_EVENT].path}
)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads the document: the till by its token, and the cards it has at hand."""

    token: str = field(repr=False)
    sponsor: str
    vendor: str
    acquirer: str
    store: str
    device: str
    cards: tuple[str, ...]

    def read(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the calls of the switch as they are for this till: narrower, nowhere wider."""
        read = copy.deepcopy(dict(document))
        calls = {path: one for path, one in read["paths"].items() if path.startswith(PREFIX)}
        for path, methods in calls.items():
            self._narrow(path, _form_of(methods["post"]))
        read["paths"] = calls
        return read

    def _narrow(self, path: str, form: dict[str, Any]) -> None:
        fields = form["properties"]
        if path.startswith(f"{PREFIX}amcash/"):
            own = dict(
                zip(
                    IDENTITY,
                    (self.acquirer, self.device, self.sponsor, self.store, self.vendor),
                    strict=True,
                )
            )
            # An empty one is the same as one left out.
            nothing: str | None = ""
        else:
            own = {"sponsorCode": self.sponsor, "locationCode": self.store}
            nothing = None
        for name in own.keys() & fields.keys():
            fields[name] = {"enum": [own[name], nothing]}
        for name in {"dateTime", "checkoutDateTime", "transactionDateTime"} & fields.keys():
            fields[name]["pattern"] = _MOMENT
        if "collectorNumber" in fields:
            _prefer(fields["collectorNumber"], "|".join(self.cards))


def _prefer(form: dict[str, Any], pattern: str) -> None:
    """Have a text be mostly of a pattern; an enumeration beside the form would be lost in it."""
    form["pattern"] = f"^({pattern}|{form['pattern'].strip('^$')})$"


def _content_of(operation: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    content: dict[str, Any] = found.get("application/json", {})
    return content


def _form_of(operation: dict[str, Any]) -> dict[str, Any]:
    form: dict[str, Any] = _content_of(operation)["schema"]
    return form


def of_the_sandbox(document: dict[str, Any]) -> dict[str, Any]:
    """Narrow a document to what the sandbox takes as well: it knows more of a basket than the
    programme's pages say (sandbox/FIDELITY.md), and refuses as the programme what Milepost lets by.
    """
    examples = [
        example["value"]
        for methods in document["paths"].values()
        for example in _content_of(methods.get("post", {})).get("examples", {}).values()
    ]
    items = [item for example in examples for item in example.get("items", ())]
    known = list({json.dumps(item, sort_keys=True): item for item in items}.values())
    for path, methods in document["paths"].items():
        if not path.startswith(PREFIX):
            continue
        fields = _form_of(methods["post"])["properties"]
        if "items" in fields:
            fields["items"]["items"] = {"enum": known}
        if "issuances" in fields:
            code = fields["issuances"]["items"]["properties"]["issuanceOfferCode"]
            code["pattern"] = "^[A-Za-z0-9_.-]{1,32}$"
        for name, form in fields.items():
            if name.startswith("basket"):
                form["maximum"] = 10**7
        if path == _REDEEM:
            # The programme refuses what comes to less than one unit (0035).
            fields["dollarRedeemRequest"] |= {"pattern": _WORTH_IT}
            _prefer(fields["postTaxBasketAmount"], r"[1-9][0-9]{2}\.[0-9]{2}")
        if path == _REVERSE:
            fields["redemptionConfirmationNumber"]["pattern"] = "^([!-~]{1,40})?$"
    return document


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
        _REDEEM: _accepting(*taken, "422") | _failing("503"),
        # A number that no redemption has reads as well as one that one has: 0057 is 400.
        _REVERSE: _accepting(*taken, "422", "400"),
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
        if case.operation.path == _REDEEM:
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


_APPROVED: Final = frozenset({"0000", "0001", "200"})
OURS: Final = (
    "no_words_of_form",
    "a_server_error_sent_nothing",
    "errors_are_in_our_own_form",
)


@dataclass(kw_only=True)
class Findings:
    """What a run did, and what it found."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    checks: Counter[str] = field(default_factory=Counter)
    # A followed link, by its name, and the codes or statuses its answers had.
    followed: dict[str, Counter[str]] = field(default_factory=dict)
    problems: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """How many cases there were in all."""
        return self.cases.total()

    def approved(self, link: str) -> int:
        """Return how often a link was followed to an approval."""
        return sum(
            count
            for followed, outcomes in self.followed.items()
            for outcome, count in outcomes.items()
            if followed.startswith(f"{link} -> ") and outcome in _APPROVED
        )

    def note(self, phase: str, recorder: ScenarioRecorder) -> None:
        """Count what one scenario did."""
        for number, node in recorder.cases.items():
            interaction = recorder.interactions.get(number)
            response = interaction.response if interaction is not None else None
            self.cases[phase] += 1
            if response is None:
                continue
            label = node.value.operation.label
            self.statuses.setdefault(label, Counter())[response.status_code] += 1
            if node.transition is not None and node.is_transition_applied:
                told = self.followed.setdefault(node.transition.id, Counter())
                told[_outcome(response)] += 1
        for number, checks in recorder.checks.items():
            for check in checks:
                self.checks[check.name] += 1
                if check.failure_info is not None:
                    self.problems[_told(check, recorder, number)] += 1


def _outcome(response: Any) -> str:
    """Return what became of a call: its code, or its status and the codes of its errors."""
    try:
        told = json.loads(response.content)
        items = [error for item in told.get("issuances", ()) for error in item.get("errors", ())]
        errors = {one["errorCode"] for one in (*told.get("errors", ()), *items)}
        code = told.get("responseCode")
    except (ValueError, AttributeError, TypeError):
        return str(response.status_code)
    return code or " ".join([str(response.status_code), *sorted(errors)])


def _told(check: Any, recorder: ScenarioRecorder, number: str) -> str:
    failure = check.failure_info.failure
    response = recorder.interactions[number].response
    answer = f"{response.status_code} {response.content[:300]!r}" if response else "no answer"
    return (
        f"{check.name} of {recorder.cases[number].value.operation.label}: {failure.title}\n"
        f"{failure.message[:600]}\n{answer}\n{check.failure_info.code_sample[:1500]}"
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


def lines(findings: Findings) -> Iterator[str]:
    """Tell a run for people."""
    phases = ", ".join(f"{phase} {count}" for phase, count in findings.cases.items())
    yield f"{findings.total} cases: {phases}"
    yield "Answers:"
    for label, statuses in sorted(findings.statuses.items()):
        told = ", ".join(f"{status} × {count}" for status, count in sorted(statuses.items()))
        yield f"  {label}: {told}"
    yield "Links followed:"
    for link, outcomes in sorted(findings.followed.items()):
        told = ", ".join(f"{outcome} × {count}" for outcome, count in sorted(outcomes.items()))
        yield f"  {link}: {told}"
    yield "Checks:"
    for name, count in sorted(findings.checks.items()):
        yield f"  {name} × {count}"
    yield f"{len(findings.problems)} findings"
    for problem, count in findings.problems.items():
        yield f"\n× {count} {problem}"


def links(document: Mapping[str, Any]) -> list[str]:
    """Return a document's links as `Findings.approved` takes them."""
    return [
        f"POST {path} -> [{status}] {name}"
        for path, methods in document["paths"].items()
        if path.startswith(PREFIX)
        for status, answer in methods["post"]["responses"].items()
        for name in answer.get("links", ())
    ]
