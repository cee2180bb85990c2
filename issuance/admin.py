"""Offers and exclusions in Django's admin."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Field, ManyToManyField, TextField
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from backoffice.audit.registration import AuditedAdmin
from issuance.models import EventReason, Exclusion, Offer

# Django's form classes are generic for type checkers only.
if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class DollarsField(forms.DecimalField):
    """An amount as people write it, in dollars, kept in whole cents."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_digits=8, decimal_places=2, min_value=Decimal("0.01"), required=False, **kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        """Return cents as dollars; what somebody typed as it is."""
        return f"{value // 100}.{value % 100:02d}" if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        """Return whole cents, or None."""
        dollars = super().clean(value)
        return None if dollars is None else int(dollars * 100)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare cents with cents."""
        try:
            return bool(self.clean(data) != initial)
        except forms.ValidationError:
            return True


class KeptForm(_ModelForm):
    """Stores must belong to the sponsor; the database cannot say that of a list."""

    def clean(self) -> dict[str, Any] | None:
        """Refuse a store of another sponsor."""
        found = super().clean() or self.cleaned_data
        sponsor, stores = found.get("sponsor"), found.get("stores") or ()
        strange = [store for store in stores if sponsor and store.sponsor_id != sponsor.pk]
        if strange:
            self.add_error(
                "stores",
                forms.ValidationError(
                    _("%(store)s is a store of another sponsor."), params={"store": strange[0]}
                ),
            )
        return found


class KeptAdmin(AuditedAdmin):
    """What offers and exclusions have in common."""

    form = KeptForm
    # A list of boxes works from the keyboard, without script, and shows what is chosen.
    formfield_overrides = {
        ManyToManyField: {"widget": CheckboxSelectMultiple},
        TextField: {"widget": forms.Textarea(attrs={"rows": 2, "cols": 60})},
    }


@admin.register(Offer)
class OfferAdmin(KeptAdmin):
    """What earns miles when we calculate."""

    list_display = (
        "offer_id",
        "description_en",
        "kind",
        "code",
        "starts_on",
        "ends_on",
        "sponsor",
        "is_active",
    )
    list_display_links = ("offer_id", "description_en")
    list_filter = ("is_active", "kind", "sponsor")
    list_select_related = ("sponsor",)
    search_fields = ("offer_id", "code", "description_en", "description_fr", "coupon")
    fieldsets = (
        (None, {"fields": ("sponsor", "offer_id", "code", "kind", "is_active")}),
        (_("What the collector reads"), {"fields": ("description_en", "description_fr")}),
        (_("Where and when"), {"fields": ("stores", "starts_on", "ends_on", "location_code")}),
        (
            _("What it gives"),
            {"fields": ("miles", "per_cents", "per_quantity", "at_most", "factor_percent")},
        ),
        (
            _("What counts"),
            {
                "fields": ("items", "departments", "categories"),
                "description": _("Nothing named means the whole basket."),
            },
        ),
        (
            _("What it leaves out"),
            {"fields": ("left_out_items", "left_out_departments", "left_out_categories")},
        ),
        (_("Conditions"), {"fields": ("coupon", "tender", "group")}),
    )

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Ask for an amount in dollars."""
        if db_field.name == "per_cents":
            return DollarsField(
                label=capfirst(db_field.verbose_name),
                help_text=_("In dollars, before tax: 20.00."),
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Exclusion)
class ExclusionAdmin(KeptAdmin):
    """What earns nothing by any offer."""

    list_display = ("name", "starts_on", "ends_on", "sponsor", "is_active")
    list_filter = ("is_active", "sponsor")
    list_select_related = ("sponsor",)
    search_fields = ("name", "name_fr")
    fieldsets = (
        (None, {"fields": ("sponsor", "name", "name_fr", "is_active")}),
        (_("What it excludes"), {"fields": ("items", "departments", "categories")}),
        (_("Where and when"), {"fields": ("stores", "starts_on", "ends_on")}),
    )


@admin.register(EventReason)
class EventReasonAdmin(AuditedAdmin):
    """Why miles may be given or taken back without a sale."""

    list_display = (
        "code",
        "name_en",
        "may_give",
        "may_take_back",
        "needs_note",
        "offer_code",
        "sponsor",
        "is_active",
    )
    list_filter = ("is_active", "sponsor")
    list_select_related = ("sponsor",)
    search_fields = ("code", "name_en", "name_fr", "offer_code")
