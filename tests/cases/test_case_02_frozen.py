"""Case 2: a sender is stopped after it was allowed to send, and wakes when others have sent."""

import os
import signal
import time
from pathlib import Path

from amcash.messages import REDEEM_PATH
from tests.cases.scale import LEASE_S
from tests.cases.shop import Front, Shop
from tests.live.counter import Counter, Sending
from tests.servers.stack import eventually


def stopped_worker(front: Front) -> int:
    """Return the web worker that is stopped, or 0."""
    for worker in front.web.children():
        state = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "T":
            return worker
    return 0


def test_the_frozen_sender(shop: Shop) -> None:
    # Stopped before its last look at the clock, after it, and between its own two writes.
    fronts = {
        where: shop.web(is_altered=True, CASES_FREEZE=where) for where in ("armed", "head", "body")
    }
    cards = {where: shop.card() for where in fronts}
    presses = {}
    for where, front in fronts.items():
        counter = Counter.opened(front.url)
        form = counter.offered(cards[where])
        presses[where] = (Sending(counter, form.action, form.fields), form.fields["client_ref"])
    workers = {
        where: eventually(lambda front=front: stopped_worker(front))  # type: ignore[misc]
        for where, front in fronts.items()
    }
    frozen_at = time.monotonic()
    shop.freezes = len(workers)
    shop.started("settle")
    # The sweep asks when the lease is over, under the same key, and no other is made meanwhile.
    for card in cards.values():
        eventually(lambda card=card: shop.state(card) == "approved", within_s=LEASE_S + 30)  # type: ignore[misc]
        assert shop.effects(card) == ["redeem"]
    assert len(shop.rows()) == len(cards)
    time.sleep(max(0.0, frozen_at + 3 * LEASE_S - time.monotonic()))

    for worker in workers.values():
        os.kill(worker, signal.SIGCONT)
    for where, (press, client_ref) in presses.items():
        page = press.ended().page
        # It believes the log and not its own right, which is long over.
        assert page is not None and page.status == 200, where
        assert shop.saw(page.path, client_ref) and "40.00" in page.text

    rows = {row.last4: row for row in shop.close().rows}
    sent = {where: shop.sandbox.exchanges(REDEEM_PATH) for where in cards}
    for where, card in cards.items():
        row = rows[card[-4:]]
        assert shop.effects(card) == ["redeem"]
        ours = [one for one in sent[where] if one["key"] == row.key]
        assert len({(one["path"], one["body_sha256"]) for one in ours if one["status"]}) == 1
        # The sweep's; and a late twin only of whom stopped after its last look at the clock.
        whole = [one for one in ours if one["status"]]
        assert len(whole) == (2 if where == "body" else 1), where
        assert [one["replay"] for one in whole[1:]] == [True] * (len(whole) - 1)
