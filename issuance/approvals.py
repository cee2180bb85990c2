"""Miles without a sale, told in order: one person proposes, above a limit another one agrees, and
it is sent once. The office's views call these functions; here it is decided who may.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import Count, QuerySet, Sum
from django.db.transaction import atomic

from backoffice.audit import trail
from backoffice.cards import Card, EntryMode
from backoffice.devices import office
from backoffice.journal import payloads
from backoffice.journal.models import Transaction
from backoffice.journal.states import TAKING, State
from backoffice.people.actors import Actor, Channel
from backoffice.people.models import User
from backoffice.people.scope import visible_stores
from backoffice.stores.models import Sponsor, Store
from backoffice.units import Miles
from backoffice.vault import Sealed
from issuance import messages, selectors, services
from issuance.codes import BY_PATH
from issuance.lines import EventMessage, OfferLine
from issuance.orders import Award, EventOrder
from issuance.proposals import EventProposal, EventReason, ProposalState
from issuance.services import Refused

# Longer than any long weekend; then whoever proposed has forgotten why.
GOOD_FOR: Final = timedelta(days=7)
LIMIT_FOR: Final = timedelta(hours=24)
# What was sent and came to nothing has moved nothing.
_NOTHING_MOVED: Final = frozenset({State.REJECTED, State.NOT_SENT})
_STANDING: Final = (ProposalState.WAITING, ProposalState.APPROVED)


class Fault(StrEnum):
    """Why an office's act is refused; nothing was written."""

    OTHER_CONTENT = "other_content"
    REASON = "reason"
    TOO_MUCH = "too_much"
    NOT_KEPT = "not_kept"
    SAME_PERSON = "same_person"
    STATE_CHANGED = "state_changed"
    NUMBER_TAKEN = "number_taken"


class NotAllowed(Exception):
    """Nothing was written; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What one person wants. `reference` is the one-time value of the press.

    With `original` the miles are taken back of that event, with `corrects` they are given in place
    of one that was rejected.
    """

    reference: uuid.UUID
    store: Store
    reason: EventReason
    card: Card
    miles: Miles
    note: str
    original: Transaction | None = None
    corrects: Transaction | None = None


def visible(user: User) -> QuerySet[EventProposal]:
    """Return the proposals of the stores that a person may see."""
    found = EventProposal.objects.select_related(
        "store__sponsor", "reason", "proposed_by", "decided_by", "original", "corrects"
    )
    return found if user.may_see_every_store else found.filter(store__in=visible_stores(user))


def transactions_of(proposals: Iterable[EventProposal]) -> dict[uuid.UUID, Transaction]:
    """Return what was sent of some proposals, by the proposals' references."""
    by_ref = {one.client_ref: one.reference for one in proposals}
    rows = Transaction.objects.filter(client_ref__in=by_ref).prefetch_related("offers")
    return {by_ref[row.client_ref]: row for row in rows}


def needs_second(wish: Wish, *, now: datetime) -> bool:
    """Say whether a second person must agree: above the limit of the store for this collector."""
    mac = payloads.vault().blind_index(wish.card.number)
    return _would_be(wish, mac, now) > wish.store.most_event_miles


def card_of(original: Transaction) -> Card | None:
    """Return the card of an event in the log; None once its bytes are no longer kept."""
    asked = _asked(original)
    if asked is None:
        return None
    mode = EntryMode(original.card_entry_mode or EntryMode.MANUAL)
    return Card(number=asked.collector_number, entry_mode=mode)


def may_come_back(original: Transaction) -> Miles:
    """Return how many miles of an event may still be taken back, whoever took some before."""
    if original.state in _NOTHING_MOVED or _asked(original) is None:
        return Miles(0)
    earlier = list(EventProposal.objects.filter(original=original, state__in=_STANDING))
    sent = transactions_of(earlier)
    agreed = sum(one.miles for one in earlier if one.reference not in sent)
    # What a till took back has no proposal.
    taken = sum(_moved(one) for one in original.returns.filter(state__in=sorted(TAKING)))
    return Miles(max(0, _moved(original) - agreed - taken))


