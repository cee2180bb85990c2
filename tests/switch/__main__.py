"""`python -m tests.switch`: schemathesis over real sockets, against a Milepost of its own (web
server, `settle --forever`) that faces a sandbox of its own. Every check, stateful on.

Prints what was sent and found; leaves with 1 when it found something, made fewer than 10,000 cases
or did not follow every link of a good answer to an approval. `--cases` and `--flows` make it longer
or shorter.
"""

import argparse
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from tests.servers.stack import Sandbox, Web, ask, sandbox_running, web_running
from tests.switch import conformance
from tests.switch.findings import Findings, lines
from tests.switch.reader import Reader, links, of_the_sandbox

COLLECTORS = 10
# PENDING, and CONFIRMED after three looks.
SLOW_CARD = "80000020202"
LEAST = 10_000
# Where a walk leads is left to chance: they begin anew until all links were followed.
MOST_WALKS = 12
# Links from other answers need a platform that is slow, or a collector who is special.
FIRM = "[200]"


def seeded(sandbox: Sandbox) -> tuple[str, ...]:
    """Give collectors more miles than a run can use up; return their cards."""
    cards = [f"8100000{number:04d}" for number in range(COLLECTORS)]
    rich = {"cash_miles": 10**9, "dream_miles": 10**6, "daily_cap_cents": 10**9}
    members = [{"collector": card, **rich} for card in cards]
    # Whose balances may not be shown is answered by another status.
    members[0]["suppressed"] = True
    sandbox.control("seed", members=members)
    # Otherwise everything after a collector's first event would only be told to wait for its turn.
    sandbox.control("settings", event_answers="confirmed")
    return (*cards, SLOW_CARD)


def reader(web: Web, cards: tuple[str, ...]) -> Reader:
    """Enrol a till of the demo partner."""
    said = web.manage("enrol_device", "--store", "0001", "--device", "002", "--token")
    return Reader(
        token=said.strip().splitlines()[-1],
        sponsor="LOY1",
        vendor="100087",
        acquirer="100000",
        store="0001",
        device="002",
        cards=cards,
    )


def untried(document: dict[str, Any], findings: Findings) -> list[str]:
    """Return the links that were never followed to an approval."""
    return [link for link in links(document) if not findings.approved(link)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.switch", description=__doc__)
    parser.add_argument("--cases", type=int, default=600, help="generated for each call")
    parser.add_argument("--flows", type=int, default=100, help="walks along the links at a time")
    parser.add_argument("--least", type=int, default=LEAST, help="cases that there must be in all")
    wanted = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        sandbox_running(Path(folder, "sandbox")) as sandbox,
    ):
        cards = seeded(sandbox)
        with web_running(Path(folder, "milepost"), sandbox) as web, web.settling():
            till = reader(web, cards)
            served = json.loads(ask("GET", f"{web.url}/api/schema/").body)
            document = of_the_sandbox(till.read(served))
            tell = partial(print, flush=True)
            began_at = time.monotonic()
            config = partial(
                conformance.config, till, base_url=web.url, flows=wanted.flows, steady=False
            )
            findings = conformance.run(document, config(cases=wanted.cases), hear=tell)
            for _ in range(MOST_WALKS):
                conformance.run(document, config(cases=0), hear=tell, before=findings)
                left = untried(document, findings)
                went_far = not any(FIRM in link for link in left)
                if went_far:
                    break
            took_s = time.monotonic() - began_at
            broken = [line for line in web.said().splitlines() if "switch.broken" in line]
    print("\n".join(lines(findings)))
    print(f"{took_s:.0f} s; {len(broken)} faults in the web server's log")
    is_long = findings.total >= wanted.least
    if not is_long:
        print(f"Fewer than {wanted.least} cases.")
    for link in left:
        print(f"Never followed to an approval: {link}")
    return 0 if is_long and went_far and not findings.problems and not broken else 1


if __name__ == "__main__":
    sys.exit(main())
