"""Case 9: the programme does not finish for ever, then gives half, and refuses the other half."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

from tests.cases.scale import CALL_S, PATIENT, times
from tests.cases.shop import Shop
from tests.chaos.evidence import Row
from tests.servers.stack import eventually

ISSUE_PATH = "/checkout/issuance/issue"
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900))
ALARMS = (timedelta(hours=1), timedelta(hours=24))
# How often it is not finished; in `bin/test` each wait and each end once.
LOOKS = max(8, times(50))
# How the sweeps end: by themselves, killed when the answer is written down, before it is, or while
# they wait for it. The first sends are all heard, so that each wait is seen.
HEARD, DIES_AFTER, DIES_BEFORE, DIES_IN_FLIGHT = "heard", "result after", "result before", "flight"
ENDS = (HEARD, DIES_AFTER, HEARD, DIES_AFTER, DIES_IN_FLIGHT, DIES_BEFORE, HEARD)
# The demo partner's cashier gives the miles, in a process of its own and without a browser. Two
# offers of the sandbox fit this basket.
GIVE = """
from django.utils import timezone
from backoffice.cards import Card, EntryMode
from backoffice.devices.models import Device
from backoffice.people.actors import Actor
from backoffice.people.models import Role, User
from backoffice.stores.models import Calculation, Sponsor
from issuance import services
from tests.issuance import baskets, stories

Sponsor.objects.update(calculation=Calculation.AMRP)
cashier = User.objects.filter(role=Role.CASHIER).first()
device = Device.objects.filter(store__in=cashier.stores.all()).first()
order = stories.order(
    card=Card(number={card!r}, entry_mode=EntryMode.SCAN),
    basket=baskets.basket(coupons=()),
)
services.give(order, actor=Actor(user=cashier, device=device), now=timezone.now())
"""
OFFERS = """SELECT offer_id, offer_code, miles, status, error_code FROM journal_offerresult
    ORDER BY id"""
TIMES = "SELECT opened_at, due_at, confirmation_number FROM journal_transaction"
TOLD = "SELECT details, at FROM audit_auditentry WHERE event = 'issuance.waiting' ORDER BY id"


class Wait:
    """One issuance that the programme does not finish, followed by sweeps at moments of ours."""

    def __init__(self, shop: Shop, card: str) -> None:
        self.shop = shop
        self.card = card
        self.looked_at: list[datetime] = []
        self._death = shop.folder / "death"

    def row(self) -> Row:
        """Return it as the log has it."""
        return self.shop.row(self.card, "issue")

    def sent(self) -> list[dict[str, Any]]:
        """Return what arrived of it."""
        return self.shop.sandbox.exchanges(ISSUE_PATH)

    def offers(self) -> list[dict[str, Any]]:
        """Return what our log has of each of its offers."""
        names = ("offer_id", "offer_code", "miles", "status", "error_code")
        return [dict(zip(names, one, strict=True)) for one in self.shop.look_up(OFFERS)]

    def times(self) -> tuple[datetime, datetime]:
        """Return when it was opened and when it is due."""
        ((opened_at, due_at, _number),) = self.shop.look_up(TIMES)
        return _moment(opened_at), _moment(due_at)

    def alarms(self) -> list[tuple[timedelta, datetime]]:
        """Return the alarms that were given, by the age they are for, and when."""
        return [
            (timedelta(hours=(json.loads(told) if isinstance(told, str) else told)["hours"]), at)
            for told, at in ((told, _moment(at)) for told, at in self.shop.look_up(TOLD))
        ]

    def answer(self, *statuses: str) -> None:
        """Have the next send answered with 200 and these statuses of its offers."""
        offers = [_told(one, status) for one, status in zip(self.offers(), statuses, strict=True)]
        ((_opened_at, _due_at, number),) = self.shop.look_up(TIMES)
        body = {"transactionId": number, "issuances": offers}
        self.shop.sandbox.fault("status", path=ISSUE_PATH, status=200, body=body)
        self.shop.scripted.add(self.card[-4:])

    def look(self, end: str = HEARD, *, at: datetime | None = None) -> None:
        """Let a sweep of its own ask once, when it is due or later, and end like this."""
        before = len(self.sent())
        moment = at or self.times()[1]
        self.looked_at.append(moment)
        if end == DIES_IN_FLIGHT:
            self._die_in_flight(moment)
        elif end == HEARD:
            self.shop.manage("settle", is_altered=True, CASES_AT=moment.isoformat())
        else:
            self._death.write_text(end)
            settings = {"CASES_AT": moment.isoformat(), "CASES_DIE": str(self._death)}
            ended = self.shop.managed("settle", is_altered=True, **settings)
            assert ended.returncode == -9 and not self._death.exists(), ended.stderr
        assert len(self.sent()) == before + 1

    def _die_in_flight(self, moment: datetime) -> None:
        before = len(self.sent())
        self.shop.sandbox.fault("hang", path=ISSUE_PATH)
        process = self.shop.started(
            "manage", "settle", is_altered=True, CASES_AT=moment.isoformat()
        )
        eventually(lambda: len(self.sent()) > before)
        process.kill()
        # To the judge it is in flight for half of a call's time, whoever has died.
        time.sleep(CALL_S / 2)


def test_202_for_ever_then_half(shop: Shop) -> None:
    shop.settings.update(PATIENT)
    shop.sandbox.control("pending", mode="never")
    wait = Wait(shop, shop.card())
    shop.manage("shell", "--no-imports", "-c", GIVE.format(card=wait.card))
    opened_at, due_at = wait.times()
    assert WAITS[0] <= due_at - opened_at < WAITS[0] + timedelta(seconds=60)
    for end in islice(cycle(ENDS), LOOKS - 1):
        wait.look(end)
        holds_on(wait, was_heard=end in {HEARD, DIES_AFTER})
    for age in ALARMS:
        # The shop was closed and its machine was off; or in full it has long come to this age.
        wait.look(at=max(opened_at + age, wait.times()[1]))
        holds_on(wait, was_heard=True)
    # Each alarm once, at the first look at that age.
    firsts = [min(at for at in wait.looked_at if at - opened_at >= age) for age in ALARMS]
    assert wait.alarms() == list(zip(ALARMS, firsts, strict=True))
    assert [one["status"] for one in wait.sent()] == list(_statuses())

    wait.answer("CONFIRMED", "PENDING")
    wait.look()
    holds_on(wait, was_heard=True, statuses=("confirmed", "pending"))
    wait.answer("confirmed", "REJECTED")
    wait.look()
    the_rejected_offer_is_named(wait)


def holds_on(
    wait: Wait, *, was_heard: bool, statuses: tuple[str, str] = ("pending", "pending")
) -> None:
    """It is pending, nobody's to decide, and asked again after a wait that grows up to a cap."""
    row = wait.row()
    one_key_has_told_it_all(wait, row)
    assert (row.state, row.needs_person) == ("pending" if was_heard else "armed", "")
    assert tuple(one["status"] for one in wait.offers()) == statuses
    left = wait.times()[1] - wait.looked_at[-1]
    lease = timedelta(seconds=float(PATIENT["PLATFORM_LEASE_S"]))
    assert left == (WAITS[min(len(row.attempts), len(WAITS)) - 1] if was_heard else lease)


