"""A programme with a ledger of its own, which remembers keys and answers as the weather is."""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from backoffice.wire import Reply, Silence
from tests.amcash.stories import Killed
from tests.scripted import Sent, approved, code, not_sent, silence


class Weather(StrEnum):
    """What becomes of a send: whether it is executed, and what the sender hears of it."""

    APPROVED = "approved"
    DECLINED = "declined"
    LOST = "lost"  # Neither executed nor answered.
    UNHEARD = "unheard"  # Executed and not answered.
    NOT_SENT = "not_sent"
    OUTAGE = "outage"
    KILLED_BEFORE = "killed_before"  # The sender dies with the right to send.
    KILLED_AFTER = "killed_after"  # The sender dies when it was executed, before it is recorded.


# The sender never hears what became of it.
WORDLESS = {Weather.LOST, Weather.UNHEARD, Weather.KILLED_BEFORE, Weather.KILLED_AFTER}


@dataclass(kw_only=True)
class Ledger:
    """Answers like `wire.Platform`; `effects` is what it really did, by key."""

    weather: Weather = Weather.APPROVED
    effects: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)
    # Keys of which a sender once had no word: nobody can ever know again that nothing had left.
    unheard: set[str] = field(default_factory=set)
    executions: int = 0
    _said: dict[str, Reply] = field(default_factory=dict)
    _given_back: set[str] = field(default_factory=set)

    def answer(self, sent: Sent) -> Reply | Silence:
        """Do what is asked, as the weather is, and say what the sender hears."""
        if sent.idempotency_key is None:
            is_out = self.weather is Weather.OUTAGE
            return code("0092", 503) if is_out else code("0000", 200)
        if self.weather is Weather.NOT_SENT:
            return not_sent()
        if self.weather in WORDLESS:
            self.unheard.add(sent.idempotency_key)
        if self.weather is Weather.KILLED_BEFORE:
            raise Killed
        self._see(sent)
        if self.weather is Weather.OUTAGE:
            return code("0092", 503)
        if self.weather is Weather.LOST:
            return silence()
        said = self._said.get(sent.idempotency_key) or self._executed(sent)
        if self.weather is Weather.UNHEARD:
            return silence()
        if self.weather is Weather.KILLED_AFTER:
            raise Killed
        return said

    def _see(self, sent: Sent) -> None:
        key = sent.idempotency_key
        assert key is not None
        whole = sha256(sent.path.encode() + b"\n" + sent.body).hexdigest()
        # Byte drift: one key, one message, whoever sends it and however late.
        assert self.bodies.setdefault(key, whole) == whole

    def _executed(self, sent: Sent) -> Reply:
        key = sent.idempotency_key
        assert key is not None
        fields = json.loads(sent.body)
        if self.weather is Weather.DECLINED:
            said = code("0051", 202) if "redeem" in sent.path else code("0057", 400)
        elif "redeem" in sent.path:
            self.executions += 1
            number = f"C{self.executions:011d}"
            self.effects[key] = number
            said = approved(txnConfirmationNumber=number)
        else:
            wanted = fields["redemptionConfirmationNumber"]
            is_new = wanted in self.effects.values() and wanted not in self._given_back
            said = code("0057", 400)
            if is_new:
                self._given_back.add(wanted)
                self.effects[key] = f"back {wanted}"
                said = code("0000", 200, txnConfirmationNumber=f"R{wanted[1:]}")
        self._said[key] = said
        return said

    def stands(self) -> set[str]:
        """Return the confirmations of what was taken and not given back."""
        taken = {number for number in self.effects.values() if not number.startswith("back ")}
        return taken - self._given_back
