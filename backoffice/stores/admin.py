"""Sponsors and stores in Django's admin."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from backoffice.audit.registration import AuditedAdmin
from backoffice.stores.models import Sponsor, Store


@admin.register(Sponsor)
class SponsorAdmin(AuditedAdmin):
    """A partner, and the programme's words as it says them."""

    list_display = ("code", "name", "vendor_id", "acquirer_id", "programme_zone", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code", "name")
    fieldsets = (
        (None, {"fields": ("code", "name", "is_active")}),
        (
            _("Given by the programme"),
            {"fields": ("vendor_id", "acquirer_id", "programme_zone", "calculation")},
        ),
        (
            _("What the office and the tills do"),
            {"fields": ("event_limit_miles", "office_device", "records_empty_sales")},
        ),
        (
            _("Words in English"),
            {
                "fields": (
                    "programme_en",
                    "miles_en",
                    "cash_en",
                    "dream_en",
                    "advice_en",
                    "escalation_en",
                )
            },
        ),
        (
            _("Words in French"),
            {
                "fields": (
                    "programme_fr",
                    "miles_fr",
                    "cash_fr",
                    "dream_fr",
                    "advice_fr",
                    "escalation_fr",
                )
            },
        ),
    )


@admin.register(Store)
class StoreAdmin(AuditedAdmin):
    """A shop, its wall clock and the language of its paper."""

    list_display = ("number", "name", "city", "zone", "language", "sponsor", "is_active")
    list_display_links = ("number", "name")
    list_filter = ("is_active", "sponsor", "language")
    list_select_related = ("sponsor",)
    search_fields = ("number", "name", "name_fr", "city")
