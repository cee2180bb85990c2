"""The second step of signing in to the office: a one-time code, set up the first time, or
a passkey.

Nobody is signed in here yet: the session only remembers whose password was right, for a while.
"""

from datetime import datetime
from typing import Any

import segno
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from backoffice.people import factors, passkeys, sessions
from backoffice.people.models import User
from backoffice.people.sessions import Proof
from backoffice.people.tries import TooMany
from backoffice.vault import VaultError


@sensitive_post_parameters("code", "secret", "passkey")
@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def second_step(request: HttpRequest) -> HttpResponseBase:
    """Ask for a code or passkey of a person whose password was right, or have codes set up."""
    now = timezone.now()
    user = sessions.half_signed_in(request.session, now=now)
    if user is None:
        return redirect("cashier:sign_in")
    if factors.has_one(user):
        return _check(request, user, now)
    return _set_up(request, user, now)


def _check(request: HttpRequest, user: User, now: datetime) -> HttpResponseBase:
    problem = ""
    if request.method == "POST":
        answer = request.POST.get("passkey", "")
        try:
            if answer:
                is_right = passkeys.is_right(request.session, user, answer, now=now)
                problem = _("This passkey was not accepted. Try again, or type a code.")
            else:
                is_right = factors.is_right(user, request.POST.get("code", ""), now=now)
                problem = _("This code is not right, or it was used. Wait for the next one.")
            if is_right:
                return _enter(request, user, now)
        except TooMany:
            problem = _("Too many tries. Wait a few minutes, then try again.")
    context = {
        "person": user,
        "problem": problem,
        "options": passkeys.begin_check(request.session, user, now=now),
        "origin": passkeys.origin(),
    }
    return render(request, "office/second_step.html", context)


def _set_up(request: HttpRequest, user: User, now: datetime) -> HttpResponseBase:
    problem = ""
    try:
        sealed = request.POST.get("secret", "")
        secret = factors.sealed_secret(user, sealed, now=now)
    except VaultError:
        secret, sealed = factors.new_secret(user, now=now)
    else:
        try:
            codes = factors.set_up(user, secret, request.POST.get("code", ""), now=now)
        except TooMany:
            codes, problem = None, _("Too many tries. Wait a few minutes, then try again.")
        if codes is not None:
            where = sessions.half_way_to(request.session)
            sessions.begin(request, user, Proof.SECOND_FACTOR, now=now)
            context = {
                "person": user,
                "codes": codes,
                "next": where or reverse("office:home"),
                "origin": passkeys.origin(),
            }
            return render(request, "office/recovery_codes.html", context)
        problem = problem or _("This code does not fit. Wait for the next one, then type it.")
    context = {
        "person": user,
        "secret": sealed,
        "typed_secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "picture": _picture(factors.address_of(user, secret)),
        "problem": problem,
    }
    return render(request, "office/second_step_set_up.html", context)


def _enter(request: HttpRequest, user: User, now: datetime) -> HttpResponseBase:
    where = sessions.half_way_to(request.session)
    sessions.begin(request, user, Proof.SECOND_FACTOR, now=now)
    response = redirect(where or reverse("office:home"))
    response.status_code = 303
    return response


def _picture(address: str) -> Any:
    # Drawn by the library from our own text; nothing of it is anybody else's.
    drawn = segno.make(address, error="m").svg_inline(
        scale=4, border=4, light="#fff", omitsize=True
    )
    return mark_safe(drawn)  # noqa: S308
