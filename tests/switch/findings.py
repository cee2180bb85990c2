"""What a run of schemathesis over the switch did and found, and how it is told."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from schemathesis.engine.recorder import ScenarioRecorder

_APPROVED: Final = frozenset({"0000", "0001", "200"})


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
