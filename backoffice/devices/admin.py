"""Tills and tablets in Django's admin."""

from django.contrib import admin

from backoffice.audit.registration import AuditedAdmin
from backoffice.devices.models import Device


@admin.register(Device)
class DeviceAdmin(AuditedAdmin):
    """One till or tablet of a store."""

    list_display = ("number", "name", "store", "is_active")
    list_display_links = ("number", "name")
    list_filter = ("is_active", "store")
    list_select_related = ("store",)
    search_fields = ("number", "name", "store__number", "store__name")
