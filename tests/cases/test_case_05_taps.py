"""Case 5: one press becomes many, at two web servers, and the one that sends is killed."""

import threading

from amcash.messages import REDEEM_PATH
from tests.cases.shop import Shop
from tests.live.counter import Counter, Sending
from tests.servers.stack import eventually

TAPS = 10


def test_ten_taps_two_tablets_back_reload(shop: Shop) -> None:
    fronts = [shop.web(), shop.web()]
    card = shop.card()
    counter = Counter.opened(fronts[0].url)
    tablets = [counter, counter.beside(fronts[1].url)]
    form = counter.offered(card)
    shop.sandbox.fault("delay", path=REDEEM_PATH, seconds=0.8)
    gate = threading.Barrier(TAPS)

    class Tap(Sending):
        def run(self) -> None:
            gate.wait()
            super().run()

    taps = [Tap(tablets[turn % 2], form.action, form.fields) for turn in range(TAPS)]
    eventually(lambda: shop.effects(card))
    # The one that has sent is killed before it hears of it; the other one goes on.
    sender = int(shop.row(card).attempts[0].sender.rpartition("/")[2])
    killed = next(front for front in fronts if sender in front.web.children())
    killed.web.kill()
    pages = [page for tap in taps if (page := tap.ended().page) is not None]
    killed.start()
    # Back and reload, at both.
    pages += [tablet.post(form) for tablet in tablets]
    sales = {shop.saw(page.path, form.fields["client_ref"]) for page in pages}
    assert len(sales) == 1 and {page.status for page in pages} == {200}
    (sale,) = sales
    assert [tablet.get(sale).status for tablet in tablets] == [200, 200]
    # With another amount it is another content: refused, and the first one is untouched.
    altered = counter.post(form, units="1")
    assert "/sale/" not in altered.path and "other amounts" in altered.text

    shop.started("settle")
    evidence = shop.close()
    (row,) = evidence.rows
    assert row.state == "approved" and shop.effects(card) == ["redeem"]
    assert {one.key for one in evidence.exchanges} == {row.key}
    assert "40.00" in counter.get(sale).text
