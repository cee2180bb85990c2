"""From card to confirmation: the money path of a redemption, with and without script."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from amcash import orders, services
from amcash.orders import Card, EntryMode, InquiryOrder, NotACard, RedemptionOrder
from amcash.rules import Offer, Reason, Step
from amcash.services import Inquiry, InquiryKind, Refused
from backoffice.journal import selectors
from backoffice.units import Cents
from cashier import approvals, testcards
from cashier.cards import OpenSale, SaleExpired, seal, unseal
from cashier.forms import AmountForm, CardForm, RedeemForm, decimal_text, without_card
from cashier.frames import Frame, SeeOther, at_till, is_fragment, posted, show
from cashier.lookups import address_of
from cashier.panels import Action, Panel, code_panel
from cashier.rows import facts_of_offer, facts_of_sale, row_of
from cashier.templatetags.milepost import dollars
from cashier.texts import CARD_TEXTS, REASON_TEXTS, SILENT_INQUIRY, UNAVAILABLE

_LATEST = 6
# More tiles than this are no longer read at a glance; a stepper gives the rest.
_MOST_TILES = 8
_ROUND = (1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 150, 200, 300, 400, 500, 750)
# Neither miles nor dollars move on these: inactive, unknown.
_NO_ACCOUNT = frozenset({"0002", "0025"})
# Refusals that another choice on the same screen can mend.
_MENDABLE = frozenset({Reason.NOTHING_ASKED, Reason.OVER_BASKET, Reason.COLLECTOR_BUSY})


@require_GET
@at_till
def home(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The resting screen: it listens for a card, or for a receipt."""
    return _home(request, frame)


@posted
@at_till
def card(request: HttpRequest, frame: Frame) -> HttpResponse:
    """A card was scanned, swiped or typed: ask for the basket."""
    form = CardForm(request.POST)
    if not form.is_valid():
        return _bad_card(request, frame, str(next(iter(form.errors.values()))[0]))
    value, entry = form.cleaned_data["value"], form.cleaned_data["entry"]
    try:
        number = testcards.number_read(value, frame)
    except NotACard as problem:
        code = value.strip().replace(" ", "")
        receipt = address_of(frame, code) if entry != EntryMode.MANUAL else None
        if receipt is not None:
            return SeeOther(receipt)
        return _bad_card(request, frame, str(CARD_TEXTS[problem.fault.value]))

    mode = EntryMode.MANUAL if entry == EntryMode.MANUAL else orders.entry_mode_of(value)
    # A second scan at a later screen keeps what was already typed.
    kept = {name: without_card(form.cleaned_data[name]) for name in ("basket", "excluded")}
    return begin_sale(request, frame, Card(number=number, entry_mode=mode), **kept)


def begin_sale(request: HttpRequest, frame: Frame, card: Card, **typed: str) -> HttpResponse:
    """Ask for the basket of a new sale; `typed` are amounts that were there already."""
    sale = OpenSale(card=card, sale_ref=str(uuid.uuid4()))
    initial = {"sale": _sealed(sale, frame), **typed}
    return _amount(request, frame, sale, AmountForm(initial=initial))