def propose(wish: Wish, *, person: User, now: datetime) -> EventProposal:
    """Write down what one person wants; within the limit it is agreed to by that.

    The same reference again returns what it began. Raises NotAllowed.
    """
    mac = payloads.vault().blind_index(wish.card.number)
    with atomic(durable=True):
        # One after the other for a sponsor, so that two small ones together are not a large one.
        Sponsor.objects.select_for_update(no_key=True).get(pk=wish.store.sponsor_id)
        existing = EventProposal.objects.filter(reference=wish.reference).first()
        if existing is not None:
            return _same(existing, wish, mac, person)
        _check(wish)
        is_large = _would_be(wish, mac, now) > wish.store.most_event_miles
        sealed = payloads.vault().seal(wish.card.number.encode(), bound_to=_binding(wish.reference))
        proposal = EventProposal.objects.create(
            reference=wish.reference,
            state=ProposalState.WAITING if is_large else ProposalState.APPROVED,
            store=wish.store,
            reason=wish.reason,
            is_taking_back=wish.original is not None,
            miles=wish.miles,
            note=wish.note,
            language=wish.store.language,
            original=wish.original,
            corrects=wish.corrects,
            collector_mac=mac,
            collector_last4=wish.card.last4,
            card_entry_mode=wish.card.entry_mode,
            key_id=sealed.key_id,
            ciphertext=sealed.ciphertext,
            needs_second=is_large,
            proposed_by=person,
            proposed_at=now,
            expires_at=now + GOOD_FOR,
            decided_by=None if is_large else person,
            decided_at=None if is_large else now,
        )
        tell(proposal, "proposed", person)
    return proposal


def agree(proposal: EventProposal, *, person: User, now: datetime) -> EventProposal:
    """Agree to what somebody else proposed; nothing is sent yet. Raises NotAllowed."""
    with atomic(durable=True):
        held = _held(proposal, now)
        if held.proposed_by_id == person.pk:
            raise NotAllowed(Fault.SAME_PERSON)
        return _close(held, ProposalState.APPROVED, person, now)


def put_aside(proposal: EventProposal, note: str, *, person: User, now: datetime) -> EventProposal:
    """Take one's own proposal back, or do not agree to somebody else's. Raises NotAllowed."""
    with atomic(durable=True):
        held = _held(proposal, now)
        is_own = held.proposed_by_id == person.pk
        state = ProposalState.WITHDRAWN if is_own else ProposalState.REFUSED
        return _close(held, state, person, now, note=note)


def send(proposal: EventProposal, *, person: User, now: datetime) -> Transaction:
    """Send what was agreed to, at most once, and return its row of the log.

    Whoever was interrupted between agreeing and sending presses again. Raises NotAllowed.
    """
    sent = transactions_of([proposal]).get(proposal.reference)
    if sent is not None:
        _forget_card(proposal)
        return sent
    if proposal.state != ProposalState.APPROVED:
        raise NotAllowed(Fault.STATE_CHANGED)
    try:
        device = office.device_of(proposal.store, by=person.username)
    except office.NumberTaken as error:
        raise NotAllowed(Fault.NUMBER_TAKEN) from error
    actor = Actor(user=proposal.proposed_by, device=device, channel=Channel.OFFICE)
    try:
        order = _order(proposal)
    except NotAllowed:
        # What it takes back was erased or emptied meanwhile: it can never be sent.
        _give_up(proposal, now)
        raise
    try:
        row = services.event(
            order,
            actor=actor,
            now=now,
            original=proposal.original,
            corrects=proposal.corrects,
        ).transaction
    except Refused as error:
        # What it was to put right or to take back is not there any more: it can never be sent.
        _give_up(proposal, now)
        raise NotAllowed(Fault.STATE_CHANGED) from error
    _forget_card(proposal)
    return row


def expire(*, now: datetime) -> int:
    """Close the proposals that nobody agreed to in time; return how many."""
    old = EventProposal.objects.filter(state=ProposalState.WAITING, expires_at__lte=now)
    closed = 0
    for proposal in old.select_related("store", "reason")[:100]:
        with atomic(durable=True):
            same = EventProposal.objects.filter(pk=proposal.pk, state=ProposalState.WAITING)
            if same.update(state=ProposalState.EXPIRED, key_id="", ciphertext=b""):
                tell(proposal, "expired", None)
                closed += 1
    return closed


def sealed_under() -> dict[str, int]:
    """Return how many cards of proposals each key seals."""
    kept = EventProposal.objects.exclude(key_id="").order_by().values_list("key_id")
    return dict(kept.annotate(count=Count("pk")))


def reseal(key_id: str) -> int:
    """Seal anew what this key has sealed; return how many cards. Raises VaultError."""
    done = 0
    for proposal in EventProposal.objects.filter(key_id=key_id):
        sealed = payloads.vault().seal(
            _number(proposal).encode(), bound_to=_binding(proposal.reference)
        )
        # Whoever sends or closes it meanwhile has emptied it, and it stays so.
        same = EventProposal.objects.filter(pk=proposal.pk, key_id=key_id)
        done += same.update(key_id=sealed.key_id, ciphertext=sealed.ciphertext)
    return done


def _would_be(wish: Wish, mac: str, now: datetime) -> int:
    lately = EventProposal.objects.filter(
        collector_mac=mac,
        is_taking_back=wish.original is not None,
        state__in=_STANDING,
        proposed_at__gt=now - LIMIT_FOR,
    ).exclude(reference=wish.reference)
    return wish.miles + (lately.aggregate(sum=Sum("miles"))["sum"] or 0)


