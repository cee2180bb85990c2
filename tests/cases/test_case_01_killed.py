"""Case 1: the programme has acted and says nothing, and the web is killed."""

import time

from amcash.messages import REDEEM_PATH
from tests.cases.scale import LEASE_S
from tests.cases.shop import Front, Shop
from tests.live.counter import Counter, Page, Sending, heading
from tests.servers.pages import Form, form_to
from tests.servers.stack import eventually

NOT_CONFIRMED = "Not confirmed"
AFTER_EFFECT_S = (0.0, 0.001, 0.05)
WRONG_WORDS = ("declined", "Declined", "failed", "Refused", "try again", "Approved", " off.")


def press_and_kill(
    shop: Shop, front: Front, cards: list[str], after_s: float | None
) -> list[tuple[str, Counter, Form]]:
    """Press for each card, and kill so long after the effects, or in the middle of the retry."""
    pressed = []
    for till, card in enumerate(cards):
        counter = Counter.opened(front.url, till=till)
        match = {"path": REDEEM_PATH, "collector": card}
        if after_s is None:
            shop.sandbox.control("faults", kind="drop_after", match=match)
        shop.sandbox.control("faults", kind="hang", match=match, times=None)
        pressed.append((card, counter, counter.offered(card)))
    sending = [Sending(counter, form.action, form.fields) for _, counter, form in pressed]
    sends = 1 if after_s is None else 0

    def are_there() -> bool:
        arrived = [one for one in shop.sandbox.exchanges(REDEEM_PATH) if one["finished_at"] is None]
        done = [one for card in cards for one in shop.effects(card)]
        return len(done) == len(cards) and (not sends or len(arrived) >= len(cards) + hung)

    hung = sum(one["finished_at"] is None for one in shop.sandbox.exchanges(REDEEM_PATH))
    eventually(are_there)
    time.sleep(after_s or 0)
    front.web.kill()
    for one in sending:
        one.ended()
    front.start()
    return pressed


def doubted(counter: Counter, sale: str) -> Page:
    """Return the sale's page once the right to send of whoever was killed is over."""
    eventually(lambda: NOT_CONFIRMED in heading(counter.get(sale)), within_s=LEASE_S + 30)
    return counter.get(sale)


def test_effect_then_silence_then_kill(shop: Shop) -> None:
    front = shop.web()
    pressed = []
    for after_s in (*AFTER_EFFECT_S, None):
        pressed += press_and_kill(shop, front, [shop.card(), shop.card()], after_s)
    sales = {}
    for card, counter, form in pressed:
        # The same form again, after a reload: it is the same sale, and sends nothing.
        sent = len(shop.sandbox.exchanges(REDEEM_PATH))
        page = counter.post(form)
        sales[card] = shop.saw(page.path, form.fields["client_ref"])
        assert len(shop.sandbox.exchanges(REDEEM_PATH)) == sent
        assert not [word for word in WRONG_WORDS if word in heading(page)]
    for number, (card, counter, _form) in enumerate(pressed):
        page = doubted(counter, sales[card])
        assert "Do not apply the discount" in page.text
        # Another sale of the same collector waits for this one.
        assert "/sale/" not in counter.post(counter.offered(card)).path
        if number % 2:
            page = counter.post(form_to(page.text, f"{sales[card]}cancel/"))
            assert NOT_CONFIRMED not in heading(page)
    assert len(shop.rows()) == len(pressed)

    shop.sandbox.clear_faults()
    shop.started("settle")
    evidence = shop.close()
    for number, (card, counter, _form) in enumerate(pressed):
        sent_here = [one for one in evidence.exchanges if one.key == shop.row(card).key]
        assert len(sent_here) >= 2
        assert len({(one.path, one.body_sha256) for one in sent_here}) == 1
        page = counter.get(sales[card])
        if number % 2:
            assert shop.effects(card) == ["redeem", "reverse"]
            assert shop.state(card, "reverse") == "approved"
            assert "reversed" in heading(page)
        else:
            assert shop.effects(card) == ["redeem"]
            assert shop.row(card).confirmation in page.text.replace("\xa0", "")
            assert "40.00" in heading(page)