@posted
@at_till
def offer(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The basket was typed: ask the programme what may be redeemed on it."""
    form = AmountForm(request.POST)
    sale = _opened(request, frame)
    if sale is None:
        return _bad_card(request, frame, str(CARD_TEXTS["expired"]))
    if not form.is_valid():
        form.mark_errors()
        return _amount(request, frame, sale, form)
    sale = sale.with_basket(*form.amounts)
    order = InquiryOrder(card=sale.card, basket_cents=sale.counting_cents, language=frame.language)
    inquiry = services.inquire(order, actor=frame.actor, now=frame.now)
    if inquiry.kind is InquiryKind.OFFER and inquiry.offer is not None:
        return _offer(request, frame, sale.with_offer(inquiry.offer), client_ref=_new_ref())
    return _no_offer(request, frame, sale, inquiry)


@posted
@at_till
def redeem(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The cashier confirmed: redeem once, however often this form is sent."""
    sale = _opened(request, frame)
    if sale is None or sale.offer is None:
        return _bad_card(request, frame, str(CARD_TEXTS["expired"]))
    form = RedeemForm(request.POST)
    client_ref = request.POST.get("client_ref", "") if "client_ref" in request.POST else ""
    units = form.cleaned_data["chosen"] if form.is_valid() else None
    if units is None or not 1 <= units <= sale.offer.max_units:
        problem = _("Choose between 1 and %(most)s steps.") % {"most": sale.offer.max_units}
        return _offer(request, frame, sale, client_ref=client_ref or _new_ref(), problem=problem)

    order = RedemptionOrder(
        client_ref=str(form.cleaned_data["client_ref"]),
        sale_ref=sale.sale_ref,
        card=sale.card,
        basket_cents=sale.counting_cents,
        original_cents=Cents(sale.basket_cents or 0),
        asked_cents=sale.offer.step(units).off_cents,
        language=frame.language,
    )
    chosen = [("client_ref", order.client_ref), ("units", str(units))]
    try:
        actor = approvals.actor_of(request, frame)
        outcome = services.redeem(order, actor=actor, now=frame.now)
    except approvals.NotApproved as nobody:
        return approvals.ask(request, frame, _to_approve(frame, sale, chosen), nobody)
    except Refused as refusal:
        if refusal.reason is Reason.SUPERVISOR_NEEDED:
            return approvals.ask(request, frame, _to_approve(frame, sale, chosen))
        return _refused(request, frame, sale, refusal, client_ref=order.client_ref)
    return SeeOther(reverse("cashier:sale", args=[outcome.transaction.reference]))


@posted
@at_till
def resume(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Show the step of an open sale once more, after the language was switched."""
    sale = _opened(request, frame)
    if sale is None:
        return SeeOther(reverse("cashier:home"))
    if sale.offer is not None:
        client_ref = request.POST.get("client_ref") or _new_ref()
        return _offer(request, frame, sale, client_ref=client_ref)
    typed = {name: without_card(request.POST.get(name, "")) for name in ("basket", "excluded")}
    initial = {"sale": request.POST.get("sale", ""), **typed}
    return _amount(request, frame, sale, AmountForm(initial=initial))


def refusal_panel(refusal: Refused, frame: Frame, sale: OpenSale | None = None) -> Panel:
    """Return what the screen says of a refusal before sending."""
    unit = dollars(sale.offer.unit_cents) if sale and sale.offer else frame.words["cash"]
    words = {**frame.words, "unit": unit}
    return code_panel("", words, small=refusal.why, text=REASON_TEXTS[refusal.reason])


def next_customer(word: str = "") -> Action:
    """The main way on when nothing is left to do."""
    return Action(
        word=word or _("Next customer"), url=reverse("cashier:home"), is_main=True, key="Enter"
    )


def latest_here(frame: Frame) -> dict[str, Any]:
    """Return what stands beside a screen that listens: this till's latest sales."""
    rows = selectors.latest(
        frame.user,
        device=frame.till,
        on_or_after=frame.today_starts,
        is_training=frame.is_training,
        limit=_LATEST,
    )
    latest = [row_of(row, frame.now) for row in rows]
    return {"latest": latest, "test_cards": testcards.available(frame)}


def _home(
    request: HttpRequest, frame: Frame, context: dict[str, Any] | None = None
) -> HttpResponse:
    context = {**latest_here(frame), **(context or {})}
    return show(request, frame, "cashier/home.html", context)


def _bad_card(request: HttpRequest, frame: Frame, problem: str) -> HttpResponse:
    """Say what was read instead of a card; a sale under way stays on the screen."""
    if is_fragment(request) and request.POST.get("keeps_screen"):
        response = show(request, frame, "cashier/_flash.html", {"problem": problem})
        response["HX-Retarget"] = "#flash"
        response["HX-Reswap"] = "outerHTML"
        response["HX-Push-Url"] = "false"
        return response
    if request.POST.get("entry") != EntryMode.MANUAL:
        return _home(request, frame, {"scan_problem": problem})
    return _home(request, frame, {"problem": problem, "typed": request.POST.get("value", "")})


def _amount(request: HttpRequest, frame: Frame, sale: OpenSale, form: AmountForm) -> HttpResponse:
    context = {
        "form": form,
        "card": sale.card,
        "facts": facts_of_sale(sale),
        "ask_text": _("Asking %(programme)s") % frame.words,
        "decimal_mark": "," if frame.language == "fr" else ".",
    }
    return show(request, frame, "cashier/amount.html", context)


def _offer(
    request: HttpRequest, frame: Frame, sale: OpenSale, *, client_ref: str, problem: str = ""
) -> HttpResponse:
    offered = sale.offer
    assert offered is not None
    tiles = tiles_of(offered)
    chosen = offered.step(offered.default_units)
    context = {
        "offer": offered,
        "tiles": [(step, (sale.basket_cents or 0) - step.off_cents) for step in tiles],
        "chosen": chosen,
        "minus_off": -chosen.off_cents,
        "original_cents": sale.basket_cents,
        "left_cents": (sale.basket_cents or 0) - chosen.off_cents,
        "has_more": len(tiles) < offered.max_units,
        "other": without_card(request.POST.get("other", "")) if problem else "",
        "problem": problem,
        "limit_text": _limit_text(offered),
        "description": offered.description_fr if frame.language == "fr" else offered.description_en,
        "sealed": _sealed(sale, frame),
        "client_ref": client_ref,
        "facts": facts_of_sale(sale),
        "offer_facts": facts_of_offer(sale, frame.words),
        "ask_text": _("Redeeming with %(programme)s") % frame.words,
    }
    return show(request, frame, "cashier/offer.html", context)


def tiles_of(offered: Offer) -> list[Step]:
    """Return the steps shown as tiles: all when they are few, else round ones up to the most."""
    most = offered.max_units
    if most <= _MOST_TILES:
        return list(offered.steps)
    round_units = [units for units in _ROUND if units < most]
    # The smallest step, then the largest round ones below the most: people redeem much or little.
    chosen = [1, *round_units[1:][-(_MOST_TILES - 2) :], most]
    return [offered.step(units) for units in chosen]


def _limit_text(offered: Offer) -> str:
    if offered.today_units is None:
        return ""
    most = dollars(offered.max_units * offered.unit_cents)
    return _("Up to %(most)s on this basket.") % {"most": most}


def _no_offer(request: HttpRequest, frame: Frame, sale: OpenSale, inquiry: Inquiry) -> HttpResponse:
    words = {**frame.words, "unit": frame.words["cash"], "reopens": "03:00"}
    typed = [
        ("basket", decimal_text(sale.basket_cents or 0)),
        ("excluded", decimal_text(sale.excluded_cents) if sale.excluded_cents else ""),
    ]
    sealed = _sealed(sale, frame)
    instead = [] if inquiry.code in _NO_ACCOUNT else [_give_instead(sealed, frame)]
    context: dict[str, Any] = {
        "facts": facts_of_sale(sale),
        "actions": [*instead, next_customer()],
        # A card scanned now takes these along, so nothing is typed twice.
        "carried": typed,
    }
    match inquiry.kind:
        case InquiryKind.SILENT:
            fields = [("sale", sealed), *typed]
            context["again"] = {"url": reverse("cashier:offer"), "fields": fields}
            context |= {"ask_text": _("Asking %(programme)s") % words}
            onward = Action(word=_("Next customer"), url=reverse("cashier:home"))
            context["actions"] = [*instead, onward]
            panel = code_panel(inquiry.code, words, text=SILENT_INQUIRY)
        case InquiryKind.UNAVAILABLE:
            text = None if inquiry.code == "0092" else UNAVAILABLE
            panel = code_panel(inquiry.code, words, text=text)
        case InquiryKind.NO_OFFER if inquiry.code not in {"0005", "0006"}:
            panel = _nothing_to_redeem(sale)
        case _:
            panel = code_panel(inquiry.code, words)
    return show(request, frame, "cashier/notice.html", {**context, "panel": panel})


def _give_instead(sealed: str, frame: Frame) -> Action:
    """The same card and the same sale earn miles, whatever it may redeem."""
    return Action(
        word=_("Give %(miles)s") % frame.words,
        url=reverse("cashier:give_instead"),
        is_post=True,
        key="F7",
        fields=(("sale", sealed),),
    )


def _nothing_to_redeem(sale: OpenSale) -> Panel:
    if sale.card.entry_mode is EntryMode.MANUAL:
        return Panel(
            tone="attention",
            icon="scan-barcode",
            title=_("Scan the card to redeem."),
            text=_("The number is valid. A typed number cannot redeem: scan or swipe the card."),
        )
    return Panel(
        tone="queued",
        icon="circle-check",
        title=_("Nothing to redeem on this basket"),
        text=_("The card is valid. Go on with the sale as usual."),
    )


def _to_approve(frame: Frame, sale: OpenSale, chosen: list[tuple[str, str]]) -> approvals.Asked:
    said = refusal_panel(Refused(Reason.SUPERVISOR_NEEDED), frame, sale)
    return approvals.Asked(
        title=said.title,
        text=f"{said.text} {said.advice}",
        url=reverse("cashier:redeem"),
        fields=[("sale", _sealed(sale, frame)), *chosen],
        facts=facts_of_sale(sale),
        back=Action(word=_("Go on without miles"), url=reverse("cashier:home")),
    )


def _refused(
    request: HttpRequest, frame: Frame, sale: OpenSale, refusal: Refused, *, client_ref: str
) -> HttpResponse:
    panel = refusal_panel(refusal, frame, sale)
    if refusal.reason in _MENDABLE:
        problem = f"{panel.title} {panel.text}"
        return _offer(request, frame, sale, client_ref=client_ref, problem=problem)
    context = {"panel": panel, "facts": facts_of_sale(sale), "actions": [next_customer()]}
    return show(request, frame, "cashier/notice.html", context)


def _opened(request: HttpRequest, frame: Frame) -> OpenSale | None:
    try:
        return unseal(request.POST.get("sale", ""), bound_to=frame.bound_to, now=frame.now)
    except SaleExpired:
        return None


def _sealed(sale: OpenSale, frame: Frame) -> str:
    return seal(sale, bound_to=frame.bound_to, now=frame.now)


def _new_ref() -> str:
    return str(uuid.uuid4())
