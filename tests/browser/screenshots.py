"""Walks every screen in Chromium and keeps a picture of each, English light and French dark.

`bin/screenshots` runs it against processes of its own on free ports and a temporary data folder;
with --web and --sandbox it faces running ones. It asserts nothing: people look at the pictures.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import ConsoleMessage, sync_playwright

from backoffice.processes import ROOT
from tests.browser.walk import SETTLED_MS, SIZES, Walk
from tests.browser.walk_desk import desk
from tests.browser.walk_devices import api_tokens, devices
from tests.browser.walk_miles import answers, miles
from tests.browser.walk_office import ADMINISTRATOR, decisions, office, policies
from tests.servers.stack import Sandbox, Web, sandbox_running, web_running

# Language, colours and cashier of a look; the first two are taken unless others are asked for.
LOOKS = {
    "en": ("light", "ana", "246810"),
    "fr": ("dark", "benoit", "135790"),
    "en-dark": ("dark", "ana", "246810"),
    "fr-light": ("light", "benoit", "135790"),
}


def entry(walk: Walk, user: str, pin: str) -> None:
    """Sign in, with one mistake, and pick a till."""
    walk.open("/sign-in/")
    if walk.language == "fr":
        walk.page.click("button[value=fr]")
    walk.shot("01-sign-in")
    walk.page.fill("#id_username", user)
    walk.page.fill("#id_password", "000000")
    walk.page.click("button.button--main")
    walk.shot("02-sign-in-wrong")
    walk.page.fill("#id_password", pin)
    walk.page.click("button.button--main")
    walk.page.wait_for_selector(".tills")
    walk.shot("03-till")
    walk.page.locator(".button--tile").first.click()
    walk.page.wait_for_selector("#screen")
    walk.shot("04-rest-empty")


def redemption(walk: Walk) -> None:
    """From a scan to a receipt, with the mistakes on the way."""
    page = walk.page
    walk.scan("0123456789012")
    page.wait_for_selector(".listen__problem")
    walk.shot("05-not-a-card")
    walk.scan("80000010001")
    page.wait_for_selector("#id_basket")
    walk.shot("06-amount")
    page.fill("#id_excluded", "99")
    page.fill("#id_basket", "43.35")
    walk.enter()
    page.wait_for_selector("#id_excluded_error")
    walk.shot("07-amount-wrong")
    page.fill("#id_excluded", "")
    walk.enter()
    page.wait_for_selector("#redeem")
    walk.shot("08-offer")
    walk.enter()
    page.wait_for_selector(".receipt")
    walk.shot("09-done")
    sale = page.url.removeprefix(walk.web)
    walk.open(f"{sale}receipt/")
    walk.shot("10-paper")
    walk.open(f"{sale}receipt/?copy=1")
    walk.shot("11-paper-copy")
    walk.offer("80000010001", "812.40")
    walk.shot("12-offer-many-by-balance")
    walk.sandbox.control("seed", members=[{"collector": "80000019980", "cash_miles": 90000}])
    walk.offer("80000019980", "812.40")
    walk.shot("13-offer-many")
    walk.offer("80000010003", "43.35")
    walk.shot("14-offer-hidden-balance")
    walk.enter()
    page.wait_for_selector(".receipt")
    walk.shot("15-done-hidden-balance")
    walk.open(page.url.removeprefix(walk.web) + "receipt/")
    walk.shot("16-paper-hidden-balance")


def refusals(walk: Walk) -> None:
    """What cannot be redeemed, each in its own words."""
    walk.offer("80000010002", "43.35")
    walk.shot("20-no-offer")
    walk.offer("80000010006", "43.35")
    walk.shot("21-daily-limit")
    walk.offer("80000000002", "43.35")
    walk.shot("22-inactive")
    walk.offer("80000000096", "43.35")
    walk.shot("23-problem-there")
    walk.redeem("80000000065", "43.35")
    walk.shot("24-refused-limit")
    walk.open("/")
    walk.page.fill("#id_value", "80000010001")
    walk.page.click(".typed .button")
    walk.page.fill("#id_basket", "43.35")
    walk.enter()
    walk.page.wait_for_selector(".outcome")
    walk.shot("25-typed-number")


def reversal(walk: Walk) -> None:
    """Give one redemption back, and come too late for another."""
    page = walk.page
    sale = walk.redeem("80000010001", "20.00")
    walk.open("/return/")
    walk.shot("30-return")
    page.fill("#id_confirmation", "NOSUCHCODE12")
    page.click("#confirmation .button")
    page.wait_for_selector("#id_confirmation_error")
    walk.shot("31-return-not-found")
    walk.open(f"{sale}reverse/")
    walk.shot("32-reverse")
    walk.enter()
    page.wait_for_selector(".receipt")
    walk.shot("33-reversed")
    walk.open(page.url.removeprefix(walk.web) + "receipt/")
    walk.shot("34-paper-reversal")
    walk.open(sale)
    walk.shot("35-sale-reversed")
    late = walk.redeem("80000000080", "20.00")
    walk.open(f"{late}reverse/")
    walk.enter()
    page.wait_for_selector(".notice--attention .notice__title")
    walk.shot("36-too-late")
    kind = {"en": "F7", "fr": "F9"}[walk.language]
    page.get_by_role("button").filter(has_text=kind).click()
    page.wait_for_selector(".outcome--done")
    walk.shot("37-credit-given")
    walk.open(f"{late}receipt/")
    walk.shot("38-paper-credit")
    path = walk.into / f"38-paper-credit-{walk.look}.pdf"
    page.pdf(path=path, prefer_css_page_size=True)


def doubts(walk: Walk) -> None:
    """No answer: in flight, in doubt, given up, and not reached at all."""
    page = walk.page
    redeem = {"path": "/checkout/amcash/redeem"}
    # A collector of this look's own: a doubt holds up what the same one wants later.
    collector = f"8000001999{list(LOOKS).index(walk.look)}"
    walk.sandbox.control("seed", members=[{"collector": collector, "cash_miles": 1200}])
    walk.sandbox.control("faults", kind="hang", times=2, match=redeem, seconds=30, when="before")
    walk.offer(collector, "43.35")
    walk.enter()
    page.wait_for_selector("[data-inflight]:visible")
    walk.shot("40-in-flight")
    page.wait_for_url("**/sale/**", timeout=30_000)
    page.wait_for_selector(".notice--doubt")
    walk.shot("41-doubt")
    page.get_by_role("button").filter(has_text="F9").click()
    page.wait_for_timeout(SETTLED_MS)
    walk.shot("42-cancelling")
    walk.open(page.url.removeprefix(walk.web) + "receipt/")
    walk.shot("43-paper-slip")
    walk.open("/today/")
    walk.shot("50-today")
    walk.open("/today/?of=store")
    walk.shot("51-today-store")
    walk.open("/")
    walk.shot("52-rest")


def closing(walk: Walk) -> None:
    """A reversal minutes before the till closes it, and one just after."""
    rows = walk.play("closing")
    walk.open(f"/sale/{rows['closing']}/reverse/")
    walk.shot("45-reverse-closing")
    walk.open(f"/sale/{rows['closed']}/")
    walk.shot("46-sale-closed")
    walk.open(f"/sale/{rows['closed']}/credit/")
    walk.shot("47-too-late-by-us")


def outage(walk: Walk) -> None:
    """The programme is down: nothing new is sent, and what is given back waits."""
    page = walk.page
    # The latest sale is looked at in the outage: its reversal is queued.
    sale = walk.redeem("80000010001", "20.00")
    walk.offer("80000010001", "43.35")
    walk.play("outage")
    walk.enter()
    page.wait_for_selector(".outcome")
    walk.shot("53-outage-redeem")
    walk.open("/")
    walk.shot("54-outage-rest")
    walk.offer("80000010001", "43.35")
    walk.shot("55-outage-offer")
    walk.play("outage")
    walk.open(f"{sale}reverse/")
    walk.enter()
    page.wait_for_url(lambda url: "/sale/" in url and sale not in url)
    walk.shot("56-outage-reversal")
    walk.play("recovery")
    page.wait_for_timeout(1200)


def quarantine(walk: Walk) -> None:
    """After a restore: nothing is sent until an administrator says so."""
    assert walk.own is not None
    _scheme, user, pin = LOOKS[walk.look]
    walk.sign_in(user, pin, "/till/")
    walk.page.locator(".button--tile").first.click()
    walk.page.wait_for_selector("#screen")
    who = ("--by", "admin", "--why", "restored the backup of 02:00")
    walk.own.manage("quarantine", "--start", *who)
    # A running process remembers for a while that it may send.
    walk.own.stop()
    walk.own.start()
    walk.redeem_refused("80000010001", "43.35")
    walk.shot("90-quarantine-redeem")
    walk.sign_in(*ADMINISTRATOR)
    walk.shot("91-quarantine-office", is_whole=True)
    walk.own.manage("quarantine", "--lift", *who)
    walk.own.stop()
    walk.own.start()


Story = Callable[[Walk], None]
STORIES: dict[str, Story] = {
    "redemption": redemption,
    "refusals": refusals,
    "reversal": reversal,
    "miles": miles,
    "answers": answers,
    "doubts": doubts,
    "closing": closing,
    "outage": outage,
    "office": office,
    "decisions": decisions,
    "policies": policies,
    "devices": devices,
    "desk": desk,
    "api_tokens": api_tokens,
    "quarantine": quarantine,
}
# These write into the console's own log, so they need a console of the walk's own.
OWN = {"closing", "outage", "decisions", "policies", "devices", "desk", "api_tokens", "quarantine"}


def complain(message: ConsoleMessage) -> None:
    """Say what a page complains of."""
    if message.type in {"warning", "error"}:
        print(message.type, message.text)


@contextmanager
def servers(web: str, sandbox: str) -> Iterator[tuple[str, Sandbox, Web | None]]:
    """Give the addresses of running servers, or of ones started for this walk."""
    if web:
        yield web, Sandbox(url=sandbox), None
        return
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        # A silence is told from an answer in two seconds instead of ten.
        timings = {"PLATFORM_CONNECT_S": "2", "PLATFORM_TOTAL_S": "2", "PLATFORM_LEASE_S": "12"}
        with (
            sandbox_running(data / "sandbox") as platform,
            web_running(data / "milepost", platform, **timings) as console,
        ):
            yield console.url, platform, console


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/screenshots")
    parser.add_argument("--into", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--web", default="", help="a running console, with --sandbox")
    parser.add_argument("--sandbox", default="")
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--looks", nargs="*", default=list(LOOKS)[:2], choices=list(LOOKS))
    parser.add_argument("--stories", nargs="*", default=list(STORIES), choices=list(STORIES))
    chosen = parser.parse_args()
    chosen.into.mkdir(parents=True, exist_ok=True)
    with (
        servers(chosen.web, chosen.sandbox) as (web, sandbox, own),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for look in chosen.looks:
            scheme, user, pin = LOOKS[look]
            context = browser.new_context(color_scheme=scheme, locale="en-CA")  # type: ignore[arg-type]
            page = context.new_page()
            page.on("console", complain)
            page.on("pageerror", lambda error: print("error", error))
            walk = Walk(
                page=page,
                web=web,
                sandbox=sandbox,
                into=chosen.into,
                look=look,
                sizes=chosen.sizes,
                own=own,
            )
            walk.sandbox.control("reset")
            entry(walk, user, pin)
            for name in chosen.stories:
                if own is None and name in OWN:
                    print(f"left out, for it needs a console of its own: {name}")
                    continue
                STORIES[name](walk)
            context.close()
        browser.close()
    print(f"pictures are in {chosen.into}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
