"""The programme's cards of issuance come to the ends that PRODUCT 3 says: through Celery's workers,
some of them killed on the way, and for the card that never ends through sweeps at moments of ours.
"""

from datetime import UTC, datetime, timedelta
from itertools import cycle, islice

from tests.cases.scale import LEASE_S, PATIENT, times
from tests.cases.shop import Shop
from tests.cases.test_case_09_pending import (
    ALARMS,
    ENDS,
    GIVE,
    HEARD,
    ISSUE_PATH,
    WAITS,
    Wait,
    holds_on,
    one_key_has_told_it_all,
)
from tests.chaos.evidence import Row
from tests.chaos.processes import Broker, Process
from tests.servers.stack import eventually

AFTER_LOOKS, NEVER = "80000020202", "80000020203"
PARTIAL, NOT_FOUND, STUMBLES = "80000020207", "80000020400", "80000020500"
LOOKS = max(7, times(40))
# Somebody at a till asks again at once what is pending, so that nobody waits for the schedule.
CHECK = """
from django.utils import timezone
from backoffice.devices.models import Device
from backoffice.journal.models import Transaction
from backoffice.people.actors import Actor
from backoffice.people.models import Role, User
from issuance import services

cashier = User.objects.filter(role=Role.CASHIER).first()
device = Device.objects.filter(store__in=cashier.stores.all()).first()
for row in Transaction.objects.filter(state="pending"):
    services.check_now(row, actor=Actor(user=cashier, device=device), now=timezone.now())
"""


class Workers:
    """Celery with one worker at a time; it can be killed while it waits for an answer."""

    def __init__(self, shop: Shop) -> None:
        broker = Broker(folder=shop.folder / "broker")
        shop.stack.callback(broker.kill)
        broker.start()
        shop.settings["CELERY_BROKER_URL"] = broker.url
        self._shop = shop
        self._worker: Process | None = None

    def start(self) -> None:
        """Have somebody who sends what is due, and somebody who says that it is time."""
        if self._worker is None:
            schedule = str(self._shop.data / "beat.schedule")
            self._shop.started("beat", "--schedule", schedule)
        self._worker = self._shop.started("worker")

    def die_over(self, card: str) -> None:
        """Kill the worker while it waits for the next answer about a card; start another."""
        shop, worker = self._shop, self._worker
        assert worker is not None
        match = {"path": ISSUE_PATH, "collector": card}
        shop.sandbox.control("faults", kind="hang", match=match, times=1)
        before = len(_sent(shop, card))
        check_now(shop)
        eventually(lambda: len(_sent(shop, card)) > before)
        worker.kill()
        self.start()


def check_now(shop: Shop) -> None:
    """Press "ask again" for all that is pending."""
    shop.manage("shell", "--no-imports", "-c", CHECK)


def is_confirmed_when_asked(shop: Shop, card: str) -> bool:
    """Ask again, and say whether miles are confirmed by now."""
    check_now(shop)
    return shop.state(card, "issue") == "confirmed"


def give(shop: Shop, number: str, *, dies: bool = False) -> str:
    """Give the miles of one sale; the till's process may die with nothing sent."""
    card = shop.test_card(number)
    command = ("shell", "--no-imports", "-c", GIVE.format(card=card))
    if not dies:
        shop.manage(*command)
        return card
    death = shop.folder / f"death-{number}"
    death.write_text("arm after")
    ended = shop.managed(*command, is_altered=True, CASES_DIE=str(death))
    assert ended.returncode == -9, ended.stderr
    return card


def test_the_cards_end_as_they_should_through_workers_that_die(shop: Shop) -> None:
    pending = give(shop, AFTER_LOOKS)
    half = give(shop, PARTIAL, dies=True)
    stumbling = give(shop, STUMBLES, dies=True)
    refused = give(shop, NOT_FOUND)
    assert shop.state(pending, "issue") == "pending"
    assert len(shop.row(refused, "issue").attempts) == 1
    workers = Workers(shop)
    workers.start()
    workers.die_over(pending)
    eventually(lambda: shop.state(pending, "issue") == "pending", within_s=LEASE_S + 60)
    workers.die_over(pending)
    eventually(lambda: is_confirmed_when_asked(shop, pending), within_s=LEASE_S + 90)
    shop.settled()

    # One send, and three looks at least: whose answer nobody heard is asked again.
    row = shop.row(pending, "issue")
    assert row.state == "confirmed" and len(_sent(shop, pending)) >= 4
    all_offers(shop, row, "confirmed", "confirmed")
    row = shop.row(half, "issue")
    assert (row.state, row.needs_person) == ("partial", "rejected")
    all_offers(shop, row, "confirmed", "confirmed", "rejected")
    row = shop.row(stumbling, "issue")
    assert (row.state, len(_sent(shop, stumbling))) == ("confirmed", 3)
    all_offers(shop, row, "confirmed", "confirmed")
    row = shop.row(refused, "issue")
    assert (row.state, row.needs_person) == ("rejected", "rejected")
    assert len(_sent(shop, refused)) == 1 and shop.effects(refused) == []
    assert shop.look_up("SELECT DISTINCT error_code FROM journal_offerresult ORDER BY 1") == [
        ("",),
        ("CollectorNotFound",),
        ("OfferExpired",),
    ]
    shop.close()


def test_the_card_that_never_ends_stays_pending_and_alarms(shop: Shop) -> None:
    shop.settings.update(PATIENT)
    shop.endless = frozenset({NEVER[-4:]})
    wait = Wait(shop, shop.test_card(NEVER))
    shop.manage("shell", "--no-imports", "-c", GIVE.format(card=NEVER))
    opened_at, due_at = wait.times()
    assert WAITS[0] <= due_at - opened_at < WAITS[0] + timedelta(seconds=60)
    for end in islice(cycle(ENDS), LOOKS):
        wait.look(end)
        holds_on(wait, was_heard=end.startswith(("heard", "result after")))
    for age in ALARMS:
        wait.look(at=max(opened_at + age, wait.times()[1]))
        holds_on(wait, was_heard=True)
    wait.look(HEARD)
    assert [age for age, _at in wait.alarms()] == list(ALARMS)
    assert all(at - opened_at >= age for age, at in wait.alarms())
    one_key_has_told_it_all(wait, wait.row())
    # What the shop does with that collector next waits behind it, and is not sent.
    before = len(wait.sent())
    shop.manage("shell", "--no-imports", "-c", GIVE.format(card=NEVER))
    later = max(datetime.now(UTC), wait.looked_at[-1]) + timedelta(seconds=4)
    shop.manage("settle", is_altered=True, CASES_AT=later.isoformat())
    states = sorted(row.state for row in shop.rows())
    assert (states, len(wait.sent())) == (["pending", "queued"], before)
    shop.close()


def all_offers(shop: Shop, row: Row, *statuses: str) -> None:
    """Each offer is as it should be, and what was confirmed is in the ledger once."""
    assert sorted(gift.status for gift in row.gifts) == sorted(statuses)
    assert shop.effects(f"8000002{row.last4}") == ["issue"] * statuses.count("confirmed")


def _sent(shop: Shop, card: str) -> list[object]:
    key = shop.row(card, "issue").key
    return [one for one in shop.sandbox.exchanges(ISSUE_PATH) if one["key"] == key]
