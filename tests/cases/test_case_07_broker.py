"""Case 7: the broker is gone, comes back without a memory, and its workers do nothing."""

import contextlib
import itertools
import json
import os
import socket
import struct
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from amcash.messages import REDEEM_PATH
from tests.cases.scale import IS_FULL
from tests.cases.shop import Shop
from tests.chaos import traces
from tests.chaos.processes import Broker, Process
from tests.live.counter import Counter
from tests.servers.pages import form_to
from tests.servers.stack import eventually

# Ten minutes; in `bin/test` it is down long enough for every process to have missed it.
DOWN_S = 600.0 if IS_FULL else 4.0
MORE_THAN_BEFORE_S = 0.2


class Customers(threading.Thread):
    """Sales without end at one till; one in three is lost on its way and becomes a doubt."""

    def __init__(self, shop: Shop, url: str, till: int) -> None:
        super().__init__(daemon=True)
        self._shop = shop
        self._counter = Counter.opened(url, till=till)
        self._cards = [shop.card() for _ in range(12)]
        self._over = threading.Event()
        self.took_s: list[tuple[float, float]] = []
        self.faults: list[str] = []
        self.start()

    def run(self) -> None:
        for turn in itertools.count():
            if self._over.wait(0.1):
                return
            try:
                self._serve(self._cards[turn % len(self._cards)], is_lost=turn % 3 == 0)
            except Exception as error:
                self.faults.append(repr(error))

    def finish(self) -> None:
        """Serve the customer at hand and go home; nobody met a page that failed."""
        self._over.set()
        self.join(timeout=60)
        assert not self.faults, self.faults[:3]

    def _serve(self, card: str, *, is_lost: bool) -> None:
        page = self._counter.asked(card)
        with contextlib.suppress(AssertionError):
            form = form_to(page.text, "/redeem/")
            if is_lost:
                match = {"path": REDEEM_PATH, "collector": card}
                self._shop.sandbox.control("faults", kind="drop_after", match=match, times=2)
            began = time.monotonic()
            page = self._counter.post(form)
            self.took_s.append((began, time.monotonic() - began))
            # A card whose last redemption is still in doubt is refused, and nothing is sent.
            if page.path.startswith("/sale/"):
                self._shop.saw(page.path, form.fields["client_ref"])


class DeafBroker(threading.Thread):
    """Takes connections at the broker's address and says nothing; notes who came."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        path.unlink(missing_ok=True)
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._open: list[socket.socket] = []
        self.pids: set[int] = set()
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                told = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
                self.pids.add(struct.unpack("3i", told)[0])
                self._open.append(peer)

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            one.close()
        self.join(timeout=10)
        self._path.unlink(missing_ok=True)


def test_broker_gone_and_brain_dead(shop: Shop) -> None:
    broker = Broker(folder=shop.folder / "broker")
    shop.stack.callback(broker.kill)
    broker.start()
    shop.settings["CELERY_BROKER_URL"] = broker.url
    front = shop.web()
    settle = shop.started("settle")
    celery = [shop.started("worker"), beat(shop, 0)]
    customers = [Customers(shop, front.url, till) for till in (0, 1)]
    eventually(lambda: "worker" in senders(shop), within_s=60)

    # Killed with all it held, away, then there without a word.
    broker.kill()
    gone_at = time.monotonic()
    time.sleep(DOWN_S / 2)
    deaf = DeafBroker(broker.folder / "valkey.sock")
    webs = [os.getpgid(pid) for pid in front.web.children()]
    time.sleep(DOWN_S / 2)
    back_at = time.monotonic()
    deaf.finish()
    # Whoever serves pages never asked it for anything, so it cannot have waited.
    groups = {os.getpgid(pid) for pid in deaf.pids if Path(f"/proc/{pid}").exists()}
    assert webs and not groups.intersection(webs)

    # Back and empty, and its one worker is connected and takes nothing.
    broker.start()
    for process in celery:
        process.kill()
    idle = shop.started("worker", "--queues", "elsewhere", log="idle")
    eventually(lambda: idle.is_alive() and sweeps_by(shop, settle), within_s=60)
    settled_by_settle_alone(shop, customers, gone_at, back_at)

    # Without the sweep that needs no broker, the doctor says so.
    beat(shop, 0)
    settle.kill()
    lost = lose_one(shop, front.url)
    assert health(shop) >= {"due_too_long"}
    assert shop.state(lost) == "doubt"
    # Three beats and two workers that do work are as good as one.
    beats = [beat(shop, number) for number in (1, 2)]
    workers = [shop.started("worker", "-n", f"{number}@%h", log=f"w{number}") for number in (1, 2)]
    shop.close()
    assert all(process.is_alive() for process in (*beats, *workers))
    assert "worker" in senders(shop) and shop.effects(lost) == ["redeem"]


def settled_by_settle_alone(
    shop: Shop, customers: list[Customers], gone_at: float, back_at: float
) -> None:
    """Everything settles; a press took no longer while there was no broker."""
    for one in customers:
        one.finish()
    # A press that was refused, its card still in doubt, has left its loss booked.
    shop.sandbox.clear_faults()
    shop.settled()
    took = [took for one in customers for took in one.took_s]
    before = sorted(s for at, s in took if at < gone_at)
    during = sorted(s for at, s in took if gone_at <= at < back_at)
    assert before and during
    if IS_FULL:
        # Two calls at most, both ways; the rest is what a broker could have added.
        assert during[len(during) * 99 // 100] <= before[-1] + MORE_THAN_BEFORE_S


def beat(shop: Shop, number: int) -> Process:
    """Start a beat with a schedule of its own."""
    schedule = str(shop.data / f"beat-schedule-{number}")
    return shop.started("beat", "--schedule", schedule, log=f"beat-{number}")


def senders(shop: Shop) -> set[str]:
    """Return who has sent so far: web, settle, worker."""
    return {attempt.sender.split()[0] for row in shop.rows() for attempt in row.attempts}


def sweeps_by(shop: Shop, settle: Process) -> bool:
    """Whether the sweep without a broker is at work."""
    return settle.is_alive() and "settle" in senders(shop)


def lose_one(shop: Shop, url: str) -> str:
    """Make a doubt that nobody settles, and return its card."""
    card = shop.card()
    match = {"path": REDEEM_PATH, "collector": card}
    shop.sandbox.control("faults", kind="drop_after", match=match, times=2)
    counter = Counter.opened(url)
    form = counter.offered(card)
    page = counter.post(form)
    shop.saw(page.path, form.fields["client_ref"])
    assert traces.open_rows(shop.database)
    return card


def health(shop: Shop) -> set[str]:
    """Return what the doctor finds out of bounds, two minutes from now."""
    later = (datetime.now(UTC) + timedelta(minutes=2)).isoformat()
    done = shop.managed("doctor", "--json", is_altered=True, CASES_AT=later)
    assert done.returncode != 0
    return {str(fault["name"]) for fault in json.loads(done.stdout)["faults"]}
