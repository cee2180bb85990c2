"""Signing in with a password, seeing which till this is, choosing a language."""

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_not_required, login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from backoffice.devices.enrolment import pair_itself, pairs_itself, tablet_for
from backoffice.people import factors, passwords, sessions
from backoffice.people.scope import usable_tills
from backoffice.people.sessions import Proof
from backoffice.people.tries import TooMany
from cashier.frames import SeeOther, home_of, picked_till, show
from cashier.languages import remember_language
from cashier.waits import too_many

# What a PIN does not open, so whoever comes from there is asked for a password.
_OFFICE = ("/office/", "/admin/")


@sensitive_post_parameters("password")
@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign a person in with a password, in that person's language.

    At an enrolled tablet people have name tiles and PINs instead; who asks for this form gets it.
    """
    now = timezone.now()
    if request.method == "POST":
        return _check(request, now)
    where = _next(request, request.GET)
    is_wanted = "name" in request.GET or where.startswith(_OFFICE)
    if request.user.is_authenticated and sessions.opens_office(request.session):
        return SeeOther(where or reverse("cashier:home"))
    if request.user.is_authenticated and not is_wanted:
        return SeeOther(reverse("cashier:home"))
    if tablet_for(request) is not None and not is_wanted:
        return SeeOther(reverse("cashier:unlock"))
    return _form(request)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def till(request: HttpRequest) -> HttpResponse:
    """Say which till this tablet is, or that it is none yet. At a desk, pick one of the demo's."""
    tills = [one for one in usable_tills(request.user) if pairs_itself(request, one)]
    if request.method == "POST":
        picked = request.POST.get("till", "")
        # Compared as text: a number that the database cannot hold names no till either.
        found = next((one for one in tills if str(one.pk) == picked), None)
        if found is not None:
            response = SeeOther(reverse("cashier:home"))
            pair_itself(request, response, found, now=timezone.now())
            return response
    context = {"tills": tills, "current": picked_till(request), "tablet": tablet_for(request)}
    return show(request, None, "cashier/till.html", context)


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch the language of this browser's screens and receipts."""
    response = SeeOther(_next(request, request.POST) or reverse("cashier:home"))
    remember_language(response, request.POST.get("language", ""))
    return response


def _check(request: HttpRequest, now: datetime) -> HttpResponse:
    name, password = request.POST.get("username", ""), request.POST.get("password", "")
    try:
        user = passwords.person_of(request, name, password, now=now)
    except TooMany as refusal:
        return _form(request, name=name, problem=too_many(refusal, now))
    if user is None:
        problem = _("This name and password do not go together. Try again.")
        return _form(request, name=name, problem=problem)
    where = _next(request, request.POST)
    if factors.is_needed(user):
        sessions.begin_half(request, user, now=now, where=where)
        response = SeeOther(reverse("office:second-step"))
    else:
        sessions.begin(request, user, Proof.PASSWORD, now=now)
        response = SeeOther(where or home_of(user))
    remember_language(response, user.language)
    return response


def _form(request: HttpRequest, **context: Any) -> HttpResponse:
    context["next"] = request.POST.get("next") or request.GET.get("next", "")
    return show(request, None, "registration/sign_in.html", context)


def _next(request: HttpRequest, given: Any) -> str:
    url = str(given.get("next", ""))
    safe = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if safe else ""
