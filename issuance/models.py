"""The offers a sponsor keeps, as an administrator enters them. They are checked here and counted in
`offers`; what the fields mean stands in docs/offers.md.
"""

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice.stores.models import Sponsor, Store
from backoffice.units import Cents, Miles
from issuance import offers
from issuance.offers import Reach, Selection
from issuance.proposals import EventProposal as EventProposal
from issuance.proposals import EventReason as EventReason
from issuance.terms import Terms

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_LONGEST_CODE: Final = 40
_CODE: Final = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$", _("Letters, digits, dots, hyphens and underscores only.")
)
_WORDS_APART: Final = re.compile(r"[\s,;]+")


def codes_in(text: str) -> list[str]:
    """Return the codes in a list that a person typed or pasted, each once, in its order."""
    return list(dict.fromkeys(code for code in _WORDS_APART.split(text) if code))


def validate_codes(text: str) -> None:
    """Refuse a list with something in it that is no code."""
    for code in codes_in(text):
        try:
            _CODE(code)
        except ValidationError:
            raise ValidationError(
                _("“%(code)s” is not a code. Write codes with commas or spaces between them."),
                params={"code": code},
            ) from None
        if len(code) > _LONGEST_CODE:
            raise ValidationError(_("“%(code)s” is too long."), params={"code": code})


class Kind(models.TextChoices):
    """offers.Kind as people read it."""

    BASE = "base", _("Base")
    MULTIPLIER = "multiplier", _("Multiplier")
    ITEM = "item", _("Item bonus")
    DEPARTMENT = "department", _("Department bonus")
    CATEGORY = "category", _("Category bonus")
    COUPON = "coupon", _("Coupon bonus")
    TENDER = "tender", _("Payment bonus")


# What a kind is called after, and the sentence where it is missing.
_NEEDED: Final[dict[str, tuple[tuple[str, ...], "StrPromise"]]] = {
    Kind.BASE: (
        ("per_cents", "per_quantity"),
        _("A base offer gives miles for each full amount or number of pieces."),
    ),
    Kind.ITEM: (("items",), _("Name the items of an item bonus.")),
    Kind.DEPARTMENT: (("departments",), _("Name the departments of a department bonus.")),
    Kind.CATEGORY: (("categories",), _("Name the categories of a category bonus.")),
    Kind.COUPON: (("coupon",), _("Give the coupon of a coupon bonus.")),
    Kind.TENDER: (("tender",), _("Give the way of paying of a payment bonus.")),
}
_DAYS_IN_ORDER: Final = Q(starts_on=None) | Q(ends_on=None) | Q(ends_on__gte=F("starts_on"))


def _codes_field(name: "StrPromise", **changes: Any) -> "models.TextField[str, str]":
    return models.TextField(name, blank=True, validators=[validate_codes], **changes)


