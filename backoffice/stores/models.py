"""Sponsors and stores. Settings that vary by programme or place live here, never in code."""

import zoneinfo
from typing import Literal

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

Word = Literal["cash", "dream", "miles", "advice", "escalation", "programme"]


class Language(models.TextChoices):
    """The two languages of every screen and receipt."""

    ENGLISH = "en", _("English")
    FRENCH = "fr", _("French")


class Calculation(models.TextChoices):
    """Who works out the miles of a sale (PRODUCT 4)."""

    AMRP = "amrp", _("Calculated by the programme")
    PARTNER = "partner", _("Calculated by our own offers")


def validate_zone(value: str) -> None:
    """Refuse a time zone that the pinned rules do not know."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError(_("%(zone)s is not a known time zone."), params={"zone": value})


class Sponsor(models.Model):
    """A partner as the programme knows it, and the programme's words as this partner says them.

    The code, vendor and acquirer numbers are given by AIR MILES (PLATFORM 2.1).
    """

    code = models.CharField(
        _("sponsor code"),
        max_length=4,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9]{4}$", _("Four letters or digits."))],
    )
    name = models.CharField(_("name"), max_length=80)
    vendor_id = models.CharField(
        _("vendor number"),
        max_length=35,
        validators=[RegexValidator(r"^\d+$", _("Digits only."))],
    )
    acquirer_id = models.CharField(
        _("acquirer number"),
        max_length=11,
        validators=[RegexValidator(r"^\d+$", _("Digits only."))],
    )
    # Whose 3 AM it is: the programme's (PRODUCT 4).
    programme_zone = models.CharField(
        _("programme's time zone"),
        max_length=64,
        default="America/Toronto",
        validators=[validate_zone],
    )
    calculation = models.CharField(
        _("miles of a sale"),
        max_length=8,
        choices=Calculation.choices,
        default=Calculation.AMRP,
        help_text=_("Who works out how many miles a sale earns."),
    )
    # Above it a second person agrees. It holds for what one collector gets in a day, so that nobody
    # gives a large amount in small ones.
    event_limit_miles = models.PositiveIntegerField(
        _("most miles without a sale by one person"),
        default=500,
        help_text=_("For one collector within 24 hours. Above it a second person must agree."),
    )
    # The programme wants to be told a device, and an office has none.
    office_device = models.CharField(
        _("the office’s device number"),
        max_length=3,
        default="900",
        validators=[RegexValidator(r"^\d{2,3}$", _("Two or three digits."))],
        help_text=_("Sent as deviceId for what the office asks. No till may have it."),
    )
    records_empty_sales = models.BooleanField(
        _("record sales that earned nothing"),
        default=True,
        help_text=_("Tell the programme of sales without a collector or without miles (RECORD)."),
    )
    programme_en = models.CharField(_("programme, English"), max_length=40, default="AIR MILES")
    programme_fr = models.CharField(_("programme, French"), max_length=40, default="AIR MILES")
    miles_en = models.CharField(_("miles, English"), max_length=40, default="miles")
    miles_fr = models.CharField(_("miles, French"), max_length=40, default="milles")
    cash_en = models.CharField(_("Cash miles, English"), max_length=40, default="Cash miles")
    cash_fr = models.CharField(_("Cash miles, French"), max_length=40, default="milles Argent")
    dream_en = models.CharField(_("Dream miles, English"), max_length=40, default="Dream miles")
    dream_fr = models.CharField(_("Dream miles, French"), max_length=40, default="milles Rêves")
    advice_en = models.CharField(
        _("where a collector turns, English"),
        max_length=200,
        default="The collector can visit airmiles.ca, use its chat, or call AIR MILES.",
    )
    advice_fr = models.CharField(
        _("where a collector turns, French"),
        max_length=200,
        default="L’adhérent peut visiter airmiles.ca, y clavarder ou appeler AIR MILES.",
    )
    escalation_en = models.CharField(
        _("whom a cashier calls, English"), max_length=200, default="Call your manager."
    )
    escalation_fr = models.CharField(
        _("whom a cashier calls, French"), max_length=200, default="Appelez votre gérant."
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("code",)
        verbose_name = _("sponsor")
        verbose_name_plural = _("sponsors")

    def __str__(self) -> str:
        return f"{self.code} · {self.name}"

    def word(self, word: Word, language: str) -> str:
        """Return the programme's word in `language`; English where the language is unknown."""
        suffix = "fr" if language.startswith("fr") else "en"
        return str(getattr(self, f"{word}_{suffix}"))


class Store(models.Model):
    """One shop: its number, its wall clock and the language of its paper."""

    sponsor = models.ForeignKey(
        Sponsor, on_delete=models.PROTECT, related_name="stores", verbose_name=_("sponsor")
    )
    number = models.CharField(
        _("store number"),
        max_length=4,
        validators=[RegexValidator(r"^[A-Za-z0-9]{1,4}$", _("Up to four letters or digits."))],
        help_text=_("Sent to the programme as storeId."),
    )
    name = models.CharField(_("name"), max_length=60)
    name_fr = models.CharField(_("name, French"), max_length=60, blank=True)
    city = models.CharField(_("city"), max_length=60)
    zone = models.CharField(_("time zone"), max_length=64, validators=[validate_zone])
    language = models.CharField(
        _("language"), max_length=2, choices=Language.choices, default=Language.ENGLISH
    )
    # A policy of the store and off by default: the cashier may have seen it on another screen.
    gives_back_unshown = models.BooleanField(
        _("give back what nobody was shown"),
        default=False,
        help_text=_(
            "A redemption that was approved and shown at no till for five minutes is given back by "
            "itself. Off: it stays on the overview until a person sees to it."
        ),
    )
    event_limit_miles = models.PositiveIntegerField(
        _("most miles without a sale by one person"),
        null=True,
        blank=True,
        help_text=_("Empty: as the sponsor has it."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("sponsor__code", "number")
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        constraints = [
            models.UniqueConstraint(fields=["sponsor", "number"], name="store_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.number} · {self.name}, {self.city}"

    def name_in(self, language: str) -> str:
        """Return the store's name for a French or an English reader."""
        return self.name_fr if language.startswith("fr") and self.name_fr else self.name

    @property
    def most_event_miles(self) -> int:
        """What one person may give a collector without a sale within 24 hours."""
        own = self.event_limit_miles
        return self.sponsor.event_limit_miles if own is None else own

    @property
    def tzinfo(self) -> zoneinfo.ZoneInfo:
        """The shop wall's clock."""
        return zoneinfo.ZoneInfo(self.zone)
