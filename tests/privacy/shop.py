"""A shop's day with many cards: each goes one of the ways that a card can go, good and bad."""

import contextlib
import json
import logging
import uuid
from collections.abc import Callable, Sequence

import structlog
from django.utils import timezone

from amcash import services
from amcash.orders import Card, EntryMode
from backoffice.journal import programme
from backoffice.journal.models import Transaction
from backoffice.units import Miles
from backoffice.wire import Reply
from issuance import approvals
from issuance.orders import CalculationOrder, TransactionType
from issuance.proposals import EventReason
from issuance.services import calculate
from tests.amcash import stories as cash
from tests.cast import Cast
from tests.issuance import stories as miles
from tests.issuance.baskets import award, basket
from tests.scripted import ScriptedPlatform, Sent, approved, code, offer, raw, reversed_, silence
from tests.switch.till import REDEEM, Till, redemption

log = structlog.get_logger(__name__)


def echoing(sent: Sent) -> Reply:
    """An answer that repeats what it was asked, as broken proxies do."""
    return raw(502, b"<html>Bad gateway: " + sent.body + b"</html>")


def naming(sent: Sent) -> Reply:
    """A refusal whose words name the collector."""
    number = str(sent.fields["collectorNumber"])
    errors = [{"errorCode": "CollectorNotFound", "errorReason": f"No collector {number}."}]
    return raw(400, json.dumps({"errors": errors, "message": f"{number} is closed"}).encode())


class Day:
    """One day of store North."""

    def __init__(self, cast: Cast, platform: ScriptedPlatform) -> None:
        self.cast = cast
        self.platform = platform
        self.switch = Till.of(cast.second_till)
        self.rows: list[Transaction] = []

    def serve(self, numbers: Sequence[str]) -> None:
        """Serve a customer for each number, each in the next of the ways."""
        ways: tuple[Callable[[Card], Transaction | None], ...] = (
            self.redeem,
            self.redeem_and_reverse,
            self.decline,
            self.doubt,
            self.echo,
            self.give,
            self.give_and_take_back,
            self.refuse_miles,
            self.event,
            self.propose,
            self.propose_much,
            self.inquire,
            self.calculate,
            self.by_switch,
            self.stumble,
        )
        for place, number in enumerate(numbers):
            card = Card(number=number, entry_mode=EntryMode.SCAN)
            row = ways[place % len(ways)](card)
            if row is not None:
                self.rows.append(row)
            # Five unknown outcomes in a row would close the shop for the rest.
            programme.heard(is_up=True, answer_ms=20, response_code="0000", now=timezone.now())

    def redeem(self, card: Card) -> Transaction:
        self.platform.will(approved())
        return cash.redeem(self.cast, card=card)

    def redeem_and_reverse(self, card: Card) -> Transaction:
        row = self.redeem(card)
        self.platform.will(reversed_())
        cash.reverse(self.cast, row)
        return row

    def decline(self, card: Card) -> Transaction:
        self.platform.will(code("0051", 400, collectorNumber=card.number))
        return cash.redeem(self.cast, card=card)

    def doubt(self, card: Card) -> Transaction:
        self.platform.will(silence())
        row = cash.redeem(self.cast, card=card)
        Transaction.objects.filter(pk=row.pk).update(due_at=timezone.now())
        self.platform.will(approved())
        services.settle_due(sender="settle in a test")
        return row

    def echo(self, card: Card) -> Transaction:
        self.platform.will(echoing)
        return cash.redeem(self.cast, card=card)

    def give(self, card: Card) -> Transaction:
        self.platform.will(miles.confirmed())
        return miles.give(self.cast, card=card)

    def give_and_take_back(self, card: Card) -> Transaction:
        row = self.give(card)
        self.platform.will(miles.confirmed())
        return miles.take_back(self.cast, row, card=card)

    def refuse_miles(self, card: Card) -> Transaction:
        self.platform.will(naming)
        return miles.give(self.cast, card=card)

    def event(self, card: Card) -> Transaction:
        self.platform.will(miles.confirmed())
        return miles.event(self.cast, card=card, awards=(award(8, contributing_skus=()),))

    def propose(self, card: Card) -> Transaction:
        """Miles without a sale, as the office gives them."""
        self.platform.will(miles.confirmed())
        person, now = self.cast.manager, timezone.now()
        proposal = approvals.propose(self._wish(card, 100), person=person, now=now)
        return approvals.send(proposal, person=person, now=now)

    def propose_much(self, card: Card) -> None:
        """More than one person may give, to which the other one does not agree."""
        wish, now = self._wish(card, self.cast.north.most_event_miles + 1), timezone.now()
        proposal = approvals.propose(wish, person=self.cast.manager, now=now)
        approvals.put_aside(proposal, "Too much", person=self.cast.administrator, now=now)

    def _wish(self, card: Card, number: int) -> approvals.Wish:
        reason, _is_new = EventReason.objects.get_or_create(
            sponsor=self.cast.sponsor,
            code="GOODWILL",
            defaults={"offer_id": "100001", "offer_code": "STANDARD"},
        )
        return approvals.Wish(
            reference=uuid.uuid4(),
            store=self.cast.north,
            reason=reason,
            card=card,
            miles=Miles(number),
            note="The freezer broke",
        )

    def inquire(self, card: Card) -> None:
        self.platform.will(offer())
        cash.inquire(self.cast, card=card)

    def calculate(self, card: Card) -> None:
        self.platform.will(naming)
        order = CalculationOrder(
            card=card, basket=basket(), transaction_type=TransactionType.PURCHASE
        )
        calculate(order, actor=self.cast.actor, now=timezone.now())

    def by_switch(self, card: Card) -> None:
        self.platform.will(approved())
        self.switch.post(REDEEM, redemption(collectorNumber=card.number))

    def stumble(self, card: Card) -> None:
        """Somebody's mistake: a number in a log line, an exception and its arguments."""
        log.error("something.failed", card=card.number, body={"collector": card.number})
        with contextlib.suppress(ValueError):
            try:
                raise ValueError(f"no such card: {card.number}")
            except ValueError:
                logging.getLogger("django.request").exception("Failed for %s", card.number)
                raise
