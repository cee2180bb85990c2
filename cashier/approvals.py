"""The PIN again, and a manager's approval over the cashier's screen (CONSOLE 2.6).

The cashier stays signed in; both names go into the log with what was approved. What needs which is
decided here and in the journal; that a PIN is right, in `people`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from backoffice.journal.models import Transaction
from backoffice.people import badges, pins, sessions
from backoffice.people.actors import Actor
from backoffice.people.models import StorePolicy, User
from backoffice.people.scope import approvers_at
from backoffice.people.tries import TooMany
from cashier.frames import Frame, show
from cashier.panels import Action
from cashier.waits import too_many


class NotApproved(Exception):
    """Nobody has approved it yet; the sentence says why, and is empty when nobody tried."""

    def __init__(self, why: str = "", *, picked: User | None = None) -> None:
        super().__init__(why)
        self.picked = picked


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a manager is to approve: the same form, sent once more with the approval."""

    title: str
    text: str
    url: str
    fields: Sequence[tuple[str, str]]
    facts: Sequence[Any]
    back: Action
    section: str = "redeem"


def asks_again(frame: Frame) -> bool:
    """Say whether this person's PIN is asked for once more before a reversal."""
    if frame.proof not in sessions.AT_A_TABLET or not frame.user.pin_hash:
        return False
    policy = _policy(frame)
    return policy is None or policy.asks_again_to_reverse


def own_pin_problem(request: HttpRequest, frame: Frame) -> str:
    """Return what is wrong with the PIN that was typed to reverse; empty when it is right."""
    pin = request.POST.get("pin", "")
    if not pin:
        return _("Type your PIN to reverse.")
    try:
        is_own = pins.is_right(frame.user, pin, device=frame.till, now=frame.now)
    except TooMany as refusal:
        return too_many(refusal, frame.now)
    return "" if is_own else _("This is not your PIN.")


def needs_manager(frame: Frame, redemption: Transaction) -> bool:
    """Say whether this reversal is above what a cashier of this store may give back alone."""
    policy = _policy(frame)
    if policy is None or policy.approval_above_cents is None or frame.user.may_decide:
        return False
    return (redemption.amount_cents or 0) > policy.approval_above_cents


def actor_of(request: HttpRequest, frame: Frame) -> Actor:
    """Return who asks, with the manager who approves it when one does; or raise NotApproved."""
    approver = approver_of(request, frame)
    return frame.actor if approver is None else replace(frame.actor, approver=approver)


def approver_of(request: HttpRequest, frame: Frame) -> User | None:
    """Return the manager whose PIN or badge came with the form; None when none tried."""
    who, badge = request.POST.get("approver", ""), request.POST.get("approver_badge", "")
    pin = request.POST.get("approver_pin", "")
    if not who and not badge:
        if pin:
            raise NotApproved(_("Pick the manager’s name first."))
        return None
    managers = {str(one.pk): one for one in approvers_at(frame.till)}
    try:
        if badge:
            return _by_badge(badge, frame, managers)
        picked = managers.get(who)
        if pins.is_right(picked, pin, device=frame.till, now=frame.now) and picked is not None:
            return picked
    except TooMany as refusal:
        raise NotApproved(too_many(refusal, frame.now), picked=managers.get(who)) from refusal
    said = _("This name and PIN do not go together. Try again.")
    raise NotApproved(said, picked=picked)


def ask(
    request: HttpRequest, frame: Frame, asked: Asked, problem: NotApproved | None = None
) -> HttpResponse:
    """Answer with the screen on which a manager approves."""
    managers = list(approvers_at(frame.till))
    picked = problem.picked if problem is not None else None
    context = {
        "asked": asked,
        "facts": asked.facts,
        "managers": managers,
        "picked": picked or (managers[0] if len(managers) == 1 else None),
        "problem": str(problem) if problem is not None else "",
    }
    return show(request, frame, "cashier/approval.html", context, section=asked.section)


def _by_badge(badge: str, frame: Frame, managers: dict[str, User]) -> User:
    person = badges.person_of(badge, device=frame.till, now=frame.now)
    if person is None or str(person.pk) not in managers:
        raise NotApproved(_("This badge approves nothing here."))
    policy = _policy(frame)
    if policy is not None and policy.badge_is_enough:
        return person
    raise NotApproved(_("Now the PIN."), picked=person)


def _policy(frame: Frame) -> StorePolicy | None:
    return getattr(frame.store, "policy", None)
