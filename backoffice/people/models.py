"""People. A person has one role and sees some stores; `scope` turns that into queries."""

from collections.abc import Iterator

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from backoffice.people.tables import ApiScope as ApiScope
from backoffice.people.tables import ApiToken as ApiToken
from backoffice.people.tables import Badge as Badge
from backoffice.people.tables import StorePolicy as StorePolicy
from backoffice.people.tables import TryCount as TryCount
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

    # A PIN is no password: it proves a person at an enrolled device only (`pins`).
    pin_hash = models.CharField(max_length=200, blank=True, editable=False)
    pin_changed_at = models.DateTimeField(_("PIN changed"), null=True, editable=False)

    class Meta:
        ordering = ("username",)
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def get_session_auth_hash(self) -> str:
        """What a session must agree with: a new password or PIN ends those begun with the old."""
        return self._stamp(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same under the secret keys that are being retired."""
        return map(self._stamp, super().get_session_auth_fallback_hash())

    def _stamp(self, of_password: str) -> str:
        return salted_hmac("people.session", of_password + self.pin_hash).hexdigest()

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
    def has_badge(self) -> bool:
        """Whether a badge opens anything for this person."""
        return any(badge.revoked_at is None for badge in self.badges.all())

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
