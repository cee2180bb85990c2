"""People. A person has one role and sees some stores; `scope` turns that into queries."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.stores.models import Language, Store


class Role(models.TextChoices):
    """What a person comes for (PRODUCT 1)."""

    CASHIER = "cashier", _("Cashier")
    MANAGER = "manager", _("Manager")
    ADMINISTRATOR = "administrator", _("Administrator")
    AUDITOR = "auditor", _("Auditor")


class User(AbstractUser):
    """A member of the retailer's staff."""

    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.CASHIER)
    display_name = models.CharField(_("name on screens and receipts"), max_length=40, blank=True)
    language = models.CharField(
        _("language"), max_length=2, choices=Language.choices, default=Language.ENGLISH
    )
    stores = models.ManyToManyField(
        Store, verbose_name=_("stores"), blank=True, related_name="staff"
    )

    class Meta:
        ordering = ("username",)
        verbose_name = _("person")
        verbose_name_plural = _("people")

    @property
    def shown_name(self) -> str:
        """The name that colleagues and receipts see."""
        return self.display_name or self.username

    @property
    def initials(self) -> str:
        """One or two letters for a badge."""
        words = self.shown_name.split()
        letters = [word[0] for word in words[:2]] if len(words) > 1 else list(self.shown_name[:2])
        return "".join(letters).upper()

    @property
    def may_see_every_store(self) -> bool:
        """Administrators and auditors are not bound to stores."""
        return self.role in {Role.ADMINISTRATOR, Role.AUDITOR}

    @property
    def may_open_office(self) -> bool:
        """Cashiers have the console only."""
        return self.role != Role.CASHIER

    @property
    def may_decide(self) -> bool:
        """Managers and administrators decide where no rule can; an auditor reads only."""
        return self.role in {Role.MANAGER, Role.ADMINISTRATOR}

    @property
    def may_use_till(self) -> bool:
        """An auditor reads and never moves value."""
        return self.role != Role.AUDITOR
