"""Before the first customer: sign in, see which till this is, choose the language, lock."""

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required, login_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from backoffice.devices.enrolment import pair_itself, pairs_itself, tablet_for
from backoffice.people.models import User
from backoffice.people.scope import usable_tills
from cashier.frames import SeeOther, picked_till, show

_LANGUAGES = frozenset(code for code, _name in settings.LANGUAGES)
_YEAR_S = 365 * 24 * 60 * 60


@sensitive_post_parameters("password")
@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign a person in, in that person's language."""
    if request.method == "GET" and request.user.is_authenticated:
        return SeeOther(reverse("cashier:home"))
    form = AuthenticationForm(request, data=request.POST or None)
    form.error_messages["invalid_login"] = _("This name and PIN do not go together. Try again.")
    if request.method == "POST" and form.is_valid():
        user = form.get_user()
        assert isinstance(user, User)
        login(request, user)
        response = SeeOther(_next(request) or _first_page(user))
        _remember_language(response, user.language)
        return response
    context = {"form": form, "next": request.POST.get("next") or request.GET.get("next", "")}
    return show(request, None, "registration/sign_in.html", context)


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
    chosen = request.POST.get("language", "")
    response = SeeOther(_next(request) or reverse("cashier:home"))
    if chosen in _LANGUAGES:
        _remember_language(response, chosen)
    return response


@login_not_required
@require_POST
def lock(request: HttpRequest) -> HttpResponse:
    """Leave the till to nobody: the screen shows no sale and no member."""
    logout(request)
    return redirect("cashier:sign_in")


def _first_page(user: User) -> str:
    return reverse("cashier:home") if user.may_use_till else "/office/"


def _next(request: HttpRequest) -> str:
    url = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if safe else ""


def _remember_language(response: HttpResponse, chosen: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=_YEAR_S,
        samesite="Strict",
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
    )
