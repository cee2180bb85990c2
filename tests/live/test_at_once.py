"""A platform that is slow, with real web processes; presses at once are case 5 (tests/cases)."""

import contextlib
import http.client
import threading
import time
from pathlib import Path

from amcash.messages import INQUIRE_PATH
from backoffice.processes import WEB_THREADS, WEB_WORKERS
from tests.live.counter import Counter
from tests.servers.stack import Sandbox, eventually, web_running

COLLECTOR = "80000010001"
# A platform that keeps every call, and a gate that keeps everyone before it, for so long that no
# machine is slow enough to be taken for them.
MUTE_S = 120
MUTE = {
    "PLATFORM_TOTAL_S": f"{MUTE_S}",
    "PLATFORM_GATE_WAIT_S": f"{MUTE_S}",
    "PLATFORM_LEASE_S": f"{MUTE_S + 10}",
}
CALLS_AT_ONCE = WEB_THREADS // 2
# However they spread over two processes, one of them is asked by as many as it has threads.
PEOPLE = WEB_WORKERS * WEB_THREADS


def test_pages_are_served_while_the_platform_answers_nobody(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with web_running(tmp_path / "milepost", sandbox, **MUTE) as web:
        people = [Counter.opened(web.url) for _ in range(PEOPLE)]
        reader = Counter.opened(web.url)
        sandbox.fault("delay", path=INQUIRE_PATH, seconds=MUTE_S, times=None, when="before")
        asking = [threading.Thread(target=asked, args=[one], daemon=True) for one in people]
        for one in asking:
            one.start()
        eventually(lambda: len(sandbox.exchanges(INQUIRE_PATH)) >= CALLS_AT_ONCE)
        time.sleep(1)
        took_s: list[float] = []
        # Either process answers, as it comes; enough pages meet both.
        for _ in range(20):
            started = time.monotonic()
            assert reader.get("/today/").status == 200
            took_s.append(time.monotonic() - started)
        assert [one.is_alive() for one in asking].count(True) >= CALLS_AT_ONCE
        # No thread at the platform, or at the gate before it, could have served any of them.
        assert max(took_s) < MUTE_S / 4, took_s
        # Whoever still waits does so for minutes.
        web.kill()
        for one in asking:
            one.join(timeout=120)


def asked(person: Counter) -> None:
    """Ask the platform for an offer; the server may be gone before there is one."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        person.asked(COLLECTOR)
