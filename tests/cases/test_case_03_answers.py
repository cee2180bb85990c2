"""Case 3: an answer's HTTP status says little; its code decides (RELIABILITY 4.3)."""

import re
from dataclasses import dataclass, field
from typing import Any

from amcash.messages import REDEEM_PATH
from tests.cases.scale import PATIENT
from tests.cases.shop import Shop
from tests.chaos import traces
from tests.contract.peer import Peer
from tests.live.counter import MANAGER, Counter, Page, heading
from tests.servers.pages import form_to, links_in

# An approval as another writer of JSON might spell it; the programme's values know no case.
OTHER_CASE = {
    "responseCode": "0000",
    "message": "aPPROVED",
    "txnConfirmationNumber": "a7kq420x9b1t",
    "unitsRedeemed": "4",
    "unitValueDollars": "10.00",
    "unitValueAMCash": "95",
}
DOUBT = ("doubt", "Not confirmed")
# Figures so long that they occur nowhere by chance.
BALANCES = {"cash_miles": 778_313_197, "dream_miles": 665_917_423}
FIGURES = ("cashBalance", "dreamBalance", "availableCashBalance", "availableDollarAmount")


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A way to answer, and what must become of it: the state, and the screen's first words."""

    expected: tuple[str, str]
    status: int = 200
    body: Any = None
    times: int = 1
    more: dict[str, Any] = field(default_factory=dict)


def declined(status: int, code: str, words: str) -> Answered:
    return Answered(expected=("declined", words), status=status, body={"responseCode": code})


CASES = (
    declined(202, "0051", "Not enough"),
    declined(202, "0065", "Daily limit reached"),
    declined(202, "0066", "The basket is under"),
    declined(408, "0067", "Offer unavailable"),
    declined(401, "0002", "inactive"),
    declined(401, "0025", "not recognised"),
    Answered(
        expected=("approved", "40.00 off"),
        body=OTHER_CASE,
        more={"when": "after", "content_type": "APPLICATION/JSON"},
    ),
    Answered(expected=DOUBT, body={"message": "Approved"}, times=2),
    Answered(expected=DOUBT, times=2, more={"when": "after"}),
    Answered(expected=DOUBT, body={"responseCode": "7777", "message": "Approved"}, times=2),
    # Each try is refused, renews the token, and is refused again: nothing was done.
    Answered(
        expected=("queued", "Could not reach"), status=401, body={"message": "No token"}, times=4
    ),
)


def test_2xx_that_is_not_yes(shop: Shop) -> None:
    shop.settings.update(PATIENT)
    counter = Counter.opened(shop.web().url)
    sales = {}
    for case in CASES:
        card = shop.card()
        answer = {"status": case.status, **({"body": case.body} if case.body else {}), **case.more}
        match = {"path": REDEEM_PATH, "collector": card}
        shop.sandbox.control("faults", kind="status", match=match, times=case.times, **answer)
        form = counter.offered(card)
        page = counter.post(form)
        sales[card] = shop.saw(page.path, form.fields["client_ref"])
        state, words = case.expected
        assert (shop.state(card), words in heading(page)) == (state, True), (case, heading(page))
        assert page.status == 200 and (state == "approved") == ("40.00 off" in heading(page))
    hidden_from_all(shop, counter)

    # What was a doubt is asked to its end; what never left is the cashier's to give up.
    shop.started("settle")
    for case, card in zip(CASES, tuple(sales), strict=True):
        if case.expected[0] == "queued":
            page = counter.get(sales[card])
            counter.post(form_to(page.text, f"{sales[card]}pay-otherwise/"))
    shop.close()
    ended = {"doubt": "approved", "queued": "not_sent"}
    for case, card in zip(CASES, tuple(sales), strict=True):
        state = case.expected[0]
        assert shop.state(card) == ended.get(state, state)
        assert shop.effects(card) == (["redeem"] if shop.state(card) == "approved" else [])


def hidden_from_all(shop: Shop, counter: Counter) -> None:
    """Redeem with a hidden balance (202 and 0001): the answer has it, and nothing of ours does."""
    card = shop.card(**BALANCES, suppressed=True)
    forbidden = balances(shop, card)
    form = counter.offered(card)
    pages = [counter.post(form)]
    sale = shop.saw(pages[0].path, form.fields["client_ref"])
    forbidden |= balances(shop, card)
    assert (shop.state(card), "40.00 off" in heading(pages[0])) == ("approved", True)
    assert len(forbidden) >= 3
    reference = sale.split("/")[2]
    pages += [counter.get(sale), counter.get(f"{sale}receipt/"), counter.get("/today/")]
    pages += in_the_office(shop, counter, reference)
    stored = [sealed(shop)]
    for text in [page.text for page in pages] + stored:
        bare = re.sub(r"(?<=\d)[,.\s\u00a0\u202f](?=\d)", "", text)
        assert not [figure for figure in forbidden if figure in bare]
    # Logs, files and tables as they are; the search finds what is allowed to be there.
    assert traces.leaks(sorted(forbidden), shop.data, shop.database) == []
    assert traces.leaks([reference.replace("-", ""), reference], shop.data, shop.database)
    assert '"0001"' in stored[0] and shop.row(card).confirmation in stored[0]


def balances(shop: Shop, card: str) -> set[str]:
    """Return the figures that the programme itself tells of a card."""
    peer = Peer.signed_in(
        shop.sandbox.url,
        token_url=f"{shop.sandbox.url}/oauth/token",
        client_id="milepost",
        client_secret="sandbox",
        audience="https://partners.loyalty.com",
    )
    fields = {
        "acquirerId": "100000",
        "cardEntryMode": "Scan",
        "collectorNumber": card,
        "dateTime": "2026-11-20T12:00:00-05:00",
        "deviceId": "001",
        "postTaxBasketAmount": "43.35",
        "sponsorCode": "LOY1",
        "storeId": "0001",
        "traceId": "000000000001",
        "vendorId": "100087",
    }
    told = peer.post("/checkout/amcash/inquire", fields).fields
    found = {str(told[name]) for name in FIGURES if name in told}
    return {figure.partition(".")[0] for figure in found if len(figure) >= 8}


def in_the_office(shop: Shop, counter: Counter, reference: str) -> list[Page]:
    """Return what a manager sees of it: overview, log, transaction and CSV export."""
    manager = Counter.opened(counter.url, person=MANAGER)
    pages = [manager.get(path) for path in ("/office/", "/office/log/")]
    pages.append(manager.get(f"/office/log/{reference}/"))
    export = next(link for link in links_in(pages[1].text) if "/export/" in link)
    pages.append(manager.get(export))
    assert [page.status for page in pages] == [200] * 4
    assert reference in pages[3].text
    return pages


def sealed(shop: Shop) -> str:
    """Return every encrypted body and answer in the clear, as our own code reads them."""
    return shop.manage(
        "shell",
        "--no-imports",
        "-c",
        "from backoffice.journal import payloads as p; from backoffice.journal.models import *; "
        "[print(p._open(one.transaction, one).decode()) "
        "for one in Payload.objects.select_related('transaction')]",
    )
