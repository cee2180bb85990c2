"""What a till of the switch asked and what it was told, word for word. Values; no code of ours."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CASH_CALLS = frozenset({"redeem", "reverse"})
# By call, what our log calls it.
OPERATIONS = {
    "redeem": "redeem",
    "reverse": "reverse",
    "post": "issue",
    "issue": "issue",
    "reverse_post": "return",
    "return": "return",
    "post_event": "post_event",
    "reverse_event": "reverse_event",
}
APPROVED = frozenset({"0000", "0001"})
IN_DOUBT, NOTHING_SENT, BROKEN, NO_SUCH = "0008", "0092", "0096", "0057"
# After one of these a till asks again, by docs/integrators.md; after any other word it is told.
_OPEN_CODES = frozenset({IN_DOUBT, NOTHING_SENT, BROKEN})
OTHER_BODY = 422
# The fields of a refusal, which Milepost says in its own name as well.
_OURS = frozenset({"message", "responseCode", "transDateTime"})


@dataclass(frozen=True, kw_only=True)
class Word:
    """One answer, or with a status of 0 none: the connection died, or the till's patience did."""

    asked_at: datetime
    got_at: datetime
    status: int = 0
    body: bytes = b""
    reference: str = ""

    @property
    def is_silence(self) -> bool:
        """Whether nothing was heard."""
        return self.status == 0

    @property
    def fields(self) -> Mapping[str, Any]:
        """The answer's fields."""
        parsed = json.loads(self.body) if self.body else {}
        return parsed if isinstance(parsed, dict) else {}

    @property
    def code(self) -> str:
        """The response code of an answer of AM Cash."""
        return str(self.fields.get("responseCode", ""))

    @property
    def lasting(self) -> tuple[int, bytes, str]:
        """What the same request is told ever after: the programme's own answer byte for byte, of
        what Milepost itself says all but the time at which it says so."""
        is_ours = set(self.fields) <= _OURS
        return self.status, b"" if is_ours else self.body, self.code

    @property
    def offers(self) -> Sequence[Mapping[str, Any]]:
        """What an answer of issuance says of each offer."""
        return list(self.fields.get("issuances", ()))

    @property
    def is_pending(self) -> bool:
        """Whether an answer of issuance says that it is not finished."""
        said = [str(one.get("status", "")) for one in self.offers] + [self.fields.get("status", "")]
        return self.status == 202 or "PENDING" in said


@dataclass(kw_only=True)
class Asked:
    """One request, its bytes made once, and every word that came back for it.

    `number` is the till's own: its trace number or, of an issuance, its transaction id. `voids` is
    the trace number that a void names. With `is_key_reused` its key was another request's before.
    """

    till: str
    call: str
    number: str
    card: str
    body: bytes = field(repr=False)
    key: str = ""
    voids: str = ""
    is_key_reused: bool = False
    words: list[Word] = field(default_factory=list)

    @property
    def is_void(self) -> bool:
        """Whether it is a reversal by a trace number."""
        return bool(self.voids)

    @property
    def last(self) -> Word | None:
        """The word that was asked for last."""
        return max(self.words, key=lambda word: word.asked_at, default=None)

    @property
    def end(self) -> Word | None:
        """The first word that told how it ended, or None."""
        return next((word for word in self.in_order() if self.is_end(word)), None)

    def in_order(self) -> list[Word]:
        """Return the words as they were heard."""
        return sorted(self.words, key=lambda word: word.got_at)

    def is_end(self, word: Word) -> bool:
        """Say whether a till asks no further after this word."""
        if word.is_silence:
            return False
        if self.call in CASH_CALLS:
            return word.code not in _OPEN_CODES
        return word.status < 500 and not word.is_pending
