"""How the log and its surroundings are doing, for `manage.py doctor`. Reads only.

What is out of bounds is a `Fault`: what was found and what to do. Rows that a person holds are
counted and are no fault: the office lists them, and no machine can settle them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import CharField, Count, Func, Min, QuerySet

from backoffice import clock
from backoffice.audit import places
from backoffice.journal import issuing, line, payloads, purging, quarantine, safety, watch
from backoffice.journal.choices import NeedsPerson
from backoffice.journal.models import Payload, ProgrammeState, Transaction
from backoffice.journal.states import CLAIMABLE, ISSUANCE, UNSETTLED, Operation, Product, State
from backoffice.people import factors

# A row is settled within a lease, a call and a poll once the programme answers (45 s).
DUE_FOR: Final = timedelta(seconds=60)
UNSHOWN_FOR: Final = timedelta(minutes=15)
WAITING_FOR: Final = timedelta(hours=issuing.ALARMS_HOURS[0])
MISSED_WITHIN: Final = timedelta(hours=24)
MOST_SKEW: Final = timedelta(seconds=30)
# A sweep says that it lives every 5 s, between two calls that may take their whole time.
MOST_SWEEP_AGE: Final = timedelta(seconds=60)
# It is a night's work.
MOST_PURGE_AGE: Final = timedelta(hours=50)
# A commit of Milepost's takes milliseconds.
MOST_HELD: Final = timedelta(seconds=60)
# Beats that may be missed before nobody is thought to feel the programme's pulse.
_ECHOES_MISSED: Final = 4
_ECHO_AT_LEAST: Final = timedelta(seconds=60)
# As an operator knows them.
_NAMES: Final = {Product.CASH.value: "AM Cash", Product.ISSUANCE.value: "issuance"}
_TO_CLOSE: Final = {
    Product.CASH.value: "No redemption or inquiry is sent until an ECHO is answered well; there is "
    "nothing to reset.",
    Product.ISSUANCE.value: "Miles are kept, and one of them is sent every few seconds until it is "
    "answered; there is nothing to reset.",
}
# A literal: SQLite does not see that a parameter meets the condition of a partial index.
_EMPTY: Final = Func(template="''", output_field=CharField())


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something out of bounds: its short name, what was found, and what to do about it."""

    name: str
    found: str
    to_do: str


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many rows there are of a sort, and the age of the oldest; None where there is none."""

    count: int
    oldest_s: int | None


@dataclass(frozen=True, kw_only=True)
class OpenBreaker:
    """A product of which nothing new is sent, since when, and what opened it."""

    product: str
    opened_at: datetime
    why: str


@dataclass(frozen=True, kw_only=True)
class Health:
    """Everything that was looked at, at one moment."""

    at: datetime
    states: dict[str, Tally]
    with_a_person: dict[str, Tally]
    lapsed: Tally
    due_too_long: Tally
    past_their_time: Tally
    not_presented: Tally
    missed_deadlines: Tally
    waiting_long: Tally
    programme_is_up: bool | None
    programme_code: str
    echo_age_s: int | None
    tzdata: str
    skew_ms: int | None
    programme_skew_ms: int | None
    quarantine: str
    breakers: tuple[OpenBreaker, ...]
    sweep_age_s: int | None
    # By which of our own faults a sweep fails, and which sweep; empty while none does.
    sweep_error: str
    unmarked_s: int | None
    unsafe: tuple[str, ...]
    # How many payloads each key has sealed, and those of them that no process can open.
    sealed_under: dict[str, int]
    lost_keys: tuple[str, ...]
    purge_age_s: int | None
    # Whose transaction holds up whoever reads the audit log in order.
    holder: places.Holder | None

    def faults(self) -> Iterator[Fault]:
        """Yield what is out of bounds."""
        yield from self._of_the_ground()
        yield from self._of_the_rows()
        yield from self._of_the_sweep()
        yield from self._of_the_programme()

    def _of_the_ground(self) -> Iterator[Fault]:
        if self.quarantine:
            yield Fault(
                name="quarantine",
                found=self.quarantine,
                to_do="Nothing is sent until an administrator lifts it with `manage.py quarantine "
                "--lift`; see docs/operator.md for what to do before.",
            )
        for why in self.unsafe:
            yield Fault(
                name="safety",
                found=why,
                to_do="Nothing is sent until this is put right; see docs/operator.md.",
            )
        for key_id in self.lost_keys:
            yield Fault(
                name="keys",
                found=f"{self.sealed_under[key_id]} payloads or secrets are sealed with the key "
                f"{key_id}, which is not in MILEPOST_DATA_KEYS.",
                to_do="Bring the key back after the first one, then run `manage.py rotate_keys`.",
            )
        if self.purge_age_s is not None and self.purge_age_s > MOST_PURGE_AGE.total_seconds():
            yield Fault(
                name="purge",
                found=f"The last purge came to its end {self.purge_age_s} s ago.",
                to_do="Start `manage.py settle --forever`, or a worker and beat, and read their "
                "log; `manage.py purge` does it at once.",
            )
        if self.holder is not None and self.holder.open_s > MOST_HELD.total_seconds():
            yield Fault(
                name="held_up",
                found=f"The session {self.holder.pid} of the database has not ended its "
                f"transaction for {self.holder.open_s} s: no program is told of later changes.",
                to_do=f"See what it is in pg_stat_activity; `SELECT "
                f"pg_terminate_backend({self.holder.pid})` undoes its transaction and ends it.",
            )
        limit_ms, refused_ms = (_ms(limit) for limit in (MOST_SKEW, safety.MOST_SKEW))
        if self.skew_ms is not None and limit_ms < abs(self.skew_ms) <= refused_ms:
            side = "ahead of" if self.skew_ms > 0 else "behind"
            yield Fault(
                name="clock_skew",
                found=f"This machine's clock is {abs(self.skew_ms)} ms {side} the database's.",
                to_do="Set both clocks by the same time servers.",
            )

        said = clock_said(self.programme_skew_ms)
        if said:
            yield Fault(
                name="programme_clock",
                found=said,
                to_do="Set this machine's clock by time servers; if it is right, call the "
                "programme's desk: 03:00 is told by both clocks.",
            )

    def _of_the_rows(self) -> Iterator[Fault]:
        sweep = "Start `manage.py settle --forever`, or a worker and beat, and read their log."
        office = "See the overview of the back office."
        found = (
            ("due_too_long", self.due_too_long, "due, and nobody has sent them again", sweep),
            ("past_their_time", self.past_their_time, "in doubt beyond the last replay", sweep),
            (
                "not_presented",
                self.not_presented,
                "approved, and no till has shown them",
                "Open them at their till, or give them back before their deadline.",
            ),
            ("missed_deadlines", self.missed_deadlines, "reversals not sent in time", office),
            (
                "waiting_long",
                self.waiting_long,
                "issuances without a final answer for over an hour",
                "They are asked until there is one; if it goes on, call the programme's desk.",
            ),
        )
        for name, tally, what, to_do in found:
            if tally.count:
                text = f"{tally.count} {what}; the oldest for {tally.oldest_s} s."
                yield Fault(name=name, found=text, to_do=to_do)

    def _of_the_sweep(self) -> Iterator[Fault]:
        if self.sweep_error:
            yield Fault(
                name="sweep_fault",
                found=f"A sweep fails by a fault of Milepost's own: {self.sweep_error}.",
                to_do="Its log has `settle.failed` with the traceback: report it. What is due is "
                "tried again, and other rows are settled.",
            )
        if self.sweep_age_s is None or self.sweep_age_s > MOST_SWEEP_AGE.total_seconds():
            age = "never" if self.sweep_age_s is None else f"{self.sweep_age_s} s ago"
            yield Fault(
                name="sweep",
                found=f"A sweep was last seen: {age}.",
                to_do="Start `manage.py settle --forever`, or a worker and beat, and read their "
                "log.",
            )
        elif self.unmarked_s is not None and self.unmarked_s > MOST_SWEEP_AGE.total_seconds():
            yield Fault(
                name="mark",
                found=f"{quarantine.UNMARKED} Not marked for {self.unmarked_s} s.",
                to_do="Let the sweep write to MILEPOST_DATA/marks/, or make room on its disk.",
            )

    def _of_the_programme(self) -> Iterator[Fault]:
        for one in self.breakers:
            since = f"{one.opened_at:%Y-%m-%d %H:%M:%S} UTC"
            yield Fault(
                name="breaker",
                found=f"The breaker of {_NAMES[one.product]} is open since {since} ({one.why}).",
                to_do=_TO_CLOSE[one.product],
            )
        if self.echo_age_s is None or self.echo_age_s > _most_echo_age().total_seconds():
            age = "never" if self.echo_age_s is None else f"{self.echo_age_s} s ago"
            yield Fault(
                name="echo",
                found=f"The programme was last asked whether it is there: {age}.",
                to_do="Start `manage.py settle --forever`, or a worker and beat; one active till "
                "of an active store is needed.",
            )
        elif self.programme_is_up is False:
            said = f"answered {self.programme_code}" if self.programme_code else "did not answer"
            yield Fault(
                name="programme",
                found=f"The programme {said} to the last ECHO.",
                to_do="What is open is settled when it is back; if it stays away, call its desk.",
            )


def clock_said(skew_ms: int | None) -> str:
    """Return by how much our clock and the programme's differ; nothing while that is little."""
    if skew_ms is None or abs(skew_ms) <= _ms(MOST_SKEW):
        return ""
    side = "ahead of" if skew_ms > 0 else "behind"
    return f"This machine's clock is {abs(skew_ms) // 1000} s {side} the programme's."


