"""Case 12: cancel, replay, reversal and acknowledgement meet: kept, or given back once."""

import threading
import time

from amcash.messages import REDEEM_PATH
from tests.cases.scale import PATIENT, times
from tests.cases.shop import Shop
from tests.live.counter import MANAGER, PAGE_S, Counter, Page, heading
from tests.servers.pages import form_to
from tests.servers.stack import eventually

ROUNDS = times(30)
# The acknowledgement comes a little earlier than the wish, at the same moment, a little later.
GAPS = ((0, 0.1), (0, 0), (0.1, 0))
KEPT, REVERSED = ["redeem"], ["redeem", "reverse"]


def at_once(
    *presses: tuple[Counter, str, dict[str, str]], waits_s: tuple[float, float] = (0, 0)
) -> list[Page]:
    """Send two forms at the same moment, or so much later, and return their pages."""
    gate = threading.Barrier(len(presses))
    pages: list[Page] = []

    def press(number: int) -> None:
        counter, address, fields = presses[number]
        gate.wait()
        time.sleep(waits_s[number])
        pages.append(counter.send(address, fields))

    threads = [threading.Thread(target=press, args=[number]) for number in range(len(presses))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=PAGE_S)
    assert [page.status < 400 for page in pages] == [True] * len(presses)
    return pages


def redeemed(shop: Shop, counter: Counter, card: str) -> tuple[str, Page]:
    """Redeem with a card and return the sale's address and page."""
    form = counter.offered(card)
    page = counter.post(form)
    return shop.saw(page.path, form.fields["client_ref"]), page


def test_cancel_races_replay_races_reversal(shop: Shop) -> None:
    shop.settings.update(PATIENT)
    front = shop.web()
    shop.started("settle")
    one, other = Counter.opened(front.url), Counter.opened(front.url, till=1, person=MANAGER)
    for number in range(ROUNDS):
        given_up_in_mid_replay(shop, one, pause_s=0.4 * number / ROUNDS)
        reversed_by_two(shop, one, other)
    decided = [
        given_up_as_it_is_shown(shop, one, other, waits_s=GAPS[number % len(GAPS)])
        for number in range(ROUNDS)
    ]
    evidence = shop.close()
    kept = [card for card in shop.cards if shop.effects(card) == KEPT]
    back = [card for card in shop.cards if shop.effects(card) == REVERSED]
    # Never both, never neither; a card that was given up holds what it held.
    assert len(kept) + len(back) == len(shop.cards) == 3 * ROUNDS
    assert set(kept) <= set(decided)
    wishes = {
        last4: (wanted, bool(is_presented))
        for last4, wanted, is_presented in shop.look_up(
            "SELECT collector_last4, wanted, presented_at IS NOT NULL FROM journal_transaction"
            " WHERE operation = 'redeem'"
        )
    }
    for card in shop.cards:
        wanted, is_presented = wishes[card[-4:]]
        is_back = card in back
        if card in decided:
            assert (wanted == "cancel", is_presented) == (is_back, not is_back)
    assert len(evidence.rows) == len(kept) + 2 * len(back)


def sends(shop: Shop, card: str) -> int:
    """Return how often this card's redemption has arrived at the programme."""
    key = shop.row(card).key
    return sum(one["key"] == key for one in shop.sandbox.exchanges(REDEEM_PATH))


def given_up_in_mid_replay(shop: Shop, counter: Counter, *, pause_s: float) -> None:
    """Press "Paid another way" while the sweep waits for the replay's answer."""
    card = shop.card()
    match = {"path": REDEEM_PATH, "collector": card}
    shop.sandbox.control("faults", kind="drop_after", match=match, times=2)
    shop.sandbox.control("faults", kind="delay", match=match, times=None, seconds=0.5)
    sale, page = redeemed(shop, counter, card)
    assert "Not confirmed" in heading(page)
    counter.post(form_to(page.text, f"{sale}check/"))
    cancel = form_to(page.text, f"{sale}cancel/")
    eventually(lambda: sends(shop, card) > 2)
    time.sleep(pause_s)
    counter.post(cancel)
    eventually(lambda: shop.effects(card) == REVERSED, within_s=60)


def reversed_by_two(shop: Shop, one: Counter, other: Counter) -> None:
    """Two people press Reverse on the same redemption at once."""
    card = shop.card()
    sale, page = redeemed(shop, one, card)
    one.send(f"{sale}present/", form_to(page.text, f"{sale}present/").fields)
    address = f"{sale}reverse/"
    forms = [form_to(who.get(address).text, address) for who in (one, other)]
    pages = at_once(
        *((who, address, form.fields) for who, form in zip((one, other), forms, strict=True))
    )
    # Both look at the one reversal there is.
    assert len({page.path for page in pages}) == 1 and pages[0].path != sale
    assert shop.effects(card) == REVERSED


def given_up_as_it_is_shown(
    shop: Shop, one: Counter, other: Counter, *, waits_s: tuple[float, float]
) -> str:
    """The tablet acknowledges the approval as the customer is said to have paid another way."""
    card = shop.card()
    sale, page = redeemed(shop, one, card)
    shown = form_to(page.text, f"{sale}present/").fields
    # The wish needs no more than the other browser's own token.
    wish = form_to(other.get(sale).text, f"{sale}present/").fields
    at_once((one, f"{sale}present/", shown), (other, f"{sale}cancel/", wish), waits_s=waits_s)
    return card