def one_key_has_told_it_all(wait: Wait, row: Row) -> None:
    """Everything that arrived of it was the same."""
    sent = wait.sent()
    assert {(one["method"], one["key"]) for one in sent} == {("POST", row.key)}
    assert len({one["body_sha256"] for one in sent}) == 1


def the_rejected_offer_is_named(wait: Wait) -> None:
    """Half of it was given, and a person reads which half was not."""
    shop, row = wait.shop, wait.row()
    given, rejected = wait.offers()
    assert (row.state, row.needs_person, row.miles) == ("partial", "rejected", given["miles"])
    assert (given["status"], given["error_code"]) == ("confirmed", "")
    assert (rejected["status"], rejected["error_code"]) == ("rejected", "OfferExpired")
    assert row.events[-1].name == "partial"
    one_key_has_told_it_all(wait, row)
    sent = wait.sent()
    assert len(sent) == len(row.attempts) == LOOKS + len(ALARMS) + 2
    # It is at its end: a day later nothing asks, and nothing warns.
    later = wait.looked_at[-1] + timedelta(days=1)
    shop.manage("settle", is_altered=True, CASES_AT=later.isoformat())
    assert len(wait.sent()) == len(sent) and len(wait.alarms()) == len(ALARMS)
    shop.close()
    assert wait.row() == row


def _statuses() -> Iterator[int | None]:
    """Yield what the programme answered before it came to an end; nothing where it hung."""
    yield 202
    for end in islice(cycle(ENDS), LOOKS - 1):
        yield None if end == DIES_IN_FLIGHT else 202
    yield from [202 for _age in ALARMS]


def _told(offer: dict[str, Any], status: str) -> dict[str, Any]:
    told = {
        "offerId": offer["offer_id"],
        "issuanceOfferCode": offer["offer_code"],
        "milesAmount": offer["miles"],
        "status": status,
    }
    if status == "REJECTED":
        told["errors"] = [{"errorCode": "OfferExpired", "errorReason": "The offer has expired."}]
    elif status != "PENDING":
        told["confirmationNumber"] = "0ed100a4-fc9a-41bb-a747-940000000001"
        told["processedDateTime"] = "2026-11-20T14:12:59.479Z"
    return told


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
