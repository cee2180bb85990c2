"""What people said of a transaction that waited for them. `entries` alone adds to it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.journal.choices import NeedsPerson, State, Step


class Decision(models.Model):
    """What one person said about a transaction that waits for people. Added, never changed."""

    transaction = models.ForeignKey(
        "journal.Transaction", on_delete=models.PROTECT, related_name="decisions"
    )
    step = models.CharField(_("step"), max_length=12, choices=Step.choices)
    outcome = models.CharField(_("outcome"), max_length=16, choices=State.choices, blank=True)
    needs_person = models.CharField(_("task"), max_length=24, choices=NeedsPerson.choices)
    note = models.CharField(_("note"), max_length=500)
    help_desk_ref = models.CharField(_("help desk’s reference"), max_length=60, blank=True)
    confirmation_number = models.CharField(_("confirmation"), max_length=40, blank=True)
    amount_cents = models.BigIntegerField(_("amount"), null=True)
    miles = models.BigIntegerField(_("miles"), null=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(_("time"))
    # How many sends had been answered when this was said: whoever confirms it must know no more.
    answers_seen = models.PositiveIntegerField(default=0)
    # The proposal that a second person confirms or does not.
    answers = models.OneToOneField("self", on_delete=models.PROTECT, related_name="+", null=True)

    class Meta:
        ordering = ("id",)
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")

    def __str__(self) -> str:
        return f"{self.step} {self.outcome or self.needs_person}"
