"""The admin's base for our models: administrators only, every change in the audit log, no delete.

Things with a history are switched off, never removed.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest

from backoffice.audit import trail

# Django's admin classes are generic for type checkers only.
if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin

_NEVER_TOLD = ("password", "pin", "token", "secret")
# The whole entry is read on one screen; a long text is told by its beginning.
_LONGEST_VALUE = 120


class AuditedAdmin(_ModelAdmin):
    """A model admin that leaves an audit entry for each addition and change.

    Whoever may enter the site may change what it holds: the site decides who that is.
    """

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Say whether the application is listed."""
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        """Say whether rows may be read."""
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say whether rows may be added."""
        return self.admin_site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        """Say whether rows may be changed."""
        return self.admin_site.has_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        """Refuse: a row that is no longer wanted is made inactive."""
        return False

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        """Add old and new values, which Django's own history leaves out."""
        message: list[dict[str, Any]] = super().construct_change_message(
            request, form, formsets, add
        )
        return [*message, {"values": _values(form)}]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Record the addition, in the change's own commit."""
        self._record(request, obj, "added", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Record the change, in its own commit."""
        self._record(request, obj, "changed", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Record each removal, should a subclass ever allow one."""
        for obj in queryset:
            self._record(request, obj, "deleted", [])
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, obj: Model, verb: str, message: Any) -> None:
        kind = obj._meta.model_name or ""
        details: dict[str, str | int | bool | None] = {"name": str(obj)[:_LONGEST_VALUE]}
        for part in message if isinstance(message, list) else []:
            details |= part.get("values", {})
        trail.record(
            f"{kind}.{verb}",
            subject=f"{kind}:{obj.pk}",
            actor=request.user.get_username(),
            channel="admin",
            details=details,
        )


def _values(form: BaseForm) -> dict[str, str]:
    """Return each changed field as ``old → new``; of secrets, only that they changed."""
    told: dict[str, str] = {}
    for name in form.changed_data:
        if any(word in name for word in _NEVER_TOLD):
            told[name] = "changed"
            continue
        old = _text(form.get_initial_for_field(form.fields[name], name))
        told[name] = f"{old} → {_text(form.cleaned_data.get(name))}"
    return told


def _text(value: object) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(sorted(str(part) for part in value))[:_LONGEST_VALUE]
    return str(value if value is not None else "")[:_LONGEST_VALUE]
