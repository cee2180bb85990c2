"""A platform that a test scripts: it keeps what was sent and answers what it is told.

It stands in for the wire alone. What the wire itself makes of real sockets is tested in
tests/wire, and against the sandbox's own process in tests/contract.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from backoffice.wire import Reply, Silence

CONFIRMATION = "7KQ420X9B1TM"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One send, as it would have left."""

    path: str
    body: bytes
    content_type: str
    idempotency_key: str | None

    @property
    def fields(self) -> dict[str, Any]:
        """The body as JSON."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


Answer = Reply | Silence | Callable[[Sent], Reply | Silence]


@dataclass(kw_only=True)
class ScriptedPlatform:
    """Answers in the order told; the last answer is repeated for ever."""

    answers: list[Answer] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    def will(self, *answers: Answer) -> None:
        """Say what comes next."""
        self.answers = list(answers)

    def exchange(
        self,
        path: str,
        body: bytes,
        *,
        idempotency_key: str | None,
        start_by: float | None = None,
        content_type: str = "application/json",
    ) -> Reply | Silence:
        """Stand in for `wire.Platform.exchange`."""
        sent = Sent(
            path=path, body=body, content_type=content_type, idempotency_key=idempotency_key
        )
        self.sent.append(sent)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(sent) if callable(answer) else answer


def reply(status: int = 200, **fields: str) -> Reply:
    """An answer of the platform with these JSON fields."""
    return raw(status, json.dumps(fields).encode())


def raw(status: int, body: bytes) -> Reply:
    """An answer with exactly this body."""
    return Reply(status=status, body=body, duration_ms=42)


def code(response_code: str, status: int, **fields: str) -> Reply:
    """An answer with a response code."""
    return reply(status, responseCode=response_code, message="as documented", **fields)


def approved(units: int = 4, *, response_code: str = "0000", **fields: str) -> Reply:
    """An approved redemption of so many units at 95 miles for $10, with balances."""
    values = {
        "txnConfirmationNumber": CONFIRMATION,
        "unitsRedeemed": str(units),
        "unitValueDollars": "10.00",
        "unitValueAMCash": "95",
        "cashBalance": str(1200 - 95 * units),
        "dreamBalance": "545",
        "availableCashBalance": "760",
        "availableDollarAmount": "80",
        **fields,
    }
    return code(response_code, 202 if response_code == "0001" else 200, **values)


def reversed_() -> Reply:
    """An approved reversal."""
    return code("0000", 200, txnConfirmationNumber="R3V3RS4L0001", cashBalance="1200")


def offer(units: int = 4, *, response_code: str = "0000", **fields: str) -> Reply:
    """An inquiry that offers so many units at 95 miles for $10."""
    values = {
        "availableOfferUnits": str(units),
        "dailyOfferLimit": "12",
        "offerId": "1111111111",
        "offerType": "RGL",
        "offerDescEn": "Sample offer",
        "offerDescFr": "Exemple d'offre",
        "unitValueAMCash": "95",
        "unitValueDollars": "10.00",
        "cashBalance": "1200",
        "dreamBalance": "545",
        "availableCashBalance": "1140",
        "availableDollarAmount": "120",
        **fields,
    }
    return code(response_code, 202 if response_code == "0001" else 200, **values)


def silence() -> Silence:
    """Accepted, never answered."""
    return Silence(kind="read_timeout", maybe_applied=True, duration_ms=10_000)


def not_sent() -> Silence:
    """Nothing left this machine."""
    return Silence(kind="refused", maybe_applied=False, duration_ms=3)


def busy() -> Silence:
    """Our own gate had no place: nothing left this machine."""
    return Silence(kind="busy", maybe_applied=False, duration_ms=2_000)
