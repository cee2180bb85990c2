"""What a basket would earn, or its return cost, before anything is given: in the till's words."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from backoffice.journal import sales
from backoffice.journal import selectors as journal
from backoffice.journal.models import Transaction
from backoffice.people.actors import Actor
from cashier.gifts import OpenGift, Part
from cashier.issuances import OfferRow, refusal_panel
from cashier.panels import Panel
from cashier.rows import Fact, masked
from cashier.templatetags.milepost import count, money
from cashier.texts import CODE_TEXTS, ENTRY_WORDS, say
from issuance import rules, selectors, services
from issuance.orders import Calculation, CalculationOrder, TransactionType
from issuance.returns import NotReturnable
from issuance.rules import Reason


@dataclass(frozen=True, kw_only=True)
class Previewed:
    """A gift with its awards, and what a screen says of it.

    With a `panel` there is nothing to confirm. `is_told` is False where the programme did not
    answer: it can be given all the same, and the miles follow. `is_estimate` is True where today's
    offers say what a sale that is not ours may have given. `earns_nothing` is said of a sound sale.
    """

    gift: OpenGift
    offers: tuple[OfferRow, ...] = ()
    is_told: bool = True
    is_estimate: bool = False
    panel: Panel | None = None
    earns_nothing: bool = False

    @property
    def miles(self) -> int:
        """All of them."""
        return int(sum(offer.miles for offer in self.offers))


def previewed(
    gift: OpenGift, *, actor: Actor, now: datetime, language: str, words: Mapping[str, str]
) -> Previewed:
    """Return what would be given or taken; who calculates it, the sponsor says."""
    reason = rules.why_not_basket(gift.basket)
    if reason is not None:
        return Previewed(gift=gift, panel=refusal_panel(reason, words))
    is_ours = services.calculation_of(actor) is Calculation.PARTNER
    if gift.is_return:
        return _back(gift, actor, now, words, language=language, is_ours=is_ours)
    if not is_ours:
        return _told(gift, actor, now, words)
    return _with(_earned(gift, actor, now, language), words)


def _back(
    gift: OpenGift,
    actor: Actor,
    now: datetime,
    words: Mapping[str, str],
    *,
    language: str,
    is_ours: bool,
) -> Previewed:
    if not gift.original or actor.user is None:
        if not is_ours:
            return _told(gift, actor, now, words)
        # Without the sale nobody here knows what its offers gave. The programme does, and takes
        # back no more of an offer than is left of it.
        return replace(_with(_earned(gift, actor, now, language), words), is_estimate=True)
    original = journal.get_visible(
        actor.user, uuid.UUID(gift.original), is_training=actor.is_training
    )
    issued = sales.given_of(original)
    try:
        parts = tuple(_part(row, gift, is_ours=is_ours) for row in issued)
    except NotReturnable:
        return Previewed(gift=gift, panel=_too_much())
    if is_ours:
        # Where nothing is taken back there is nothing to send.
        return _with(replace(gift, parts=tuple(part for part in parts if part.awards)), words)
    gift = replace(gift, parts=parts)
    named = [row.confirmation_number or row.checkout_id for row in issued]
    told = [_told(gift, actor, now, words, original_id=one) for one in named]
    stopped = next((one for one in told if one.panel is not None), None)
    if stopped is not None:
        return stopped
    offers = tuple(offer for one in told for offer in one.offers)
    return Previewed(gift=gift, offers=offers, is_told=all(one.is_told for one in told))


def _part(row: Transaction, gift: OpenGift, *, is_ours: bool) -> Part:
    # Before the awards: what comes in between is noticed when it is sent.
    counted = tuple(sorted(str(one) for one in selectors.returns_of(row)))
    awards = selectors.awards_back(row, gift.basket)
    return Part(original=str(row.reference), awards=awards if is_ours else (), counted=counted)


def _earned(gift: OpenGift, actor: Actor, now: datetime, language: str) -> OpenGift:
    """Return it with what today's offers give for its basket."""
    store = actor.device.store
    awards = selectors.awards_for(gift.basket, store=store, at=now, language=language)
    return replace(gift, awards=awards)


def _with(gift: OpenGift, words: Mapping[str, str]) -> Previewed:
    awards = [*gift.awards, *(award for part in gift.parts for award in part.awards)]
    if not awards:
        return Previewed(gift=gift, panel=_nothing(gift, words), earns_nothing=not gift.is_return)
    rows = (
        OfferRow(name=award.description or award.offer_code, miles=award.miles) for award in awards
    )
    return Previewed(gift=gift, offers=tuple(rows))


def _told(
    gift: OpenGift,
    actor: Actor,
    now: datetime,
    words: Mapping[str, str],
    *,
    original_id: str = "",
) -> Previewed:
    kind = TransactionType.RETURN if gift.is_return else TransactionType.PURCHASE
    order = CalculationOrder(
        card=gift.card,
        basket=gift.basket,
        transaction_type=kind,
        original_id=original_id or gift.original_id,
    )
    told = services.calculate(order, actor=actor, now=now)
    if "collectornotfound" in {code.lower() for code in told.error_codes}:
        return Previewed(gift=gift, panel=_unknown_card(words))
    if told.offers is None:
        return Previewed(gift=gift, is_told=False)
    rows = tuple(
        OfferRow(name=offer.description or offer.offer_code, miles=offer.miles)
        for offer in told.offers
        if offer.miles
    )
    if not rows and not gift.is_return:
        return Previewed(gift=gift, panel=_nothing(gift, words), earns_nothing=True)
    return Previewed(gift=gift, offers=rows)


def facts_of(gift: OpenGift) -> list[Fact]:
    """Return this sale so far: the card, and the basket once its totals are known."""
    facts = [
        Fact(word=_("Card"), value=masked(gift.card.last4), is_strong=True),
        Fact(word=_("Read by"), value=str(ENTRY_WORDS[gift.card.entry_mode.value])),
    ]
    if gift.items:
        facts.append(Fact(word=_("Lines"), value=count(len(gift.items))))
    if gift.pre_tax_cents is not None:
        facts.append(Fact(word=_("Basket before tax"), value=money(gift.pre_tax_cents)))
    if gift.post_tax_cents is not None:
        facts.append(
            Fact(word=_("Basket after tax"), value=money(gift.post_tax_cents), is_strong=True)
        )
    if gift.excluded_cents:
        facts.append(Fact(word=_("Does not count"), value=money(-gift.excluded_cents)))
    return facts


def _nothing(gift: OpenGift, words: Mapping[str, str]) -> Panel:
    if gift.is_return:
        return Panel(
            tone="queued",
            icon="circle-check",
            title=_("No %(miles)s to take back.") % words,
            text=_("Refund the sale the way it was paid."),
        )
    return refusal_panel(Reason.NOTHING_EARNED, words)


def _too_much() -> Panel:
    return Panel(
        tone="attention",
        icon="triangle-alert",
        title=_("More is brought back than is left of the sale."),
        text=_("Nothing was sent. Look again at what is left to return."),
    )


def _unknown_card(words: Mapping[str, str]) -> Panel:
    said = CODE_TEXTS["0025"]
    return Panel(
        tone="attention",
        icon="triangle-alert",
        title=say(said.title, words),
        text=say(said.todo, words),
        advice=words["advice"],
    )
