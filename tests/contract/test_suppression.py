"""Where the programme forbids a balance (0001, 0005), none is anywhere: screen, paper, log line,
export or database. It answers with balances all the same, so each place must take them out.
"""

import html
import logging
import re
from collections.abc import Iterable
from dataclasses import asdict
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from amcash.messages import BALANCE_FIELDS
from amcash.receipts import receipt_for
from backoffice.exports import transactions
from backoffice.journal import payloads
from backoffice.journal.models import Payload, Transaction
from backoffice.journal.selectors import EVERY_STORE, LogFilters
from backoffice.journal.states import Operation
from tests.cast import COLLECTOR, COLLECTOR_SUPPRESSED, Cast
from tests.contract import acts
from tests.contract.peer import Peer, sample
from tests.servers.pages import form_to
from tests.servers.stack import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]

SUPPRESSED_LOCKED = "80000010004"
LOCKED = "80000010005"
# Figures so long that they occur nowhere by chance.
ACCOUNT = {
    "cash_miles": 7_654_321_987,
    "dream_miles": 8_765_432_198,
    "daily_cap_cents": 987_654_000,
}
# Once in many runs a moment's microseconds are a figure's digits.
_FRACTION = re.compile(r"(?<=:\d\d)\.\d{6}")
# Typed together, a thousands separator of either language must not hide a figure.
_GROUPING = re.compile(r"(?<=\d)[,.\s\u00a0\u202f](?=\d)")


@pytest.fixture(autouse=True)
def _accounts_with_telling_balances(sandbox: Sandbox) -> None:
    flags = {
        COLLECTOR: {},
        COLLECTOR_SUPPRESSED: {"suppressed": True},
        SUPPRESSED_LOCKED: {"suppressed": True, "locked": True},
        LOCKED: {"locked": True},
    }
    members = [{"collector": number, **ACCOUNT, **more} for number, more in flags.items()]
    sandbox.control("seed", members=members)


def figures(peer: Peer, number: str) -> set[str]:
    """Return the balance figures that the platform itself gives away about a member just now."""
    one = next(one for one in sample("samples") if one["name"] == "inquire")
    answer = peer.post(one["path"], {**one["request"], "collectorNumber": number}).fields
    found = {answer[name].removesuffix(".00") for name in BALANCE_FIELDS if name in answer}
    assert str(ACCOUNT["dream_miles"]) in found and len(found) >= 4
    assert all(len(figure) >= 6 for figure in found)
    return found


def leaks(text: str, forbidden: Iterable[str]) -> set[str]:
    """Return the figures that a text gives away, however their digits are grouped."""
    text = _FRACTION.sub("", html.unescape(text))
    both = f"{text}\n{_GROUPING.sub('', text)}"
    return {
        figure
        for figure in forbidden
        if re.search(rf"(?<![0-9A-Za-z]){figure}(?![0-9A-Za-z])", both)
    }


def everything_stored() -> str:
    """Return every column of every row, what is encrypted or encoded in the clear as well."""
    parts: list[object] = []
    for model in apps.get_models():
        for values in model._base_manager.values_list():
            parts.extend(bytes(v) if isinstance(v, memoryview) else v for v in values)
    parts.extend(session.get_decoded() for session in Session.objects.all())
    parts.append(everything_sealed())
    return "\n".join(str(part) for part in parts)


def everything_sealed() -> str:
    """Return every encrypted body and answer in the clear."""
    found = Payload.objects.select_related("transaction")
    return "\n".join(payloads._open(one.transaction, one).decode() for one in found)


class Till:
    """North's first till and the back office in one browser, and every page they showed."""

    def __init__(self, cast: Cast) -> None:
        self.browser = Client()
        self.browser.force_login(cast.manager)
        self.browser.post(reverse("cashier:till"), {"till": cast.till.pk})
        self.pages: dict[str, str] = {}

    def scan(self, number: str) -> str:
        """Scan a card, type $43.35, and return what the programme offers."""
        page = self._post("cashier:card", {"value": number, "entry": "SCAN"})
        amount = form_to(page, reverse("cashier:offer"))
        return self._post("cashier:offer", {**amount.fields, "basket": "43.35"})

    def redeem(self, number: str) -> Transaction:
        """Redeem what is preselected."""
        offered = form_to(self.scan(number), reverse("cashier:redeem"))
        self._post("cashier:redeem", offered.fields)
        return Transaction.objects.get(operation=Operation.REDEEM)

    def give_back(self, row: Transaction) -> Transaction:
        """Reverse a redemption from its own screen."""
        address = reverse("cashier:reverse", args=[row.reference])
        page = self._get(address)
        self.pages[f"{address} posted"] = self._text(
            self.browser.post(address, form_to(page, address).fields, follow=True)
        )
        return Transaction.objects.get(operation=Operation.REVERSE)

    def look_everywhere(self) -> None:
        """Open every page that tells of a transaction."""
        self._get(reverse("cashier:home"))
        self._get(reverse("cashier:today"))
        self._get(reverse("cashier:today") + "?of=store")
        for name in ("office:home", "office:log", "office:export"):
            self._get(reverse(name))
        for row in Transaction.objects.all():
            for name in ("cashier:sale", "cashier:status", "office:transaction"):
                self._get(reverse(name, args=[row.reference]))

    def print_paper(self, row: Transaction) -> str:
        """Return the page that is printed. It is kept apart from the screens."""
        address = reverse("cashier:receipt", args=[row.reference])
        return self._text(self.browser.get(address))

    def _get(self, address: str) -> str:
        self.pages[address] = self._text(self.browser.get(address))
        return self.pages[address]

    def _post(self, name: str, fields: dict[str, str]) -> str:
        self.pages[name] = self._text(self.browser.post(reverse(name), fields, follow=True))
        return self.pages[name]

    @staticmethod
    def _text(response: object) -> str:
        assert response.status_code == 200  # type: ignore[attr-defined]
        pieces = getattr(response, "streaming_content", None)
        body = b"".join(pieces) if pieces else response.content  # type: ignore[attr-defined]
        return str(body.decode())


