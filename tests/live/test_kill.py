"""The web server is killed before the platform acted, or before anything was sent. What happens
when it is killed later is case 1 (tests/cases).
"""

import json

from amcash.messages import REDEEM_PATH
from tests.live.counter import Counter, Sending, heading
from tests.servers.pages import form_to
from tests.servers.stack import Sandbox, Web, eventually

COLLECTOR = "80000010001"
# The platform takes this long, and a call may take a little longer; the kill comes meanwhile.
SLOW_S = 7
NOT_CONFIRMED = "Not confirmed"


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
