"""Walks every screen in Chromium and keeps a picture of each, English light and French dark.

`bin/screenshots` runs it against processes of its own on free ports and a temporary data folder;
with --web and --sandbox it faces running ones. It asserts nothing: people look at the pictures.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, sync_playwright

from backoffice.processes import ROOT
from tests.servers.stack import Sandbox, sandbox_running, web_running

SIZES = {"1024": (1024, 768), "768": (768, 1024), "1366": (1366, 768), "390": (390, 844)}
LOOKS = {"en": ("light", "ana", "246810"), "fr": ("dark", "benoit", "135790")}
SETTLED_MS = 450
BASKET = "SKU1234, 10001, 11101, 9.99, 2\nCAKE, 20, , 24.00\nGIFT50, GIFT, , 50.00"
KEYS = """text => {
  for (const key of [...text, "Enter"]) {
    const target = document.activeElement || document.body;
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  }
}"""


@dataclass(kw_only=True)
class Walk:
    """One browser at one till, and where its pictures go."""

    page: Page
    web: str
    sandbox: Sandbox
    into: Path
    look: str
    sizes: Sequence[str]
    only: str = ""

    def open(self, path: str) -> None:
        self.page.goto(self.web + path)

    def shot(self, name: str) -> None:
        """Keep a picture of this screen at every size."""
        if self.only and not name.startswith(self.only):
            return
        for size in self.sizes:
            width, height = SIZES[size]
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.wait_for_timeout(150)
            self.page.screenshot(path=self.into / f"{name}-{self.look}-{size}.png")
        width, height = SIZES["1024"]
        self.page.set_viewport_size({"width": width, "height": height})

    def scan(self, text: str) -> None:
        """Send the keys of a scanner: faster than a busy machine could through the debugger."""
        self.page.wait_for_timeout(SETTLED_MS)
        self.page.evaluate(KEYS, text)

    def enter(self) -> None:
        """Press Enter as a person does, a moment after the screen came."""
        self.page.wait_for_timeout(SETTLED_MS)
        self.page.keyboard.press("Enter")

    def offer(self, card: str, basket: str) -> None:
        """Scan a card and type a basket."""
        self.open("/")
        self.scan(card)
        self.page.fill("#id_basket", basket)
        self.enter()
        self.page.wait_for_selector("#redeem, .outcome")

    def redeem(self, card: str, basket: str) -> str:
        """Redeem the preselected amount; return the sale's address."""
        self.offer(card, basket)
        self.enter()
        self.page.wait_for_url("**/sale/**")
        self.page.wait_for_timeout(SETTLED_MS)
        return self.page.url.removeprefix(self.web)


def entry(walk: Walk, user: str, pin: str) -> None:
    """Sign in, with one mistake, and pick a till."""
    walk.open("/sign-in/")
    if walk.look == "fr":
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
    walk.sandbox.control("seed", members=[{"collector": "80000019999", "cash_miles": 90000}])
    walk.offer("80000019999", "812.40")
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
    page.wait_for_selector(".outcome--attention")
    walk.shot("36-too-late")


def doubts(walk: Walk) -> None:
    """No answer: in flight, in doubt, given up, and not reached at all."""
    page = walk.page
    redeem = {"path": "/checkout/amcash/redeem"}
    # A collector of this look's own: a doubt holds up what the same one wants later.
    collector = {"en": "80000019991", "fr": "80000019992"}[walk.look]
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


def office(walk: Walk) -> None:
    """The back office, as the stores' manager sees it."""
    page = walk.page
    page.context.clear_cookies()
    walk.open("/sign-in/?next=/office/")
    if walk.look == "fr":
        page.click("button[value=fr]")
    page.fill("#id_username", "manager")
    page.fill("#id_password", "milepost-manager")
    page.click("button.button--main")
    language(walk)
    walk.open("/office/")
    walk.shot("60-office")
    walk.open("/office/log/")
    walk.shot("61-log")
    page.locator("#log tbody a").first.click()
    walk.shot("62-transaction")
    walk.open("/office/offers/")
    walk.shot("63-offers")
    page.locator("tbody .row-link").first.click()
    walk.shot("64-offer")
    walk.open("/office/offers/preview/")
    page.fill("#id_lines", BASKET)
    page.fill("#id_coupons", "57841")
    page.fill("#id_tenders", "CREDIT")
    page.locator(".basket button").click()
    page.wait_for_selector("#result")
    walk.shot("65-offers-preview")


def language(walk: Walk) -> None:
    """Choose this look's language; signing in chose the person's."""
    button = walk.page.locator(f".language button[value={walk.look}]")
    if button.count():
        button.click()


STORIES = {
    "entry": None,
    "redemption": redemption,
    "refusals": refusals,
    "reversal": reversal,
    "doubts": doubts,
    "office": office,
}


def complain(message: ConsoleMessage) -> None:
    """Say what a page complains of."""
    if message.type in {"warning", "error"}:
        print(message.type, message.text)


@contextmanager
def servers(web: str, sandbox: str) -> Iterator[tuple[str, Sandbox]]:
    """Give the addresses of running servers, or of ones started for this walk."""
    if web:
        yield web, Sandbox(url=sandbox)
        return
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        # A silence is told from an answer in two seconds instead of ten.
        timings = {"PLATFORM_CONNECT_S": "2", "PLATFORM_TOTAL_S": "2", "PLATFORM_LEASE_S": "12"}
        with (
            sandbox_running(data / "sandbox") as platform,
            web_running(data / "milepost", platform, **timings) as console,
        ):
            yield console.url, platform


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/screenshots")
    parser.add_argument("--into", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--web", default="", help="a running console, with --sandbox")
    parser.add_argument("--sandbox", default="")
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--looks", nargs="*", default=list(LOOKS), choices=list(LOOKS))
    parser.add_argument("--stories", nargs="*", default=list(STORIES), choices=list(STORIES))
    chosen = parser.parse_args()
    chosen.into.mkdir(parents=True, exist_ok=True)
    with (
        servers(chosen.web, chosen.sandbox) as (web, sandbox),
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
                page=page, web=web, sandbox=sandbox, into=chosen.into, look=look, sizes=chosen.sizes
            )
            walk.sandbox.control("reset")
            entry(walk, user, pin)
            for name in chosen.stories:
                story = STORIES[name]
                if story is not None:
                    story(walk)
            context.close()
        browser.close()
    print(f"pictures are in {chosen.into}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
