"""The web server is killed between send and answer: the sale is a doubt, then what it is."""

import json
import re
import threading
import urllib.error

from amcash.messages import REDEEM_PATH
from tests.live.counter import Counter, Page
from tests.servers.pages import form_to
from tests.servers.stack import Sandbox, Web, eventually

COLLECTOR = "80000010001"
# The platform takes this long, and a call may take a little longer; the kill comes meanwhile.
SLOW_S = 7
NOT_CONFIRMED = "Not confirmed"
WRONG_WORDS = ("declined", "Declined", "failed", "Refused", "try again")


class Sending(threading.Thread):
    """A form that is on its way; its page, or that the server went away."""

    def __init__(self, counter: Counter, action: str, fields: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self._what = (counter, action, fields)
        self.page: Page | None = None
        self.was_cut = False
        self.start()

    def run(self) -> None:
        counter, action, fields = self._what
        try:
            self.page = counter.send(action, fields)
        except (urllib.error.URLError, OSError):
            self.was_cut = True

    def ended(self) -> "Sending":
        """Wait until it has come back."""
        self.join(timeout=150)
        assert not self.is_alive()
        return self


def states(web: Web) -> list[dict[str, str]]:
    """Return state and number of every redemption, as the database has them."""
    said = web.manage(
        "shell",
        "--no-imports",
        "-c",
        "import json; from backoffice.journal.models import Transaction; print(json.dumps(list("
        "Transaction.objects.order_by('id').values('state', 'confirmation_number', 'fence', "
        "'response_code'))))",
    )
    found: list[dict[str, str]] = json.loads(said.strip().splitlines()[-1])
    return found


def heading(page: Page) -> str:
    """Return what a page says first."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    return found[1].strip() if found else ""


def test_killed_between_send_and_answer_a_sale_is_a_doubt_and_then_what_it_is(
    web: Web, sandbox: Sandbox, counter: Counter
) -> None:
    before = len(states(web))
    form = counter.offered(COLLECTOR)
    sandbox.fault("delay", path=REDEEM_PATH, seconds=SLOW_S)
    press = Sending(counter, form.action, form.fields)
    eventually(lambda: sandbox.effects(COLLECTOR))
    web.kill()
    assert press.ended().was_cut

    web.start()
    # Still signed in, still at this till, and the sale is there.
    address = counter.latest_sale()
    page = counter.get(address)
    assert page.status == 200 and "Approved" not in heading(page)
    assert not [word for word in WRONG_WORDS if word in heading(page)]
    # Its sender's lease ends, and nobody has asked again: the same address says doubt.
    eventually(lambda: NOT_CONFIRMED in heading(counter.get(address)))
    assert "Do not apply the discount" in counter.get(address).text
    assert [one["state"] for one in states(web)[before:]] == ["armed"]
    # The same form once more is the same sale, and sends nothing.
    again = counter.post(form)
    assert again.path == address
    assert len(sandbox.exchanges(REDEEM_PATH)) == 1
    # A new sale of the same collector has to wait for this one.
    other = counter.post(counter.offered(COLLECTOR))
    assert len(states(web)) == before + 1 and "/sale/" not in other.path

    web.manage("settle")
    (row,) = states(web)[before:]
    assert (row["state"], row["response_code"]) == ("approved", "0000")
    (effect,) = sandbox.effects(COLLECTOR)
    assert effect["confirmation"] == row["confirmation_number"]
    sent = sandbox.exchanges(REDEEM_PATH)
    assert len(sent) == 2
    assert len({(one["key"], one["body_sha256"]) for one in sent}) == 1
    settled = counter.get(address)
    assert row["confirmation_number"] in settled.text.replace(" ", "").replace("\xa0", "")
    assert NOT_CONFIRMED not in settled.text


def test_killed_before_the_platform_acted_and_paid_another_way_it_comes_to_nothing(
    web: Web, sandbox: Sandbox, counter: Counter
) -> None:
    form = counter.offered(COLLECTOR)
    sandbox.fault("delay", path=REDEEM_PATH, seconds=SLOW_S, when="before")
    press = Sending(counter, form.action, form.fields)
    eventually(lambda: sandbox.exchanges(REDEEM_PATH))
    web.kill()
    assert press.ended().was_cut
    web.start()
    address = counter.latest_sale()
    eventually(lambda: NOT_CONFIRMED in heading(counter.get(address)))
    # The customer pays with money: whatever the platform did or will do is given back.
    page = counter.post(form_to(counter.get(address).text, f"{address}cancel/"))
    assert page.path == address
    assert NOT_CONFIRMED not in heading(page)
    web.manage("settle")
    assert [one["kind"] for one in sandbox.effects(COLLECTOR)] == ["redeem", "reverse"]
    assert sandbox.total_miles() == 0
    sent = sandbox.exchanges(REDEEM_PATH)
    assert len({(one["key"], one["body_sha256"]) for one in sent}) == 1
    assert [one["state"] for one in states(web)[-2:]] == ["approved", "approved"]


def test_killed_before_anything_was_sent_nothing_is_taken(
    web: Web, sandbox: Sandbox, counter: Counter
) -> None:
    form = counter.offered(COLLECTOR)
    web.kill()
    assert Sending(counter, form.action, form.fields).ended().was_cut
    web.start()
    assert not sandbox.effects(COLLECTOR)
    # The screen is still open: its button works once the server is back, once.
    page = counter.post(form)
    assert "/sale/" in page.path
    assert len(sandbox.effects(COLLECTOR)) == 1
