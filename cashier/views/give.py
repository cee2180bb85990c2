"""Give miles for a sale: card, basket by totals or by items, preview, give.

A return of a sale ends here too, from its preview on.
"""

import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from amcash import orders
from amcash.orders import Card, EntryMode, NotACard
from amcash.receipts import whole_basket_of
from amcash.reversals import card_of
from backoffice.journal import sales
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation
from cashier import cards, testcards
from cashier.basket_forms import ItemForm, TotalsForm
from cashier.cards import SaleExpired
from cashier.forms import CardForm, ConfirmationForm, decimal_text, kept_of, without_card
from cashier.frames import Frame, SeeOther, at_till, posted, show
from cashier.gifts import MOST_LINES, OpenGift, seal, unseal
from cashier.issuances import refusal_panel
from cashier.lookups import visible_row
from cashier.panels import Action, Panel
from cashier.previews import facts_of, previewed
from cashier.takings import PartlySent, taken_back
from cashier.texts import CARD_TEXTS
from cashier.views.miles import reversible
from cashier.views.redeem import latest_here, next_customer
from issuance import services
from issuance.orders import IssuanceOrder, RecordOrder, TransactionType
from issuance.rules import Reason
from issuance.services import Refused


@require_GET
@at_till
def start(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Listen for the card of a sale that earns miles."""
    return _start(request, frame)


@posted
@at_till
def card(request: HttpRequest, frame: Frame) -> HttpResponse:
    """A card was scanned, swiped or typed: ask for the basket. A typed number may earn."""
    form = CardForm(request.POST)
    if not form.is_valid():
        return _start(request, frame, str(next(iter(form.errors.values()))[0]))
    value, entry = form.cleaned_data["value"], form.cleaned_data["entry"]
    try:
        number = testcards.number_read(value, frame)
    except NotACard as problem:
        return _start(request, frame, str(CARD_TEXTS[problem.fault.value]))
    mode = EntryMode.MANUAL if entry == EntryMode.MANUAL else orders.entry_mode_of(value)
    return begin(request, frame, OpenGift.of(Card(number=number, entry_mode=mode)))


@posted
@at_till
def instead(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Nothing was redeemed on this sale: it earns all the same."""
    try:
        sale = cards.unseal(request.POST.get("sale", ""), bound_to=frame.bound_to, now=frame.now)
    except SaleExpired:
        return _start(request, frame, str(CARD_TEXTS["expired"]))
    gift = OpenGift.of(sale.card, sale_ref=sale.sale_ref, post_tax_cents=sale.basket_cents)
    return begin(request, frame, gift)


@posted
@at_till
def unknown(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Return a sale that is not ours by the number on its receipt; the card is at hand."""
    form = ConfirmationForm({"confirmation": request.POST.get("original_id", "")})
    value = request.POST.get("value", "")
    if not form.is_valid():
        return SeeOther(reverse("cashier:return"))
    try:
        number = testcards.number_read(value, frame)
    except NotACard as problem:
        context = {
            "problem": str(CARD_TEXTS[problem.fault.value]),
            "unknown": without_card(form.cleaned_data["confirmation"]),
        }
        return show(request, frame, "cashier/return.html", context, section="return")
    mode = EntryMode.MANUAL if value.strip() == number else orders.entry_mode_of(value)
    scanned = Card(number=number, entry_mode=mode)
    gift = OpenGift.of(scanned, original_id=form.cleaned_data["confirmation"])
    return begin(request, frame, gift)


@require_GET
@at_till
def of_sale(request: HttpRequest, frame: Frame, reference: uuid.UUID) -> HttpResponse:
    """Give the miles of a sale that was paid with miles: the same card, the same sale."""
    row = visible_row(frame, reference)
    found = card_of(row) if row.operation == Operation.REDEEM else None
    if found is None:
        raise Http404
    given = sales.issuance_of(frame.user, row)
    if given is not None:
        return SeeOther(reverse("cashier:sale", args=[given.reference]))
    gift = OpenGift.of(found, sale_ref=row.sale_ref, post_tax_cents=whole_basket_of(row))
    return begin(request, frame, gift)


def begin(request: HttpRequest, frame: Frame, gift: OpenGift) -> HttpResponse:
    """Ask what the basket comes to."""
    return _basket(request, frame, gift, _totals(gift, frame))


@posted
@at_till
def basket(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Change the basket: by totals or by items, one more item, one less; or the language."""
    gift = _opened(request, frame)
    if gift is None:
        return _start(request, frame, str(CARD_TEXTS["expired"]))
    way, gone = request.POST.get("by", ""), request.POST.get("gone", "")
    item_form = None
    if request.POST.get("resumes"):
        # The language was switched: nothing that was typed is sent yet.
        item_form = ItemForm(initial=kept_of(request, ItemForm.base_fields))
    elif way in {"items", "totals"}:
        gift = replace(gift, has_items=way == "items", items=())
    elif gone.isdecimal() and len(gone) < 4:
        gift = gift.without_item(int(gone))
    elif "sku" in request.POST:
        gift, item_form = _with_item(request, gift)
    form = _totals(gift, frame, kept_of(request, TotalsForm.base_fields))
    return _basket(request, frame, gift, form, item_form)


@posted
@at_till
def preview(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The basket is known: what would it earn? Nothing is given yet."""
    gift = _opened(request, frame)
    if gift is None:
        return _start(request, frame, str(CARD_TEXTS["expired"]))
    form = TotalsForm(request.POST, items_cents=gift.items_cents if gift.has_items else None)
    if not form.is_valid():
        form.mark_errors()
        return _basket(request, frame, gift, form)
    return show_preview(request, frame, replace(gift, **form.known))


@posted
@at_till
def resume(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Show the preview of an open basket once more, after the language was switched."""
    gift = _opened(request, frame)
    if gift is None or gift.post_tax_cents is None or gift.pre_tax_cents is None:
        return SeeOther(reverse("cashier:give"))
    return show_preview(request, frame, gift)


def show_preview(request: HttpRequest, frame: Frame, gift: OpenGift) -> HttpResponse:
    """Answer with what the basket would earn or cost, and the way to give or take it."""
    found = previewed(
        gift, actor=frame.actor, now=frame.now, language=frame.language, words=frame.words
    )
    gift = found.gift
    context: dict[str, Any] = {
        "offers": found.offers,
        "miles": found.miles,
        "is_told": found.is_told,
        "is_estimate": found.is_estimate,
        "is_return": gift.is_return,
        "sealed": seal(gift, bound_to=frame.bound_to, now=frame.now),
        "facts": facts_of(gift),
        "ask_text": _("Asking %(programme)s") % frame.words,
    }
    if found.panel is not None:
        actions = _ways_on(frame, gift)
        if found.earns_nothing and frame.actor.device.store.sponsor.records_empty_sales:
            actions = [_recording(context["sealed"])]
        context |= {"panel": found.panel, "actions": actions}
        return show(request, frame, "cashier/notice.html", context, section=_section(gift))
    return show(request, frame, "cashier/give_preview.html", context, section=_section(gift))


@posted
@at_till
def give(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The cashier confirmed: give or take back once, however often this form is sent."""
    gift = _opened(request, frame)
    if gift is None or gift.post_tax_cents is None or gift.pre_tax_cents is None:
        return _start(request, frame, str(CARD_TEXTS["expired"]))
    try:
        row = taken_back(gift, frame) if gift.is_return else _given(gift, frame)
    except PartlySent as partly:
        return _partly_sent(request, frame, gift, partly)
    except Refused as refusal:
        return _refused(request, frame, gift, refusal)
    return SeeOther(reverse("cashier:sale", args=[row.reference]))


@posted
@at_till
def record(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The sale earned nothing and is over: tell the programme of it, once, and go on."""
    gift = _opened(request, frame)
    if gift is not None and not gift.is_return and gift.post_tax_cents is not None:
        order = RecordOrder(
            client_ref=gift.client_ref,
            sale_ref=gift.sale_ref,
            card=gift.card,
            basket=gift.basket,
            transaction_type=TransactionType.PURCHASE,
            language=frame.language,
        )
        # What cannot be told now is told later, and no customer waits for it.
        with contextlib.suppress(Refused):
            services.record(order, actor=frame.actor, now=frame.now)
    return SeeOther(reverse("cashier:home"))


def _recording(sealed: str) -> Action:
    return replace(
        next_customer(),
        url=reverse("cashier:give_record"),
        is_post=True,
        waits=True,
        fields=(("sale", sealed),),
    )


def _given(gift: OpenGift, frame: Frame) -> Transaction:
    order = IssuanceOrder(
        client_ref=gift.client_ref,
        sale_ref=gift.sale_ref,
        card=gift.card,
        basket=gift.basket,
        language=frame.language,
        awards=gift.awards,
    )
    return services.give(order, actor=frame.actor, now=frame.now).transaction


def _refused(request: HttpRequest, frame: Frame, gift: OpenGift, refusal: Refused) -> HttpResponse:
    panel = refusal_panel(refusal.reason, frame.words, small=refusal.why)
    actions = [next_customer()]
    if refusal.reason is Reason.STATE_CHANGED and gift.original:
        url = reverse("cashier:bring_back", args=[gift.original])
        actions.insert(0, Action(word=_("Look again"), url=url))
    context = {"panel": panel, "facts": facts_of(gift), "actions": actions}
    return show(request, frame, "cashier/notice.html", context, section=_section(gift))


def _partly_sent(
    request: HttpRequest, frame: Frame, gift: OpenGift, partly: PartlySent
) -> HttpResponse:
    panel = Panel(
        tone="attention",
        icon="circle-alert",
        title=_("Not all %(miles)s were taken back.") % frame.words,
        text=_(
            "Another till returned from this sale at the same moment. What was sent stands; do not"
            " start again."
        ),
        small=partly.refusal.why,
        advice=frame.words["escalation"],
    )
    url = reverse("cashier:sale", args=[partly.first.reference])
    actions = [Action(word=_("Look at the return"), url=url), next_customer()]
    context = {"panel": panel, "facts": facts_of(gift), "actions": actions}
    return show(request, frame, "cashier/notice.html", context, section=_section(gift))


def _ways_on(frame: Frame, gift: OpenGift) -> list[Action]:
    actions = [next_customer()]
    if gift.original:
        url = reverse("cashier:bring_back", args=[gift.original])
        actions.insert(0, Action(word=_("Look again"), url=url))
        paid = reversible(frame, visible_row(frame, uuid.UUID(gift.original)))
        if paid is not None:
            url = reverse("cashier:reverse", args=[paid.reference])
            actions.insert(0, Action(word=_("Reverse"), url=url, key="F9"))
    return actions


def _section(gift: OpenGift) -> str:
    return "return" if gift.is_return else "give"


def _start(request: HttpRequest, frame: Frame, problem: str = "") -> HttpResponse:
    is_typed = request.POST.get("entry") == EntryMode.MANUAL
    context: dict[str, Any] = {
        "is_giving": True,
        "card_url": reverse("cashier:give_card"),
        "scan_url": reverse("cashier:give_card"),
        "typed": without_card(request.POST.get("value", "")) if is_typed else "",
        "problem" if is_typed else "scan_problem": problem,
        **latest_here(frame),
    }
    return show(request, frame, "cashier/home.html", context, section="give")


def _basket(
    request: HttpRequest,
    frame: Frame,
    gift: OpenGift,
    form: TotalsForm,
    item_form: ItemForm | None = None,
) -> HttpResponse:
    sealed = seal(gift, bound_to=frame.bound_to, now=frame.now)
    form.data = {**form.data, "sale": sealed}
    form.initial = {**form.initial, "sale": sealed}
    context = {
        "form": form,
        "gift": gift,
        "item_form": item_form or ItemForm(),
        "sealed": sealed,
        "facts": facts_of(gift),
        "ask_text": _("Asking %(programme)s") % frame.words,
        "decimal_mark": "," if frame.language == "fr" else ".",
        "scan_url": reverse("cashier:give_card"),
    }
    template = "cashier/give_items.html" if gift.has_items else "cashier/give.html"
    return show(request, frame, template, context, section=_section(gift))


def _totals(gift: OpenGift, frame: Frame, kept: Mapping[str, str] | None = None) -> TotalsForm:
    typed: dict[str, Any] = {"tender": gift.tender, "coupons": " ".join(gift.coupons)}
    if gift.post_tax_cents is not None:
        typed["after"] = decimal_text(gift.post_tax_cents)
    typed |= kept or {}
    return TotalsForm(initial=typed, items_cents=gift.items_cents if gift.has_items else None)


def _with_item(request: HttpRequest, gift: OpenGift) -> tuple[OpenGift, ItemForm | None]:
    """Add what was scanned; of what is in the basket already, one more at its price."""
    known = next((one for one in gift.items if one.sku == request.POST["sku"].strip()), None)
    typed = request.POST.dict()
    if known is not None and not typed.get("price"):
        typed["price"] = decimal_text(known.base_cents)
        typed |= {"department": known.department, "category": known.category}
    form = ItemForm(typed)
    if not form.is_valid():
        form.mark_errors()
        return gift, form
    if len(gift.items) >= MOST_LINES:
        form.add_error("sku", _("This basket is full. Give its miles by the totals."))
        return gift, form
    return gift.with_item(form.item), None


def _opened(request: HttpRequest, frame: Frame) -> OpenGift | None:
    try:
        return unseal(request.POST.get("sale", ""), bound_to=frame.bound_to, now=frame.now)
    except SaleExpired:
        return None