def _check(wish: Wish) -> None:
    is_for_this = wish.reason.may_give if wish.original is None else wish.reason.may_take_back
    is_of_here = wish.reason.sponsor_id == wish.store.sponsor_id
    has_note = bool(wish.note) or not wish.reason.needs_note
    if not (is_for_this and is_of_here and has_note and wish.reason.is_active and wish.miles > 0):
        raise NotAllowed(Fault.REASON)
    if wish.original is None:
        return
    if _asked(wish.original) is None:
        raise NotAllowed(Fault.NOT_KEPT)
    if wish.miles > may_come_back(wish.original):
        raise NotAllowed(Fault.TOO_MUCH)


def _same(existing: EventProposal, wish: Wish, mac: str, person: User) -> EventProposal:
    asked = (wish.store.pk, wish.reason.pk, wish.miles, wish.note, mac, person.pk)
    began = (
        existing.store_id,
        existing.reason_id,
        existing.miles,
        existing.note,
        existing.collector_mac,
        existing.proposed_by_id,
    )
    if asked != began:
        raise NotAllowed(Fault.OTHER_CONTENT)
    return existing


def _held(proposal: EventProposal, now: datetime) -> EventProposal:
    held = (
        EventProposal.objects.select_for_update(of=("self",))
        .select_related("store__sponsor", "reason", "proposed_by", "original", "corrects")
        .get(pk=proposal.pk)
    )
    if held.state != ProposalState.WAITING or held.expires_at <= now:
        raise NotAllowed(Fault.STATE_CHANGED)
    return held


def _close(
    held: EventProposal, state: ProposalState, person: User, now: datetime, *, note: str = ""
) -> EventProposal:
    held.state, held.decided_by, held.decided_at = state, person, now
    held.decided_note = note
    if state is not ProposalState.APPROVED:
        held.key_id, held.ciphertext = "", b""
    held.save()
    tell(held, state.value, person)
    return held


def _give_up(proposal: EventProposal, now: datetime) -> None:
    with atomic(durable=True):
        same = EventProposal.objects.filter(pk=proposal.pk, state=ProposalState.APPROVED)
        if same.update(state=ProposalState.REFUSED, decided_at=now, key_id="", ciphertext=b""):
            tell(proposal, "overtaken", None)


def _forget_card(proposal: EventProposal) -> None:
    if proposal.has_card:
        EventProposal.objects.filter(pk=proposal.pk).update(key_id="", ciphertext=b"")


def _order(proposal: EventProposal) -> EventOrder:
    reason = proposal.reason
    award = Award(
        offer_id=reason.offer_id,
        offer_code=reason.offer_code,
        miles=Miles(proposal.miles),
        description=reason.name_in(proposal.language),
    )
    if proposal.original is not None:
        # What comes back is what was given, under its own offer.
        asked = _asked(proposal.original)
        if asked is None:
            raise NotAllowed(Fault.NOT_KEPT)
        award = _given(asked.offers[0], proposal.miles)
    return EventOrder(
        client_ref=proposal.client_ref,
        card=Card(number=_number(proposal), entry_mode=EntryMode(proposal.card_entry_mode)),
        awards=(award,),
        language=proposal.language,
        is_taking_back=proposal.is_taking_back,
        reason=reason.code,
    )


def _number(proposal: EventProposal) -> str:
    sealed = Sealed(key_id=proposal.key_id, ciphertext=bytes(proposal.ciphertext))
    return payloads.vault().open(sealed, bound_to=_binding(proposal.reference)).decode()


def _given(offer: OfferLine, miles: int) -> Award:
    return Award(
        offer_id=str(offer.offer_id),
        offer_code=offer.offer_code,
        miles=Miles(miles),
        description=offer.description,
        location_code=offer.location_code,
    )


def _asked(original: Transaction) -> EventMessage | None:
    body = payloads.body_of(original)
    if not body:
        return None
    asked = messages.parse_request(BY_PATH[original.path], body)
    return asked if isinstance(asked, EventMessage) else None


def _moved(row: Transaction) -> int:
    """Return the miles that a row moved; until that is known, those it asks to move."""
    if row.miles is not None:
        return row.miles
    asked = selectors.sale_of(row)
    return sum(award.miles for award in asked.awards) if asked else 0


def _binding(reference: uuid.UUID) -> str:
    return f"event:{reference}"


def tell(proposal: EventProposal, event: str, person: User | None) -> None:
    """Record what happened to a proposal, in the caller's commit."""
    trail.record(
        f"event.{event}",
        subject=f"event:{proposal.reference}",
        actor=person.username if person is not None else Channel.SETTLE.value,
        channel=(Channel.OFFICE if person is not None else Channel.SETTLE).value,
        store=proposal.store.number,
        details={
            "reason": proposal.reason.code,
            "miles": proposal.miles,
            "is_taking_back": proposal.is_taking_back,
            "needs_second": proposal.needs_second,
        },
    )
