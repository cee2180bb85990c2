"""Django's admin as part of the office: for administrators, behind the one sign-in there is."""

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from backoffice.audit.registration import AuditedAdmin
from backoffice.people import sessions
from backoffice.people.models import Role, User


class OfficeAdminSite(AdminSite):
    """Stores, devices and people. The role decides who enters, not Django's staff flag."""

    site_title = _("Milepost")
    site_header = _("Stores, devices and people")
    index_title = _("Administration")
    # The theme follows the system; the stock switch would keep a second, separate choice.
    enable_nav_sidebar = False

    def register(
        self,
        model_or_iterable: Any,
        admin_class: "type[ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Hold only what leaves an audit entry for each change.

        Libraries register what they keep for themselves, the secrets of second factors too.
        """
        if admin_class is not None and issubclass(admin_class, AuditedAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Let active administrators in who have proved themselves for the office."""
        return _is_administrator(request) and sessions.opens_office(request.session)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send a stranger to the one sign-in; say no to everybody else."""
        if request.user.is_authenticated and not _is_administrator(request):
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or "/admin/")


def _is_administrator(request: HttpRequest) -> bool:
    user = request.user
    return isinstance(user, User) and user.is_active and user.role == Role.ADMINISTRATOR
