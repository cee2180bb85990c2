"""Case 10: the deadline on nights when the clocks change, beside a machine with old zone rules."""

import importlib.resources
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from amcash.messages import REVERSE_PATH
from backoffice.processes import ROOT
from tests.cases.scale import PATIENT
from tests.cases.shop import Shop
from tests.live.counter import Counter, heading
from tests.servers.pages import Form, form_to

# The programme's zone, the moment of a redemption on its wall, and its deadline in UTC.
NIGHTS = (
    ("America/Toronto", "2026-10-31T23:30:00-04:00", "2026-11-01T08:00:00+00:00"),
    ("America/Toronto", "2027-03-13T23:30:00-05:00", "2027-03-14T07:00:00+00:00"),
    ("America/St_Johns", "2026-11-20T23:30:00-03:30", "2026-11-21T06:30:00+00:00"),
    ("America/Regina", "2026-11-20T23:30:00-06:00", "2026-11-21T09:00:00+00:00"),
    ("America/Vancouver", "2026-11-20T23:30:00-07:00", "2026-11-21T10:00:00+00:00"),
)
# Where this machine keeps its own rules; a process that read them would be an hour late.
OLD_RULES = {"PYTHONTZPATH": "/usr/share/zoneinfo"}
DEADLINE = datetime(2026, 11, 1, 8, tzinfo=UTC)


class Night:
    """A shop whose processes, and whose platform, live at a moment of our choice."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._clock = shop.folder / "clock"

    @property
    def settings(self) -> dict[str, str]:
        """What makes a process follow, and has it find the machine's own, older rules."""
        return {"CASES_CLOCK": str(self._clock), **OLD_RULES}

    def turn_to(self, moment: datetime) -> None:
        """Go to a moment, and on from there."""
        self._clock.write_text(str((moment - datetime.now(UTC)).total_seconds()))
        self.shop.sandbox.control("clock", now=moment.isoformat())

    def settle(self, moment: datetime) -> None:
        """Let the sweep, and the platform, do everything at this very moment."""
        self.shop.sandbox.control("clock", now=moment.isoformat(), stopped=True)
        self.shop.manage("settle", is_altered=True, CASES_AT=moment.isoformat(), **OLD_RULES)


@pytest.fixture
def night(shop: Shop) -> Night:
    return Night(shop)


def redeemed(shop: Shop, counter: Counter, card: str) -> str:
    """Redeem, show it, and return the sale's address."""
    form = counter.offered(card)
    page = counter.post(form)
    sale = shop.saw(page.path, form.fields["client_ref"])
    assert shop.state(card) == "approved", heading(page)
    counter.send(f"{sale}present/", form_to(page.text, f"{sale}present/").fields)
    return sale


def test_the_cutoff_on_the_wrong_night_with_the_wrong_tzdata(
    shop: Shop, night: Night, tmp_path: Path
) -> None:
    shop.settings.update(PATIENT)
    refuses_old_rules(shop, tmp_path)
    night.turn_to(datetime.fromisoformat(NIGHTS[0][1]))
    front = shop.web(is_altered=True, **night.settings)
    for zone, moment, deadline in NIGHTS[1:]:
        the_table_holds(night, front.url, zone, moment, deadline)
    counter, card, sale = the_table_holds(night, front.url, *NIGHTS[0])

    # The till's button closes two minutes before the deadline, by the programme's clock.
    night.turn_to(DEADLINE - timedelta(minutes=4))
    address = f"{sale}reverse/"
    assert address in counter.get(sale).text
    pressed = form_to(counter.get(address).text, address)
    the_late_answer(night, counter, card, sale, pressed)


def the_table_holds(
    night: Night, url: str, zone: str, moment: str, deadline: str
) -> tuple[Counter, str, str]:
    """Redeem at a moment in a programme's zone; the log and the platform name one deadline."""
    shop = night.shop
    shop.manage(
        "shell",
        "--no-imports",
        "-c",
        "from backoffice.stores.models import Sponsor; "
        f"Sponsor.objects.update(programme_zone={zone!r})",
    )
    shop.sandbox.control("settings", zone=zone)
    night.turn_to(datetime.fromisoformat(moment))
    counter, card = Counter.opened(url), shop.card()
    sale = redeemed(shop, counter, card)
    deadlines = dict(shop.look_up("SELECT collector_last4, deadline_at FROM journal_transaction"))
    found = deadlines[card[-4:]]
    at = found if isinstance(found, datetime) else datetime.fromisoformat(found)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    assert at == datetime.fromisoformat(deadline), (zone, at)
    return counter, card, sale


def the_late_answer(night: Night, counter: Counter, card: str, sale: str, pressed: Form) -> None:
    """It leaves at 02:59:58, is executed and lost; at 03:00:05 the platform says 0080."""
    shop = night.shop
    # Pressed in time, while nobody could be reached: nothing has left.
    shop.sandbox.control("tokens/expire")
    shop.sandbox.fault("status", path=REVERSE_PATH, times=None, status=401, body={"message": "No"})
    page = counter.post(pressed)
    assert shop.state(card, "reverse") == "queued", heading(page)
    shop.sandbox.clear_faults()
    night.turn_to(DEADLINE - timedelta(seconds=110))
    assert f"{sale}reverse/" not in counter.get(sale).text

    shop.sandbox.fault("drop_after", path=REVERSE_PATH)
    night.settle(DEADLINE - timedelta(seconds=2))
    assert (shop.state(card, "reverse"), shop.effects(card)) == ("doubt", ["redeem", "reverse"])
    shop.sandbox.control("settings", window_before_key=True)
    night.settle(DEADLINE + timedelta(seconds=5))
    assert [one["code"] for one in shop.sandbox.exchanges(REVERSE_PATH)][-1] == "0080"
    back = shop.row(card, "reverse")
    assert (back.state, back.needs_person) == ("manual", "reversal_unclear")
    night.turn_to(DEADLINE + timedelta(seconds=6))
    page = counter.get(f"/sale/{back.reference}/")
    assert "store credit" not in page.text and "gift card" not in page.text
    # Nothing to press gives it back a second time, and no sweep does.
    late = counter.post(pressed)
    assert back.reference in late.path
    assert f"{sale}reverse/" not in counter.get(sale).text
    night.settle(DEADLINE + timedelta(minutes=1))
    assert shop.effects(card) == ["redeem", "reverse"] and len(shop.rows()) == len(NIGHTS) + 1
    shop.close()


def refuses_old_rules(shop: Shop, folder: Path) -> None:
    """With rules in which Vancouver still changes its clocks, no process starts."""
    pinned = Path(str(importlib.resources.files("tzdata")))
    for name, version in (("old-version", "2025.2"), ("old-rules", "2026.6")):
        place = folder / name
        shutil.copytree(pinned, place / "tzdata")
        zones = place / "tzdata" / "zoneinfo" / "America"
        shutil.copyfile(zones / "Los_Angeles", zones / "Vancouver")
        info = place / f"tzdata-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: tzdata\nVersion: {version}\n")
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "doctor", "--json"],
            cwd=ROOT,
            env=shop.environment(PYTHONPATH=str(place)),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode != 0 and "Error" in done.stderr, done.stdout
        assert ("2026.6 or later" if name == "old-version" else "Vancouver") in done.stderr
    doctor = json.loads(shop.managed("doctor", "--json").stdout)
    assert doctor["tzdata"] >= "2026.6"
