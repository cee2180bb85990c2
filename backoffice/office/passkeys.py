"""A person's own passkeys: added while the sign-in is fresh, listed, taken away."""

from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from backoffice.office.access import OfficeRequest, office_page
from backoffice.people import passkeys, sessions

_LARGEST = 2**63 - 1


@sensitive_post_parameters("passkey")
@require_http_methods(["GET", "HEAD", "POST"])
@office_page
def own(request: OfficeRequest) -> HttpResponseBase:
    """List a person's passkeys; posted, add the one that answered."""
    if request.method != "POST":
        return _page(request)
    name = request.POST.get("name", "").strip()
    if not sessions.is_fresh(request.session, now=timezone.now()):
        return _page(request, name=name)
    if not name:
        return _page(request, name_problem=_("Give it a name, so that you know it again."))
    answer, now = request.POST.get("passkey", ""), timezone.now()
    if not answer:
        return _page(request, name=name, problem=_("This browser did not make a passkey."))
    if not passkeys.add(request.session, request.user, name, answer, now=now):
        return _page(request, name=name, problem=_("This passkey was not accepted. Try again."))
    return _back()


@require_POST
@office_page
def remove(request: OfficeRequest) -> HttpResponseBase:
    """Take one of a person's own passkeys away. One that is gone already is no fault."""
    number = request.POST.get("number", "")
    if number.isascii() and number.isdigit() and int(number) <= _LARGEST:
        passkeys.remove(request.user, int(number))
    return _back()


def _page(
    request: OfficeRequest, *, name: str = "", name_problem: str = "", problem: str = ""
) -> HttpResponseBase:
    user, now = request.user, timezone.now()
    may_add, is_fresh = passkeys.may_add(user), sessions.is_fresh(request.session, now=now)
    context = {
        "section": "people",
        "passkeys": [
            {
                "number": one.pk,
                "name": one.data["name"],
                "made_at": one.created_at,
                "used_at": one.last_used_at,
            }
            for one in passkeys.kept_by(user)
        ],
        "origin": passkeys.origin(),
        "may_add": may_add,
        "is_fresh": is_fresh,
        "most": passkeys.MOST,
        "longest_name": passkeys.LONGEST_NAME,
        "options": passkeys.begin_adding(request.session, user, now=now)
        if may_add and is_fresh
        else "",
        "name": name,
        "name_problem": name_problem,
        "problem": problem,
    }
    status = 400 if name_problem or problem else 200
    return render(request, "office/passkeys.html", context, status=status)


def _back() -> HttpResponseBase:
    response = redirect(reverse("office:passkeys"))
    response.status_code = 303
    return response
