"""Plays the scanner with one of the sandbox's test cards: on a desk, and in training."""

from django.http import Http404, HttpRequest, HttpResponse

from amcash.orders import Card, EntryMode
from cashier import testcards
from cashier.frames import Frame, at_till, posted
from cashier.gifts import OpenGift
from cashier.views.give import begin
from cashier.views.redeem import begin_sale


@posted
@at_till
def scan(request: HttpRequest, frame: Frame) -> HttpResponse:
    """A test card was picked: go on as if it had been scanned."""
    for card in testcards.available(frame):
        if card.name == request.POST.get("name"):
            scanned = Card(number=card.number, entry_mode=EntryMode.SCAN)
            if request.POST.get("for") == "give":
                return begin(request, frame, OpenGift.of(scanned))
            return begin_sale(request, frame, scanned)
    raise Http404
