"""Rows that say who has seen or asked for what leads back to a collector, and why.

Added by `entries` alone, kept by triggers; a collector's index goes out of them when it must.
"""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class DisclosureKind(models.TextChoices):
    """What was done with a collector's number or records."""

    REVEAL = "reveal", _("Number shown")
    SEARCH = "search", _("Searched by number")
    ACCESS = "access", _("Records handed out")
    ERASURE = "erasure", _("Records erased")


class Disclosure(models.Model):
    """One time that somebody saw a collector's number or dealt with what is held about one."""

    kind = models.CharField(_("what"), max_length=8, choices=DisclosureKind.choices)
    # Of a reveal: whose request it was read from.
    transaction = models.ForeignKey(
        "journal.Transaction", on_delete=models.PROTECT, related_name="disclosures", null=True
    )
    collector_mac = models.CharField(max_length=64, blank=True)
    collector_last4 = models.CharField(_("card"), max_length=4, blank=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    # How many transactions it found, handed out or erased.
    count = models.PositiveIntegerField(_("transactions"))
    at = models.DateTimeField(_("time"))

    class Meta:
        ordering = ("-id",)
        verbose_name = _("disclosure")
        verbose_name_plural = _("disclosures")
        indexes = [
            models.Index(fields=["kind", "-id"], name="disclosure_kind"),
            models.Index(fields=["collector_mac", "id"], name="disclosure_collector"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.collector_last4}"
