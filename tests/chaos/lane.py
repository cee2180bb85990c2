"""Tills that speak the programme's own API to the switch, as docs/integrators.md tells them to: the
very same bytes again after a silence, 0008, 0092, 0096 or PENDING, and a void when patience ends.
"""

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from tests.chaos.pos import Pos
from tests.chaos.told import APPROVED, NOTHING_SENT, Asked, Word

_OFFERS = (("STANDARD", "123454"), ("BONUS", "123455"), ("GOODWILL", "900001"))
_VOID_TRIES = 40
# What is not told by then is asked again at closing time.
_VOIDS_FOR_S = 6.0


class Lane(threading.Thread):
    """One lane. It remembers what it gave miles for, to take them back."""

    def __init__(
        self,
        pos: Pos,
        cards: list[str],
        gift_cards: list[str],
        seed: str,
        lose: Callable[[str], None],
    ) -> None:
        super().__init__(daemon=True)
        self.pos = pos
        self.problems: list[str] = []
        self._cards = cards
        self._gift_cards = gift_cards
        # Has the programme's next answers about a card be lost, after it has done what was asked.
        self._lose = lose
        self._random = random.Random(seed)
        self._over = threading.Event()
        self._traces = self._random.randrange(10**6) * 10**6
        self._sold: list[tuple[Asked, dict[str, object]]] = []
        self._given_up: set[int] = set()
        self._wishes: dict[Callable[[], None], float] = {
            self._redemption: 6,
            self._overtaken: 1.5,
            self._sale: 1.5,
            self._event: 1,
            self._bring_back: 1,
        }

    def run(self) -> None:
        """Serve one customer after the other."""
        while not self._over.wait(self._random.uniform(0, 0.2)):
            try:
                self._random.choices(list(self._wishes), list(self._wishes.values()))[0]()
            except (LookupError, ArithmeticError, ValueError) as error:
                # An answer that lacks what it should have; the judge has heard it too.
                self.problems.append(f"{type(error).__name__} at a till of the switch: {error}")
            self.pos.wait()

    def go_home(self) -> None:
        """Finish the customer at hand and serve no other."""
        self._over.set()

    def ask_again(self) -> None:
        """Ask once more, when all is settled, for everything that was not given up."""
        for asked in list(self.pos.asked):
            is_known = any(word.reference or asked.is_end(word) for word in asked.words)
            if id(asked) in self._given_up or not (is_known or asked.is_void):
                continue
            # A void is asked until it is told; so is what a till still owes itself.
            self.pos.until(asked, asked.is_end, tries=6)

    # --- AM Cash --------------------------------------------------------------------------------

    def _redemption(self) -> None:
        fields = self._cash_fields()
        if self._chance(0.3):
            asked = self._written("inquire", fields)
            # It moves nothing and is judged by nobody.
            self.pos.asked.remove(asked)
            self.pos.send(asked)
        asked = self._written("redeem", fields | self._amounts())
        if self._chance(0.2):
            self._lose(asked.card)
        if self._chance(0.2):
            self.pos.send_beside(asked)
        word = self._pursued(asked)
        if word.code in APPROVED:
            self._after_approval(asked, word)

    def _overtaken(self) -> None:
        """The customer changes their mind at once: the void leaves beside the redemption, or first;
        the redemption's own request comes afterwards all the same."""
        asked = self._written("redeem", self._cash_fields() | self._amounts())
        is_first = self._chance(0.5)
        if not is_first:
            self.pos.send_beside(asked)
            time.sleep(self._random.uniform(0, 0.02))
        self._void(asked)
        self.pos.until(asked, asked.is_end, tries=2)

    def _pursued(self, asked: Asked) -> Word:
        """Send a redemption until it is told, or until the customer has waited long enough."""
        for _ in range(self._random.randrange(1, 9)):
            word = self.pos.send(asked)
            if asked.is_end(word):
                return word
            if word.code == NOTHING_SENT and self._may_walk_away(asked):
                self._given_up.add(id(asked))
                return word
            time.sleep(self._random.uniform(0.05, 0.6))
        self.pos.wait()
        self._void(asked)
        return word

    def _may_walk_away(self, asked: Asked) -> bool:
        """Nothing was sent, every sending has said so, and the customer goes on without miles."""
        self.pos.wait()
        is_certain = all(word.code == NOTHING_SENT for word in asked.words)
        return is_certain and self._chance(0.5)

    def _void(self, redemption: Asked) -> None:
        fields = self._caller() | {"originalTraceId": redemption.number}
        if self._chance(0.3):
            fields |= {"cardEntryMode": "SCAN", "collectorNumber": redemption.card}
        void = self._written("reverse", fields, voids=redemption.number, card=redemption.card)
        if self._chance(0.15):
            self.pos.send_beside(void)
        self.pos.until(void, void.is_end, tries=_VOID_TRIES, within_s=_VOIDS_FOR_S)

    def _after_approval(self, asked: Asked, word: Word) -> None:
        lot = self._random.random()
        if lot < 0.3:
            fields = self._caller() | {
                "cardEntryMode": "SCAN",
                "collectorNumber": asked.card,
                "redemptionConfirmationNumber": str(word.fields["txnConfirmationNumber"]),
            }
            back = self._written("reverse", fields, card=asked.card)
            if self._chance(0.2):
                self.pos.send_beside(back)
            self.pos.until(back, back.is_end, tries=20)
        elif lot < 0.4:
            self._void(asked)
        elif lot < 0.5 and asked.key:
            self.pos.send(self.pos.reuse(asked, self._cash_fields() | self._amounts()))
        if self._chance(0.2):
            self.pos.send(asked)

    def _written(
        self, call: str, fields: dict[str, object], *, voids: str = "", card: str = ""
    ) -> Asked:
        trace = str(fields["traceId"])
        card = card or str(fields["collectorNumber"])
        return self.pos.write(call, fields, number=trace, card=card, voids=voids)

    def _caller(self) -> dict[str, object]:
        self._traces += 1
        fields: dict[str, object] = {"dateTime": _now(), "traceId": f"{self._traces:012d}"}
        return fields | ({"sponsorCode": "LOY1"} if self._chance(0.3) else {})

    def _cash_fields(self) -> dict[str, object]:
        card = self._random.choice(self._cards)
        shown = {"cardEntryMode": self._random.choice(("SCAN", "swipe")), "collectorNumber": card}
        return self._caller() | shown | {"postTaxBasketAmount": "64.20"}

    def _amounts(self) -> dict[str, object]:
        return {"dollarRedeemRequest": self._random.choice(("10.00", "20.00", "60.00"))}

    # --- Miles ----------------------------------------------------------------------------------

    def _sale(self) -> None:
        fields = self._sale_fields(self._random.choice(self._gift_cards))
        call = self._random.choice(("post", "post", "issue"))
        if call == "post":
            fields["issuances"] = self._awards()
        self._pressed(call, fields)

    def _event(self) -> None:
        fields: dict[str, object] = {
            "clientTransactionId": self._next_number(),
            "collectorNumber": self._random.choice(self._gift_cards),
            "issuances": self._awards(),
            "transactionDateTime": _now(),
        }
        self._pressed("post_event", fields)

    def _bring_back(self) -> None:
        """Take back all the miles of a sale or of an event, named by the till's own number."""
        if not self._sold:
            return
        sold, fields = self._sold.pop(self._random.randrange(len(self._sold)))
        if sold.call == "post_event":
            back = fields | {
                "clientTransactionId": self._next_number(),
                "originalClientTransactionId": sold.number,
                "transactionDateTime": _now(),
            }
            self._pressed("reverse_event", back)
            return
        changed = {"checkoutTransactionId": self._next_number(), "checkoutDateTime": _now()}
        call = "reverse_post" if sold.call == "post" else "return"
        self._pressed(call, fields | changed | {"originalTransactionId": sold.number})

    def _pressed(self, call: str, fields: dict[str, object]) -> None:
        number = str(fields.get("checkoutTransactionId") or fields["clientTransactionId"])
        card = str(fields["collectorNumber"])
        asked = self.pos.write(call, fields, number=number, card=card)
        if self._chance(0.2):
            self.pos.send_beside(asked)

        def is_enough(word: Word) -> bool:
            # Milepost keeps what it has named; the till looks again at closing time.
            return bool(word.reference) and (asked.is_end(word) or self._chance(0.6))

        self.pos.until(asked, is_enough, tries=30)
        if call in {"post", "issue", "post_event"}:
            self._sold.append((asked, fields))
        elif asked.key and self._chance(0.2):
            self.pos.send(self.pos.reuse(asked, fields | {"deviceId": "another"}))

    def _sale_fields(self, card: str) -> dict[str, object]:
        pre_tax = self._random.randrange(500, 20_000)
        item = {
            "id": "SKU1234",
            "name": "Dog Food",
            "number": 1,
            "quantity": 1,
            "baseAmount": pre_tax / 100,
            "finalAmount": pre_tax / 100,
            "departmentId": "10001",
        }
        return {
            "basketPreTaxAmount": pre_tax / 100,
            "basketPostTaxAmount": float(round(Decimal(pre_tax) * 113 / 10_000, 2)),
            "checkoutDateTime": _now(),
            "checkoutTransactionId": self._next_number(),
            "collectorNumber": card,
            "items": [item],
        }

    def _awards(self) -> list[dict[str, object]]:
        chosen = self._random.sample(_OFFERS, self._random.choice((1, 1, 2)))
        return [
            {
                "issuanceOfferCode": code,
                "offerId": offer_id,
                "milesAmount": self._random.randrange(1, 200),
            }
            for code, offer_id in chosen
        ]

    def _next_number(self) -> str:
        self._traces += 1
        return f"lane-{self.pos.name}-{self._traces}"

    def _chance(self, share: float) -> bool:
        return self._random.random() < share


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
