"""The audit log's rows. Nothing changes or removes one: neither this code nor plain SQL."""

from typing import NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _


class AppendOnly(models.QuerySet["AuditEntry"]):
    """A queryset that can add and read, and nothing else."""

    def update(self, **kwargs: object) -> NoReturn:
        raise TypeError("Audit entries are never changed.")

    def delete(self) -> NoReturn:
        raise TypeError("Audit entries are never deleted.")


class AuditEntry(models.Model):
    """One thing that happened. `event` is dotted and past tense: `redemption.approved`.

    `subject` names what it happened to, as `kind:id`; `details` holds no card number and no
    balance. The actor is kept as text so that the record outlives the account.
    """

    at = models.DateTimeField(_("time"), auto_now_add=True)
    event = models.CharField(_("event"), max_length=60)
    actor = models.CharField(_("actor"), max_length=150)
    channel = models.CharField(_("channel"), max_length=10)
    store = models.CharField(_("store"), max_length=9, blank=True)
    device = models.CharField(_("till"), max_length=3, blank=True)
    subject = models.CharField(_("subject"), max_length=60)
    details = models.JSONField(_("details"), default=dict)

    objects = AppendOnly.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["subject", "id"], name="audit_subject"),
            models.Index(fields=["at"], name="audit_at"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject}"

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("Audit entries are never deleted.")