def programme_clock() -> str:
    """Return what `clock_said` of the last ECHO."""
    state = ProgrammeState.objects.filter(product=Product.CASH).first()
    return "" if state is None else clock_said(state.skew_ms)


def examine(*, now: datetime) -> Health:
    """Look at the whole log, whatever its store, and at what it stands on; training is no part."""
    due = _real().filter(state__in=sorted(CLAIMABLE))
    programmes = {state.product: state for state in ProgrammeState.objects.all()}
    programme = programmes.get(Product.CASH)
    heard_at = programme.heard_at if programme else None
    skew = safety.clock_skew()
    quarantined = quarantine.fault()
    swept = watch.last_sweep()
    sealed = sealed_under()
    return Health(
        at=now,
        states=_states(now),
        with_a_person=_with_a_person(now),
        lapsed=_tally(due.filter(state=State.ARMED, due_at__lte=now), "due_at", now),
        due_too_long=_tally(due.filter(due_at__lte=now - DUE_FOR), "due_at", now),
        past_their_time=_tally(
            due.filter(state=State.DOUBT, replay_until__lte=now - DUE_FOR), "replay_until", now
        ),
        not_presented=_tally(_unshown(now - UNSHOWN_FOR), "opened_at", now),
        missed_deadlines=_tally(
            _real().filter(
                state=State.EXPIRED,
                needs_person=NeedsPerson.LATE_BY_US,
                settled_at__gt=now - MISSED_WITHIN,
            ),
            "deadline_at",
            now,
        ),
        waiting_long=_tally(
            due.filter(operation__in=sorted(ISSUANCE), opened_at__lte=now - WAITING_FOR),
            "opened_at",
            now,
        ),
        programme_is_up=programme.is_up if programme and heard_at else None,
        programme_code=programme.response_code if programme else "",
        echo_age_s=_age_s(heard_at, now),
        tzdata=clock.tzdata_version(),
        skew_ms=None if skew is None else _ms(skew),
        programme_skew_ms=programme.skew_ms if programme else None,
        quarantine=quarantined,
        breakers=tuple(_open_breakers(programmes.values())),
        sweep_age_s=_age_s(swept[0] if swept else None, now),
        sweep_error=_sweep_error(),
        unmarked_s=_age_s(quarantine.unmarked_since(), now) if _sweeps_here(swept) else None,
        unsafe=tuple(why for why in safety.faults() if why != quarantined),
        sealed_under=sealed,
        lost_keys=tuple(sorted(set(sealed) - set(payloads.vault().key_ids))),
        purge_age_s=_age_s(purging.standing().purged_at, now),
        holder=places.holder(),
    )


