"""Staff in Django's admin. The role decides what a person may do; Django's own flags are unused."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import ManyToManyField
from django.forms import CheckboxSelectMultiple
from django.utils.translation import gettext_lazy as _

from backoffice.audit.registration import AuditedAdmin
from backoffice.people.models import StorePolicy, User

# Django's admin classes are generic for type checkers only.
if TYPE_CHECKING:
    _UserAdmin = UserAdmin[User]
else:
    _UserAdmin = UserAdmin


@admin.register(User)
class PersonAdmin(AuditedAdmin, _UserAdmin):
    """A member of the staff: name, role, stores and password."""

    list_display = ("username", "display_name", "role", "language", "is_active", "last_login")
    list_filter = ("role", "is_active", "language", "stores")
    search_fields = ("username", "display_name")
    filter_horizontal = ()
    # A list of boxes works from the keyboard, without script, and shows what is chosen.
    formfield_overrides = {ManyToManyField: {"widget": CheckboxSelectMultiple}}
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("display_name", "language")}),
        (_("Work"), {"fields": ("role", "stores", "is_active")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "username",
                    "display_name",
                    "role",
                    "language",
                    "stores",
                    "usable_password",
                    "password1",
                    "password2",
                ),
            },
        ),
    )


@admin.register(StorePolicy)
class StorePolicyAdmin(AuditedAdmin):
    """How strict a store is with its own people."""

    list_display = ("store", "badge_is_enough", "asks_again_to_reverse", "approval_above_cents")
    list_select_related = ("store",)