@pytest.fixture
def till(cast: Cast) -> Till:
    """North's first till."""
    return Till(cast)


def assert_on_no_screen(till: Till, forbidden: set[str]) -> None:
    """No page that was shown has a figure."""
    assert {
        name: found for name, page in till.pages.items() if (found := leaks(page, forbidden))
    } == {}


def log_lines(caplog: pytest.LogCaptureFixture) -> str:
    """Return every line and argument that anything logged, at every level."""
    return caplog.text + "\n".join(str(vars(record)) for record in caplog.records)


def export_text() -> str:
    """Return the transaction log as it is exported."""
    made = transactions.begin(
        scope=EVERY_STORE,
        filters=LogFilters(),
        zone=ZoneInfo("America/Toronto"),
        actor="a test",
        channel="shell",
        now=timezone.now(),
    )
    return b"".join(transactions.csv_bytes(made)).decode()


def test_a_suppressed_balance_is_on_no_screen_paper_log_line_export_or_row(
    till: Till, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    forbidden = figures(peer, COLLECTOR_SUPPRESSED)
    taken = till.redeem(COLLECTOR_SUPPRESSED)
    assert taken.is_granted and taken.response_code == "0001"
    # Nor does the screen say how much could be had today, which would tell the same.
    assert "Up to" not in till.pages["cashier:offer"]
    forbidden |= figures(peer, COLLECTOR_SUPPRESSED)
    till.look_everywhere()
    paper = till.print_paper(taken)
    given = till.give_back(taken)
    assert given.is_granted
    till.look_everywhere()

    assert_on_no_screen(till, forbidden)
    for printed in (paper, till.print_paper(taken), till.print_paper(given)):
        assert leaks(printed, forbidden) == set()
    for row in (taken, given):
        receipt = asdict(receipt_for(row, is_copy=False, with_balances=True))
        assert receipt["balances"] == ()
        assert leaks(str(receipt), forbidden) == set()
    assert leaks(everything_stored(), forbidden) == set()
    assert leaks(log_lines(caplog), forbidden) == set()
    assert leaks(export_text(), forbidden) == set()
    # What must be there is there.
    assert taken.confirmation_number in paper.replace(" ", "").replace("\xa0", "")
    assert "380" in paper and "40.00" in paper


@pytest.mark.parametrize(("number", "code"), [(SUPPRESSED_LOCKED, "0005"), (LOCKED, "0006")])
def test_an_account_that_cannot_redeem_shows_no_balance_and_no_offer(
    till: Till, peer: Peer, caplog: pytest.LogCaptureFixture, number: str, code: str
) -> None:
    caplog.set_level(logging.DEBUG)
    forbidden = figures(peer, number)
    page = till.scan(number)
    till.look_everywhere()
    assert code in page
    assert reverse("cashier:redeem") not in page
    assert_on_no_screen(till, forbidden)
    assert leaks(everything_stored(), forbidden) == set()
    assert leaks(log_lines(caplog), forbidden) == set()
    assert not Transaction.objects.exists()


def test_a_suppressed_balance_is_not_kept_from_an_answer_that_came_after_a_doubt(
    cast: Cast, sandbox: Sandbox, peer: Peer
) -> None:
    forbidden = figures(peer, COLLECTOR_SUPPRESSED)
    sandbox.fault("drop_after", path=acts.REDEEM_PATH, times=2)
    row = acts.redeem(cast, COLLECTOR_SUPPRESSED)
    row = acts.settle(row, cast)
    assert row.response_code == "0001" and row.is_granted
    forbidden |= figures(peer, COLLECTOR_SUPPRESSED)
    assert leaks(everything_stored(), forbidden) == set()


def test_an_ordinary_balance_is_on_the_paper_and_nowhere_else_in_the_clear(
    till: Till, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    """The same search finds what may be there: it would find what may not."""
    caplog.set_level(logging.DEBUG)
    figures(peer, COLLECTOR)
    taken = till.redeem(COLLECTOR)
    assert "Up to" in till.pages["cashier:offer"]
    told = figures(peer, COLLECTOR)
    till.look_everywhere()
    balances = {str(ACCOUNT["cash_miles"] - acts.MILES), str(ACCOUNT["dream_miles"])}
    assert leaks(till.print_paper(taken), told) == balances
    assert balances <= leaks(everything_sealed(), told)
    # Screens never show them, not even where the paper may.
    assert_on_no_screen(till, balances)
    assert leaks(log_lines(caplog), told) == set()
    assert leaks(export_text(), told) == set()