class Kept(models.Model):
    """What offers and exclusions have in common: where and when they hold, what they name."""

    sponsor = models.ForeignKey(
        Sponsor, on_delete=models.PROTECT, related_name="%(class)ss", verbose_name=_("sponsor")
    )
    stores = models.ManyToManyField(
        Store,
        blank=True,
        related_name="%(class)ss",
        verbose_name=_("stores"),
        help_text=_("None chosen means all stores of the sponsor."),
    )
    starts_on = models.DateField(
        _("first day"), null=True, blank=True, help_text=_("By the clock of the store.")
    )
    ends_on = models.DateField(
        _("last day"), null=True, blank=True, help_text=_("This day still counts.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    items = _codes_field(_("items"))
    departments = _codes_field(_("departments"))
    categories = _codes_field(_("categories"))

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Compare the days, and write the lists of codes in one way."""
        for name in self.code_fields():
            setattr(self, name, ", ".join(codes_in(getattr(self, name))))
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValidationError({"ends_on": _("The last day lies before the first.")})

    @classmethod
    def code_fields(cls) -> tuple[str, ...]:
        """Return the names of the fields that hold lists of codes."""
        return ("items", "departments", "categories")

    @property
    def selects(self) -> Selection:
        """What is named."""
        return Selection(
            items=frozenset(codes_in(self.items)),
            departments=frozenset(codes_in(self.departments)),
            categories=frozenset(codes_in(self.categories)),
        )

    @property
    def reach(self) -> Reach:
        """Where and when it holds."""
        return Reach(
            # Read in Python, so that stores fetched beforehand are used.
            stores=frozenset(store.number for store in self.stores.all()),
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            is_active=self.is_active,
        )


class Offer(Kept):
    """One offer of a sponsor. Its kind says which of the other fields it needs."""

    offer_id = models.CharField(
        _("number"),
        max_length=20,
        validators=[_CODE],
        help_text=_("Ours, sent as offerId. Of equal offers in a group the lower one counts."),
    )
    code = models.CharField(
        _("offer code"),
        max_length=20,
        validators=[_CODE],
        help_text=_("Set up with the programme, sent as issuanceOfferCode."),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    description_en = models.CharField(_("description, English"), max_length=80)
    description_fr = models.CharField(_("description, French"), max_length=80, blank=True)
    location_code = models.CharField(
        _("location code"),
        max_length=4,
        blank=True,
        validators=[RegexValidator(r"^[A-Za-z0-9]{1,4}$", _("Up to four letters or digits."))],
        help_text=_("Empty means the store of the sale."),
    )
    miles = models.PositiveIntegerField(
        _("miles"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    per_cents = models.PositiveIntegerField(
        _("for each full amount"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    per_quantity = models.PositiveIntegerField(
        _("for each full number of pieces"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Neither an amount nor pieces means once per sale."),
    )
    at_most = models.PositiveIntegerField(
        _("at most so many times per sale"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
    )
    factor_percent = models.PositiveIntegerField(
        _("percent of the base miles"),
        null=True,
        blank=True,
        validators=[MinValueValidator(101, _("More than 100: 300 is three times the miles."))],
        help_text=_("For a multiplier: 300 is three times the miles."),
    )
    left_out_items = _codes_field(_("items left out"))
    left_out_departments = _codes_field(_("departments left out"))
    left_out_categories = _codes_field(_("categories left out"))
    coupon = models.CharField(_("coupon"), max_length=_LONGEST_CODE, blank=True, validators=[_CODE])
    tender = models.CharField(
        _("way of paying"),
        max_length=_LONGEST_CODE,
        blank=True,
        validators=[_CODE],
        help_text=_("In the programme’s words, as CASH or CREDIT."),
    )
    group = models.CharField(
        _("group"),
        max_length=_LONGEST_CODE,
        blank=True,
        validators=[_CODE],
        help_text=_(
            "Offers of a group never add up: the best one counts."
            " Base offers without a group are one group."
        ),
    )

    class Meta:
        ordering = ("sponsor__code", "offer_id")
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.UniqueConstraint(fields=["sponsor", "offer_id"], name="offer_number_once"),
            models.CheckConstraint(name="offer_ends_after_it_starts", condition=_DAYS_IN_ORDER),
            models.CheckConstraint(
                name="offer_multiplies_or_gives",
                condition=Q(
                    kind="multiplier",
                    # A comparison with NULL is no refusal, so each number must also be there.
                    factor_percent__isnull=False,
                    factor_percent__gt=100,
                    miles=None,
                    per_cents=None,
                    per_quantity=None,
                    at_most=None,
                )
                | (
                    ~Q(kind="multiplier")
                    & Q(factor_percent=None, miles__isnull=False, miles__gte=1)
                ),
            ),
            models.CheckConstraint(
                name="offer_has_one_step",
                condition=Q(per_cents=None, per_quantity__gte=1)
                | Q(per_cents__gte=1, per_quantity=None)
                | Q(per_cents=None, per_quantity=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} · {self.description_en}"

    @classmethod
    def code_fields(cls) -> tuple[str, ...]:
        """Return the names of the fields that hold lists of codes."""
        left_out = tuple(f"left_out_{name}" for name in super().code_fields())
        return (*super().code_fields(), *left_out)

    def clean(self) -> None:
        """Say which fields its kind needs and which would mean nothing."""
        super().clean()
        is_multiplier = self.kind == Kind.MULTIPLIER
        faults = self._faults_of_a_multiplier() if is_multiplier else self._faults_of_a_bonus()
        if faults:
            raise ValidationError(faults)

    @property
    def leaves_out(self) -> Selection:
        """What does not count for this offer."""
        return Selection(
            items=frozenset(codes_in(self.left_out_items)),
            departments=frozenset(codes_in(self.left_out_departments)),
            categories=frozenset(codes_in(self.left_out_categories)),
        )

    @property
    def terms(self) -> Terms | None:
        """How its miles are counted; None for a multiplier, which takes those of a base offer."""
        if self.miles is None:
            return None
        return Terms(
            miles=Miles(self.miles),
            per_cents=None if self.per_cents is None else Cents(self.per_cents),
            per_quantity=self.per_quantity,
            at_most=self.at_most,
        )

    @property
    def factor(self) -> Decimal | None:
        """How many times the base miles a multiplier makes; None for every other offer."""
        return None if self.factor_percent is None else Decimal(self.factor_percent) / 100

    def description(self, language: str) -> str:
        """Return what the collector reads, English where there is no French."""
        is_french = language.startswith("fr")
        return self.description_fr if is_french and self.description_fr else self.description_en

    def rule(self) -> offers.Offer:
        """Return the offer as it is counted."""
        return offers.Offer(
            offer_id=self.offer_id,
            code=self.code,
            kind=offers.Kind(self.kind),
            terms=self.terms,
            factor=self.factor,
            description_en=self.description_en,
            description_fr=self.description_fr,
            location_code=self.location_code,
            reach=self.reach,
            selects=self.selects,
            leaves_out=self.leaves_out,
            coupon=self.coupon,
            tender=self.tender,
            group=self.group,
        )

    def _faults_of_a_multiplier(self) -> "dict[str, StrPromise]":
        faults = {}
        if self.factor_percent is None:
            faults["factor_percent"] = _("A multiplier needs a percentage: 300 is three times.")
        for name in ("miles", "per_cents", "per_quantity", "at_most"):
            if getattr(self, name) is not None:
                faults[name] = _("Leave this empty: a multiplier takes the steps of a base offer.")
        return faults

    def _faults_of_a_bonus(self) -> "dict[str, StrPromise]":
        faults = {}
        if self.miles is None:
            faults["miles"] = _("Say how many miles it gives.")
        if self.factor_percent is not None:
            faults["factor_percent"] = _("Leave this empty: only a multiplier has a percentage.")
        if self.per_cents is not None and self.per_quantity is not None:
            faults["per_quantity"] = _("Miles for an amount or for pieces, not for both.")
        needed = _NEEDED.get(self.kind)
        if needed and not any(getattr(self, name) for name in needed[0]):
            faults[needed[0][0]] = needed[1]
        return faults


class Exclusion(Kept):
    """What earns nothing by any offer, as gift cards."""

    name = models.CharField(_("name"), max_length=60)
    name_fr = models.CharField(_("name, French"), max_length=60, blank=True)

    class Meta:
        ordering = ("sponsor__code", "name")
        verbose_name = _("exclusion")
        verbose_name_plural = _("exclusions")
        constraints = [
            models.UniqueConstraint(fields=["sponsor", "name"], name="exclusion_name_once"),
            models.CheckConstraint(name="exclusion_ends_after_it_starts", condition=_DAYS_IN_ORDER),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse an exclusion that names nothing: read as everything, it would be a disaster."""
        super().clean()
        if self.selects.is_empty:
            raise ValidationError(_("Name at least one item, department or category."))

    def name_in(self, language: str) -> str:
        """Return the name for a French or an English reader."""
        return self.name_fr if language.startswith("fr") and self.name_fr else self.name

    def rule(self) -> offers.Exclusion:
        """Return the exclusion as it is counted."""
        return offers.Exclusion(name=self.name, selects=self.selects, reach=self.reach)
