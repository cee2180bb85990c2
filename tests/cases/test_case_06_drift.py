"""Case 6: one build of Milepost sends first, is killed, and another build sends again."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from amcash.messages import REDEEM_PATH
from tests.cases.scale import CALL_S, PATIENT
from tests.cases.shop import Shop
from tests.live.counter import Counter, Sending
from tests.servers.stack import eventually

TORONTO = ZoneInfo("America/Toronto")
BUILD_A = {"CASES_BUILD": "a", "PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "LANGUAGE": "en"}
BUILD_B = {
    "CASES_BUILD": "b",
    "PYTHONHASHSEED": "4242",
    "LC_ALL": "fr_CA.UTF-8",
    "LANGUAGE": "fr",
    "TZ": "Asia/Kolkata",
    "PYTHONUTF8": "0",
}


def late_evening() -> datetime:
    """Return the next 23:50 in Toronto."""
    now = datetime.now(TORONTO)
    evening = now.replace(hour=23, minute=50, second=0, microsecond=0)
    return evening if evening > now else evening + timedelta(days=1)


def test_byte_drift_across_a_deploy(shop: Shop) -> None:
    shop.settings.update(PATIENT)
    clock = shop.folder / "clock"
    evening = late_evening()

    def turn_to(moment: datetime) -> None:
        clock.write_text(str((moment - datetime.now(UTC)).total_seconds()))

    turn_to(evening)
    shop.sandbox.control("clock", now=evening.isoformat())
    first = shop.web(is_altered=True, CASES_CLOCK=str(clock), **BUILD_A)
    counter = Counter.opened(first.url)
    lost, executed = shop.card(), shop.card()
    presses = []
    for card, when in ((lost, "before"), (executed, "after")):
        match = {"path": REDEEM_PATH, "collector": card}
        shop.sandbox.control("faults", kind="hang", match=match, when=when)
        form = counter.offered(card)
        presses.append(Sending(counter, form.action, form.fields))
    eventually(lambda: shop.effects(executed) and len(sends(shop)) >= 2)
    first.web.kill()
    for press in presses:
        press.ended()
    # The clock's jump ends the lease at once, and the oracle holds a call whose end nobody saw for
    # under way as long as it may last.
    time.sleep(CALL_S)

    # After midnight, with fresh tokens, in another language and another way to write JSON.
    shop.sandbox.control("tokens/expire")
    turn_to(evening + timedelta(minutes=25))
    shop.sandbox.control("clock", now=(evening + timedelta(minutes=25)).isoformat())
    second = shop.web(is_altered=True, CASES_CLOCK=str(clock), **BUILD_B)
    shop.manage("settle", is_altered=True, CASES_CLOCK=str(clock), **BUILD_B)
    shop.close()
    for card in (lost, executed):
        assert (shop.state(card), shop.effects(card)) == ("approved", ["redeem"])
        ours = [one for one in sends(shop) if one["key"] == shop.row(card).key]
        assert len(ours) >= 2
        alike = {
            (one["method"], one["path"], one["body_sha256"], one["headers"]["content-type"])
            for one in ours
        }
        assert len(alike) == 1
    # The second build would have written it otherwise, and does for a sale of its own.
    by_b = Counter.opened(second.url)
    card = shop.card()
    page = by_b.post(by_b.offered(card))
    assert page.status == 200 and shop.state(card) == "approved"
    lengths = [one["headers"]["content-length"] for one in sends(shop)]
    assert len(set(lengths)) == 2 and int(lengths[0]) > int(lengths[-1]) + 1000


def sends(shop: Shop) -> list[dict[str, Any]]:
    """Return every redemption as it arrived."""
    return shop.sandbox.exchanges(REDEEM_PATH)
