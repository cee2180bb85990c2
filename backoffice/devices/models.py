"""Devices. A device belongs to one store and has a number there, sent as deviceId."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.stores.models import Store


class Device(models.Model):
    """One till or tablet of a store."""

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="devices")
    number = models.CharField(
        _("device number"),
        max_length=3,
        validators=[RegexValidator(r"^\d{2,3}$", _("Two or three digits."))],
        help_text=_("Sent to the programme as deviceId."),
    )
    name = models.CharField(_("name"), max_length=60, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("store", "number")
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints = [
            models.UniqueConstraint(fields=["store", "number"], name="device_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.store.number}/{self.number}"
