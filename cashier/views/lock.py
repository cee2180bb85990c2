"""The locked tablet: who is it, and the PIN that proves it. It shows no sale and no member."""

from datetime import datetime
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from backoffice.devices.enrolment import tablet_for
from backoffice.devices.models import Device
from backoffice.people import badges, pins, sessions
from backoffice.people.models import User
from backoffice.people.pin_forms import OwnPinForm
from backoffice.people.scope import may_use, people_at
from backoffice.people.sessions import Proof
from backoffice.people.tries import TooMany
from cashier import keeping
from cashier.frames import Frame, SeeOther, at_till, home_of, show
from cashier.languages import remember_language
from cashier.waits import too_many

# More than any database gives a row.
_MOST_DIGITS = 18


@login_not_required
@require_POST
def lock(request: HttpRequest) -> HttpResponse:
    """Leave the till to nobody. A sale that is open on the screen is kept for its owner."""
    device = tablet_for(request)
    kept = keeping.KeptSale.of(request, device) if device is not None else None
    logout(request)
    if kept is not None:
        keeping.put_aside(request.session, kept)
    return SeeOther(reverse("cashier:sign_in" if device is None else "cashier:unlock"))


@sensitive_post_parameters("pin", "badge")
@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def unlock(request: HttpRequest) -> HttpResponse:
    """Name tiles, then a PIN pad; a badge picks the person at once."""
    device = tablet_for(request)
    if device is None:
        return SeeOther(reverse("cashier:sign_in"))
    if request.user.is_authenticated and request.method == "GET":
        return SeeOther(reverse("cashier:home"))
    now = timezone.now()
    if request.POST.get("badge"):
        return _badge(request, device, now)
    if request.method == "POST":
        return _pin(request, device, now)
    who = _offered(device, request.GET.get("who", ""))
    return _ask(request, device, who) if who is not None else _tiles(request, device)


@require_POST
@at_till
def stay(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Somebody is here: the tablet does not lock yet."""
    return HttpResponse(status=204)


@sensitive_post_parameters("old_pin", "new_pin", "again")
@require_http_methods(["GET", "POST"])
@at_till
def own_pin(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Change one's own PIN, with the old one."""
    form = OwnPinForm(request.POST if request.method == "POST" else None, person=frame.user)
    problem = ""
    if form.is_valid():
        try:
            is_own = pins.is_right(
                frame.user, form.cleaned_data["old_pin"], device=frame.till, now=frame.now
            )
        except TooMany as refusal:
            problem = too_many(refusal, frame.now)
        else:
            if is_own:
                new_pin = form.cleaned_data["new_pin"]
                pins.set_pin(frame.user, new_pin, by=frame.user, device=frame.till)
                pins.keep_session(request, frame.user)
                return show(request, frame, "cashier/own_pin.html", {"is_done": True}, section="")
            problem = _("This is not your PIN.")
    return show(
        request, frame, "cashier/own_pin.html", {"form": form, "problem": problem}, section=""
    )


@require_GET
@at_till
def kept(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Lead back to the step at which the tablet was locked."""
    sale = keeping.taken_from(request.session)
    if sale is None:
        return SeeOther(reverse("cashier:home"))
    context = {"kept": sale, "is_own": sale.owner == frame.user.pk}
    return show(request, frame, "cashier/kept.html", context)


def _badge(request: HttpRequest, device: Device, now: datetime) -> HttpResponse:
    scanned = request.POST.get("badge", "")
    try:
        person = badges.person_of(scanned, device=device, now=now)
    except TooMany as refusal:
        return _tiles(request, device, too_many(refusal, now))
    if person is None or not may_use(person, device):
        return _tiles(request, device, _("This badge opens nothing here. Pick your name."))
    policy = getattr(device.store, "policy", None)
    if policy is not None and policy.badge_is_enough:
        return _enter(request, person, device, Proof.BADGE, now)
    return _ask(request, device, person)


def _pin(request: HttpRequest, device: Device, now: datetime) -> HttpResponse:
    picked = _person(device, request.POST.get("who", ""))
    try:
        is_right = pins.is_right(picked, request.POST.get("pin", ""), device=device, now=now)
    except TooMany as refusal:
        return _ask(request, device, picked, too_many(refusal, now))
    if picked is None or not is_right:
        return _ask(request, device, picked, _("This name and PIN do not go together. Try again."))
    return _enter(request, picked, device, Proof.PIN, now)


def _enter(
    request: HttpRequest, person: User, device: Device, proof: Proof, now: datetime
) -> HttpResponse:
    sale = keeping.put_aside_in(request.session)
    if sale is not None and not sale.may_be_taken_by(person, device):
        sale = None
    key = sale.sale_key if sale is not None else ""
    sessions.begin(request, person, proof, now=now, device=device, sale_key=key)
    keeping.hand_over(request.session, sale)
    response = SeeOther(home_of(person) if sale is None else reverse("cashier:kept"))
    remember_language(response, person.language)
    return response


def _tiles(request: HttpRequest, device: Device, problem: str = "") -> HttpResponse:
    context = {**_around(request, device), "people": people_at(device), "problem": problem}
    return show(request, None, "cashier/lock.html", context)


def _ask(
    request: HttpRequest, device: Device, person: User | None, problem: str = ""
) -> HttpResponse:
    context = {
        **_around(request, device),
        "person": person,
        "who": person.pk if person is not None else request.POST.get("who", ""),
        "problem": problem,
    }
    return show(request, None, "cashier/pin.html", context)


def _around(request: HttpRequest, device: Device) -> dict[str, Any]:
    return {"device": device, "kept": keeping.put_aside_in(request.session)}


def _offered(device: Device, who: str) -> User | None:
    return next((one for one in people_at(device) if str(one.pk) == who), None)


def _person(device: Device, who: str) -> User | None:
    """Return whoever was picked by a tile or a badge and may work here."""
    is_number = who.isascii() and who.isdigit() and len(who) <= _MOST_DIGITS
    found = User.objects.filter(pk=who).first() if is_number else None
    return found if found is not None and may_use(found, device) else None
