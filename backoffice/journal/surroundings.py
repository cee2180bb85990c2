"""Rows kept beside the log without being part of it: how the programme is, how far the log came."""

from django.db import models

from backoffice.devices.models import Device
from backoffice.journal.choices import Product


class ProgrammeState(models.Model):
    """How the programme answers just now: one row for each product, written by `programme` alone.

    What ECHO says stands in the row of AM Cash, whose message it is.
    """

    product = models.CharField(
        max_length=10, choices=Product.choices, default=Product.CASH, unique=True
    )
    is_up = models.BooleanField(default=True)
    answer_ms = models.PositiveIntegerField(null=True)
    heard_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    response_code = models.CharField(max_length=8, blank=True)
    # How far our clock was ahead of the programme's at its last dated answer.
    skew_ms = models.IntegerField(null=True)

    # The breaker (`breaker`): open since when and why, when to probe next, and the blind indexes
    # of the collectors with the last unknowns, never their numbers.
    breaker_opened_at = models.DateTimeField(null=True)
    breaker_why = models.CharField(max_length=16, blank=True)
    probe_at = models.DateTimeField(null=True)
    suspects = models.JSONField(default=list)

    def __str__(self) -> str:
        return "up" if self.is_up else "down"


class LogState(models.Model):
    """How the log itself stands: one row, written by `quarantine` and `watch` alone.

    `lives` names this database and every life it was given after a quarantine, newest last; a mark
    outside of it that knows another one belongs to what this database does not know.
    """

    lives = models.JSONField(default=list)
    quarantined_at = models.DateTimeField(null=True)
    quarantine_why = models.CharField(max_length=200, blank=True)
    swept_at = models.DateTimeField(null=True)
    swept_by = models.CharField(max_length=80, blank=True)

    def __str__(self) -> str:
        return "the log's state"


class RetentionState(models.Model):
    """How far the nightly purge came: one row, written by `purging` alone.

    `taken_until` keeps two processes from doing one night's work twice; it is no right to anything.
    """

    due_at = models.DateTimeField(null=True)
    taken_by = models.CharField(max_length=80, blank=True)
    taken_until = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)
    emptied = models.PositiveIntegerField(default=0)
    forgotten = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return "the purge's state"


class VoidedTrace(models.Model):
    """A till's void of a redemption that the log did not have; written by `entries.voids` alone.

    A redemption that comes later from this device under this trace number is not sent. The next
    such void of the device removes what is past its `until`.
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="+", db_index=False)
    trace_id = models.CharField(max_length=12)
    voided_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device", "trace_id"], name="voided_trace_once")
        ]

    def __str__(self) -> str:
        return f"{self.device_id}/{self.trace_id}"
