"""People in the office: who works where, and the PINs and badges they prove themselves with.

Everybody here reads of their stores' people; managers give PINs and badges to their cashiers,
administrators to everybody. A badge is shown once, in the answer to the POST that made it.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from backoffice.barcodes import code128
from backoffice.office.access import OfficeRequest, office_page
from backoffice.people import badges, factors, passkeys, passwords, pins
from backoffice.people.models import User
from backoffice.people.pin_forms import NewPinForm
from backoffice.people.scope import may_manage, visible_people
from backoffice.people.tries import TooMany

_LARGEST = 2**63 - 1


@require_GET
@office_page
def listed(request: OfficeRequest) -> HttpResponseBase:
    """List the people of the reader's stores."""
    people = (
        visible_people(request.user)
        .prefetch_related("stores", "badges")
        .order_by("-is_active", "display_name", "username")
    )
    return render(request, "office/people.html", {"section": "people", "people": people})


@require_GET
@office_page
def person(request: OfficeRequest, number: int) -> HttpResponseBase:
    """One person, and what may be given to them."""
    return _page(request, _found(request, number))


@sensitive_post_parameters("new_pin", "again", "password")
@require_POST
@office_page
def pin(request: OfficeRequest, number: int) -> HttpResponseBase:
    """Give a person a new PIN. One's own takes the password."""
    found = _found(request, number)
    is_own = found.pk == request.user.pk
    if not (is_own or may_manage(request.user, found)):
        raise PermissionDenied
    form = NewPinForm(request.POST, person=found)
    if not form.is_valid():
        return _page(request, found, form=form)
    problem = _own_password_problem(request) if is_own else ""
    if problem:
        return _page(request, found, form=form, problem=problem)
    pins.set_pin(found, form.cleaned_data["new_pin"], by=request.user)
    if is_own:
        pins.keep_session(request, found)
    return _back(found)


@require_POST
@office_page
def no_pin(request: OfficeRequest, number: int) -> HttpResponseBase:
    """Take a person's PIN away."""
    found = _managed(request, number)
    pins.remove_pin(found, by=request.user)
    return _back(found)


@require_POST
@office_page
def badge(request: OfficeRequest, number: int) -> HttpResponseBase:
    """Make a badge and show it to be printed, this once; an older one is worthless then."""
    found = _managed(request, number)
    text = badges.issue(found, by=request.user, now=timezone.now())
    context = {"section": "people", "person": found, "barcode": code128(text)}
    return render(request, "office/badge.html", context)


@require_POST
@office_page
def no_badge(request: OfficeRequest, number: int) -> HttpResponseBase:
    """Make a person's badge worthless."""
    found = _managed(request, number)
    badges.revoke(found, by=request.user, now=timezone.now())
    return _back(found)


@require_POST
@office_page
def no_codes(request: OfficeRequest, number: int) -> HttpResponseBase:
    """Take a lost second factor and all passkeys away: the next sign-in sets up a new one."""
    found = _managed(request, number)
    factors.remove(found, by=request.user)
    return _back(found)


def _page(
    request: OfficeRequest, found: User, *, form: NewPinForm | None = None, problem: str = ""
) -> HttpResponseBase:
    is_own = found.pk == request.user.pk
    context: dict[str, Any] = {
        "section": "people",
        "person": found,
        "stores": found.stores.order_by("number"),
        "badge": found.badges.filter(revoked_at=None).first(),
        "passkeys": passkeys.kept_by(found).count(),
        "has_codes": found.may_open_office and factors.has_one(found),
        "form": form or NewPinForm(person=found),
        "problem": problem,
        "is_own": is_own,
        "may_manage": may_manage(request.user, found),
        "may_set_pin": (is_own and found.may_use_till) or may_manage(request.user, found),
    }
    return render(request, "office/person.html", context)


def _own_password_problem(request: OfficeRequest) -> str:
    name, now = request.user.username, timezone.now()
    try:
        user = passwords.person_of(request, name, request.POST.get("password", ""), now=now)
    except TooMany:
        return _("Too many tries. Wait a few minutes, then try again.")
    return "" if user is not None else _("This is not your password.")


def _found(request: OfficeRequest, number: int) -> User:
    found = visible_people(request.user).filter(pk=number).first() if number <= _LARGEST else None
    if found is None:
        raise Http404
    return found


def _managed(request: OfficeRequest, number: int) -> User:
    found = _found(request, number)
    if not may_manage(request.user, found):
        raise PermissionDenied
    return found


def _back(found: User) -> HttpResponseBase:
    response = redirect(reverse("office:person", args=[found.pk]))
    response.status_code = 303
    return response
