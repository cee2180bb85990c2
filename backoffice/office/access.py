"""Who may open the back office."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django_htmx.middleware import HtmxDetails

from backoffice.people import sessions
from backoffice.people.models import User

P = ParamSpec("P")


class OfficeRequest(HttpRequest):
    """A request of somebody who may open the office."""

    user: User
    htmx: HtmxDetails


View = Callable[Concatenate[OfficeRequest, P], HttpResponseBase]


def office_page(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let a manager, an administrator or an auditor in; send a stranger to sign in.

    What the office shows is never kept by a browser or a proxy.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not (isinstance(request.user, User) and request.user.may_open_office):
            raise PermissionDenied
        if not sessions.opens_office(request.session):
            # A PIN proves a cashier at a tablet; for the office the same person proves more.
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return never_cache(login_required(guarded))
