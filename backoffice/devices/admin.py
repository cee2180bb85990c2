"""Tills and tablets in Django's admin. They are enrolled and revoked in the office."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from backoffice.audit.registration import AuditedAdmin
from backoffice.devices import tokens
from backoffice.devices.models import Device


@admin.register(Device)
class DeviceAdmin(AuditedAdmin):
    """One till or tablet of a store."""

    list_display = ("number", "name", "store", "profile", "is_active", "last_seen_at")
    list_display_links = ("number", "name")
    list_filter = ("is_active", "profile", "store")
    list_select_related = ("store",)
    search_fields = ("number", "name", "store__number", "store__name")
    readonly_fields = ("last_seen_at", "version", "revoked_at")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save it. Of another store or profile, it must be enrolled anew."""
        super().save_model(request, obj, form, change)
        if change and {"store", "profile"}.intersection(form.changed_data):
            tokens.end_all(obj, now=timezone.now())
