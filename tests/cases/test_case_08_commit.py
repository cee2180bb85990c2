"""Case 8: whoever commits does not learn whether it happened, at the right to send and at the
result; and the database stops without warning, again and again.
"""

import contextlib
import random
import time
from pathlib import Path

from django.db import connection

from amcash.messages import REDEEM_PATH
from tests.cases.cutter import Cutter, cutting
from tests.cases.scale import times
from tests.cases.shop import SALE, Front, Place, Shop, place_prepared, shop_open
from tests.live.counter import Counter, Sending
from tests.servers import postgres
from tests.servers.pages import Form
from tests.servers.stack import eventually

# What is committed, and on which side of it the news is lost.
MOMENTS = tuple((what, side) for what in ("arm", "result") for side in ("before", "after"))
STOPS = times(50)


def test_did_the_commit_happen(_place: Place, tmp_path: Path) -> None:
    if connection.vendor == "postgresql":
        on_postgresql(tmp_path)
    else:
        with shop_open(_place, tmp_path / "shop", {}) as shop:
            on_sqlite(shop)


def on_sqlite(shop: Shop) -> None:
    """There is no link to cut: the process itself ends on either side of its commit."""
    note = shop.folder / "die"
    front = shop.web("--workers", "1", is_altered=True, CASES_DIE=str(note))
    shop.started("settle")
    for what, side in MOMENTS:
        counter, card = Counter.opened(front.url), shop.card()
        form = counter.offered(card)
        note.write_text(f"{what} {side}")
        assert Sending(counter, form.action, form.fields).ended().was_cut
        assert not note.exists()
        front.web.kill()
        there_is_what_was_committed(shop, card, what, side)
        front.start()
        press_until_answered(shop, counter, form)
    every_sale_happened_once(shop)


def on_postgresql(folder: Path) -> None:
    """The link is cut at a commit; then the server itself stops."""
    with postgres.serving() as server, contextlib.ExitStack() as stack:
        place = stack.enter_context(place_prepared(folder / "prepared", server.address))
        shop = stack.enter_context(shop_open(place, folder / "shop", {}))
        cutter = stack.enter_context(cutting(server.folder, folder / "link"))
        address = shop.database.replace(str(server.folder), str(cutter.folder))
        front = shop.web(DATABASE_URL=address)
        shop.started("settle")
        for what, side in MOMENTS:
            cut_at(shop, front, cutter, what, side)
        for _turn in range(STOPS):
            stop_at_once(shop, front, server)
        every_sale_happened_once(shop)


def cut_at(shop: Shop, front: Front, cutter: Cutter, what: str, side: str) -> None:
    """Cut the link at one commit of a press, and press again."""
    counter, card = Counter.opened(front.url), shop.card()
    form = counter.offered(card)
    cutter.cut_next(what, side)
    page = counter.post(form)
    assert cutter.has_cut
    # The screen does not know either, and says neither yes nor no.
    assert page.status == 500 or SALE.match(page.path), page
    there_is_what_was_committed(shop, card, what, side)
    press_until_answered(shop, counter, form)


def there_is_what_was_committed(shop: Shop, card: str, what: str, side: str) -> None:
    """No send without a row, and no row that a commit did not make."""
    rows = [row for row in shop.rows() if row.last4 == card[-4:]]
    if what == "arm":
        assert len(rows) == (side == "after")
        assert len(shop.effects(card)) <= len(rows)
    else:
        assert len(rows) == 1 and shop.effects(card) == ["redeem"]
        assert side == "before" or rows[0].state == "approved"


def press_until_answered(shop: Shop, counter: Counter, form: Form) -> None:
    """Press the same form until it leads to a sale."""

    def sale() -> str | None:
        with contextlib.suppress(OSError):
            page = counter.post(form)
            if page.status == 200 and SALE.match(page.path):
                return shop.saw(page.path, form.fields["client_ref"])
        return None

    eventually(sale, within_s=60)


def stop_at_once(shop: Shop, front: Front, server: postgres.Server) -> None:
    """Stop the server at some moment of a press, start it, and press again."""
    card = shop.card()
    found = eventually(lambda: ready(front, card), within_s=60)
    assert found is not None
    counter, form = found
    press = Sending(counter, form.action, form.fields)
    time.sleep(random.uniform(0, 0.15))
    server.stop_at_once()
    press.ended()
    server.wait()
    press_until_answered(shop, counter, form)


def ready(front: Front, card: str) -> tuple[Counter, Form] | None:
    """Return a till with a redemption to confirm, once the web has found its database again."""
    with contextlib.suppress(OSError, AssertionError):
        counter = Counter.opened(front.url)
        return counter, counter.offered(card)
    return None


def every_sale_happened_once(shop: Shop) -> None:
    """One operation, one key and one effect for every press."""
    evidence = shop.close()
    assert len(evidence.rows) == len(shop.cards)
    for card in shop.cards:
        assert (shop.state(card), shop.effects(card)) == ("approved", ["redeem"])
    keys = {one.key for one in evidence.exchanges if one.path == REDEEM_PATH}
    assert keys == {row.key for row in evidence.rows}