def sealed_under() -> dict[str, int]:
    """Return how many payloads and second factors each key has sealed."""
    # An emptied payload has no key, so these are the last months' and not the whole history.
    counted = Payload.objects.exclude(key_id="").order_by().values_list("key_id")
    payloads_of = Counter(dict(counted.annotate(Count("pk"))))
    return dict(payloads_of + factors.sealed_under())


def _sweep_error() -> str:
    failing = watch.failing()
    return "" if failing is None else f"{failing.details.get('error', '')} in {failing.actor}"


def _sweeps_here(swept: tuple[datetime, str] | None) -> bool:
    # The mark is kept beside the sweep: another machine has none, or an old one.
    return swept is not None and line.is_of_this_host(swept[1])


def _open_breakers(programmes: Iterable[ProgrammeState]) -> Iterator[OpenBreaker]:
    for state in programmes:
        if state.breaker_opened_at is not None:
            yield OpenBreaker(
                product=state.product, opened_at=state.breaker_opened_at, why=state.breaker_why
            )


def _states(now: datetime) -> dict[str, Tally]:
    # Only what is open, and approvals: settled rows are history, and counting all of them would
    # cost more every day.
    open_states = [state for state in State if state in UNSETTLED | {State.APPROVED}]
    return {
        state.value: _tally(_real().filter(state=state), "opened_at", now) for state in open_states
    }


def _with_a_person(now: datetime) -> dict[str, Tally]:
    rows = (
        _real()
        .exclude(needs_person=_EMPTY)
        .order_by()
        .values_list("needs_person")
        .annotate(Count("pk"), Min("opened_at"))
    )
    return {
        str(reason): Tally(count=count, oldest_s=_age_s(oldest, now))
        for reason, count, oldest in rows
    }


def _real() -> QuerySet[Transaction]:
    return Transaction.objects.filter(is_training=False)


def _unshown(opened_before: datetime) -> QuerySet[Transaction]:
    return _real().filter(
        operation=Operation.REDEEM,
        state=State.APPROVED,
        presented_at=None,
        reversed_at=None,
        credit_given="",
        opened_at__lt=opened_before,
    )


def _tally(rows: QuerySet[Transaction], since: str, now: datetime) -> Tally:
    found = rows.order_by().aggregate(count=Count("pk"), oldest=Min(since))
    return Tally(count=found["count"], oldest_s=_age_s(found["oldest"], now))


def _age_s(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else int((now - moment).total_seconds())


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)


def _most_echo_age() -> timedelta:
    return max(_ECHO_AT_LEAST, timedelta(seconds=settings.ECHO_EVERY_S) * _ECHOES_MISSED)
