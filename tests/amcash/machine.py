"""Any order of presses, answers, silences, deaths, sweeps and time over the real database.

Hypothesis looks for a sequence after which something is lost, doubled or left without an owner;
the tables alone are searched in tests/journal/test_decisions.py.
"""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.transaction import atomic
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from amcash import services, tasks
from amcash.orders import Card, EntryMode, RedemptionOrder, ReversalOrder
from backoffice.audit.models import AuditEntry
from backoffice.journal import entries, exchange, programme, safety
from backoffice.journal.models import Attempt, Transaction
from backoffice.journal.states import (
    GRANTED,
    LIVE_REVERSAL,
    SETTLED,
    TERMINAL,
    UNSETTLED,
    Operation,
    State,
    Wanted,
)
from backoffice.stores.models import Store
from tests.amcash.ledger import WORDLESS, Ledger, Weather
from tests.amcash.stories import Killed, order
from tests.cast import Cast
from tests.scripted import ScriptedPlatform

NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)
WEATHER = st.sampled_from(Weather)
CARDS = ("80000010001", "80000010006")
SPANS = (1, 12, 45, 700, 6 * 3600)


class Milepost(RuleBasedStateMachine):
    """Everything that can happen to a few sales at one till."""

    def __init__(self, cast: Cast, scripted: ScriptedPlatform, clock: Any) -> None:
        super().__init__()
        self.cast, self.clock = cast, clock
        self.ledger = Ledger()
        scripted.will(self.ledger.answer)
        self.orders: list[RedemptionOrder] = []
        self.frozen: Transaction | None = None
        self.seen: dict[int, tuple[str, int, str, uuid.UUID]] = {}
        self.told: dict[str, int] = {}
        clock.move_to(NOON)
        self._undo = atomic()
        # What one example wrote is undone, and the journal's own commits are still durable ones.
        self._undo._from_testcase = True  # type: ignore[attr-defined]
        self._undo.__enter__()

    # --- What people do ---------------------------------------------------------------------------

    @initialize(gives_back=st.booleans())
    def open_the_store(self, gives_back: bool) -> None:
        Store.objects.update(gives_back_unshown=gives_back)

    @rule(card=st.sampled_from(CARDS), weather=WEATHER)
    def press(self, card: str, weather: Weather) -> None:
        wanted = order(
            client_ref=str(uuid.UUID(int=len(self.orders) + 1)),
            sale_ref=f"sale {len(self.orders)}",
            card=Card(number=card, entry_mode=EntryMode.SCAN),
        )
        self.orders.append(wanted)
        self.redeem(wanted, weather)

    @rule(first=st.sampled_from(sorted(WORDLESS)), then=WEATHER, after=st.sampled_from(SPANS))
    def somebody_is_left_in_doubt(self, first: Weather, then: Weather, after: int) -> None:
        self.press(self.somebody_new(), first)
        self.sweep(then, after)

    @rule(after=st.sampled_from(SPANS), weather=WEATHER)
    def somebody_leaves_before_the_approval_is_shown(self, after: int, weather: Weather) -> None:
        self.press(self.somebody_new(), Weather.APPROVED)
        self.sweep(weather, after)

    @rule(weather=st.sampled_from((Weather.APPROVED, Weather.UNHEARD)))
    def somebody_cancels_at_once(self, weather: Weather) -> None:
        self.press(self.somebody_new(), weather)
        self.cancel(0)

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 3), weather=WEATHER)
    def press_again(self, which: int, weather: Weather) -> None:
        self.redeem(self.orders[-1 - which % len(self.orders)], weather)

    @rule(which=st.integers(0, 3))
    def cancel(self, which: int) -> None:
        self.on_row(which, lambda row: services.cancel(row, actor=self.cast.actor, now=now()))

    @rule(which=st.integers(0, 3))
    def present(self, which: int) -> None:
        self.on_row(which, lambda row: services.present(row, actor=self.cast.actor, now=now()))

    @rule(which=st.integers(0, 3))
    def check_now(self, which: int) -> None:
        self.on_row(which, lambda row: services.check_now(row, actor=self.cast.actor, now=now()))

    @rule(which=st.integers(0, 3), weather=WEATHER)
    def send_again(self, which: int, weather: Weather) -> None:
        self.on_row(
            which,
            lambda row: services.send_again(row, actor=self.cast.actor, now=now()),
            weather,
        )

    @rule(which=st.integers(0, 3))
    def pay_otherwise(self, which: int) -> None:
        self.on_row(
            which, lambda row: services.pay_otherwise(row, actor=self.cast.actor, now=now())
        )

    @rule(which=st.integers(0, 3), weather=WEATHER)
    def reverse(self, which: int, weather: Weather) -> None:
        def press(row: Transaction) -> object:
            wanted = ReversalOrder(
                client_ref=f"reverse {row.pk} {now():%d%H%M%S}",
                redemption=row.reference,
                language="en",
            )
            return services.reverse(wanted, row, actor=self.cast.manager_actor, now=now())

        self.on_row(which, press, weather)

    # --- What happens by itself -------------------------------------------------------------------

    @rule(seconds=st.sampled_from(SPANS))
    def time_passes(self, seconds: int) -> None:
        self.clock.shift(timedelta(seconds=seconds))

    @rule(weather=WEATHER, after=st.sampled_from((0, *SPANS)))
    def sweep(self, weather: Weather, after: int) -> None:
        self.clock.shift(timedelta(seconds=after))
        with self.weather(weather):
            tasks.settle_due()

    @precondition(lambda self: self.frozen is None)
    @rule()
    def a_sweep_freezes_with_the_right_to_send(self) -> None:
        self.look_anew()
        taken = entries.claim_next(
            services.OPERATIONS,
            sender="frozen",
            now=now(),
            lease=exchange.lease(),
            due_by=now(),
        )
        if taken is not None and taken.is_ours:
            self.frozen = taken.row

    @precondition(lambda self: self.frozen is not None)
    @rule(weather=WEATHER)
    def the_frozen_one_sends_late(self, weather: Weather) -> None:
        assert self.frozen is not None
        row, self.frozen = self.frozen, None
        with self.weather(weather):
            exchange.deliver(row, services._delivery("frozen", 1), stamped=exchange.stamp())

    # --- What must hold after every step ----------------------------------------------------------

    @invariant()
    def nothing_is_lost_doubled_or_left_without_an_owner(self) -> None:
        rows = list(Transaction.objects.order_by("pk"))
        told = self.audit_counts()
        for row in rows:
            state = State(row.state)
            assert state in SETTLED or row.due_at is not None or row.needs_person, row
            was = self.seen.get(row.pk)
            is_now = (row.state, row.fence, row.wanted, row.idempotency_key)
            subject = f"transaction:{row.reference}"
            if was is not None:
                assert row.idempotency_key == was[3]
                assert row.state == was[0] or State(was[0]) not in TERMINAL
            if was != is_now:
                assert told.get(subject, 0) > self.told.get(subject, 0), (was, is_now)
            self.seen[row.pk] = is_now
            # Kept and given back by itself are never both.
            assert not (row.presented_at is not None and row.wanted == Wanted.CANCEL)
            self.agrees_with_the_ledger(row, rows)
        self.told = told
        armed = [row.collector_mac for row in rows if row.state == State.ARMED]
        assert len(armed) == len(set(armed))
        self.compare(rows)

    def agrees_with_the_ledger(self, row: Transaction, rows: list[Transaction]) -> None:
        """What we say of one operation is true, or a person or a reversal is on its way to it."""
        key = str(row.idempotency_key)
        is_done = key in self.ledger.effects
        if row.is_granted:
            assert is_done
        if row.state in {State.QUEUED, State.NOT_SENT}:
            assert key not in self.ledger.unheard, row
        if row.state in {State.NOT_SENT, State.DECLINED, State.EXPIRED}:
            assert not is_done or row.needs_person, row
        if row.wanted == Wanted.CANCEL and row.is_granted and row.reversed_at is None:
            undoing = [one for one in rows if one.reverses_id == row.pk]
            is_owned = any(one.state in LIVE_REVERSAL or one.needs_person for one in undoing)
            assert is_owned or row.needs_person, row

    def compare(self, rows: list[Transaction]) -> None:
        """Nothing that the programme did is unknown to us, and nothing was done twice."""
        keys = {str(row.idempotency_key) for row in rows}
        assert set(self.ledger.bodies) <= keys
        assert len(rows) - sum(row.operation == Operation.REVERSE for row in rows) <= len(
            self.orders
        )
        sends = Attempt.objects.filter(transaction__in=rows).values_list("transaction_id", "fence")
        assert len(set(sends)) == len(sends)
        given_back = [row.reverses_id for row in rows if row.reverses_id and row.is_granted]
        assert len(given_back) == len(set(given_back))
        marked = {row.pk for row in rows if row.reversed_at is not None}
        assert marked == set(given_back)

    def teardown(self) -> None:
        """When all is calm again everything settles, and both sides tell the same."""
        try:
            self.calm()
        finally:
            self._undo.__exit__(Killed, Killed(), None)
            self.look_anew()

    def calm(self) -> None:
        for _round in range(12):
            if not Transaction.objects.filter(state__in=UNSETTLED, needs_person="").exists():
                break
            self.clock.shift(timedelta(minutes=1))
            with self.weather(Weather.APPROVED):
                tasks.settle_due()
            self.clock.shift(timedelta(minutes=10))
        rows = list(Transaction.objects.all())
        assert [row for row in rows if row.state in UNSETTLED and not row.needs_person] == []
        self.nothing_is_lost_doubled_or_left_without_an_owner()
        persons = {row.reverses_id or row.pk for row in rows if row.needs_person}
        ours = {
            row.confirmation_number
            for row in rows
            if row.operation == Operation.REDEEM
            and State(row.state) in GRANTED
            and row.reversed_at is None
        }
        held = {
            self.ledger.effects.get(str(row.idempotency_key)) for row in rows if row.pk in persons
        }
        assert ours ^ self.ledger.stands() <= held, (ours, self.ledger.stands(), held)
        for row in rows:
            if row.operation == Operation.REDEEM and row.wanted == Wanted.CANCEL:
                is_back = row.reversed_at is not None or not row.is_granted
                assert is_back or row.pk in persons, row

    # --- Helpers ----------------------------------------------------------------------------------

    def somebody_new(self) -> str:
        """A collector whom no earlier doubt holds up."""
        return f"8000002{len(self.orders):04d}"

    def redeem(self, wanted: RedemptionOrder, weather: Weather) -> None:
        with self.weather(weather):
            services.redeem(wanted, actor=self.cast.actor, now=now())

    def on_row(
        self,
        which: int,
        act: Callable[[Transaction], object],
        weather: Weather = Weather.APPROVED,
    ) -> None:
        rows = list(Transaction.objects.filter(operation=Operation.REDEEM).order_by("pk"))
        if rows:
            with self.weather(weather):
                # The newest is 0, so that a search most often goes on with it.
                act(entries.reread(rows[-1 - which % len(rows)]))

    @contextlib.contextmanager
    def weather(self, weather: Weather) -> Iterator[None]:
        self.look_anew()
        self.ledger.weather = weather
        with contextlib.suppress(services.Refused, Killed):
            yield

    def look_anew(self) -> None:
        programme.forget()
        safety.forget()

    def audit_counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for subject in AuditEntry.objects.values_list("subject", flat=True):
            counts[subject] = counts.get(subject, 0) + 1
        return counts


def now() -> datetime:
    return timezone.now()
