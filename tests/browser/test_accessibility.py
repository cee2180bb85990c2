"""The main screens under axe's rules, in light and dark, English and French; and the size of what
a finger must hit. What axe cannot see (keys, focus, the paper) the money path walks.
"""

import pytest
from playwright.sync_api import Browser

from tests.browser.inspector import Inspector
from tests.browser.till import SETTLED_MS, Till
from tests.servers.stack import Sandbox, Web

WITHOUT_CASH, INACTIVE = "80000010002", "80000000002"
EARNING = "80000010001"


def look_at_a_redemption(till: Till, inspector: Inspector, card: str) -> None:
    """Redeem and give back, with a mistake on the way."""
    page = till.page
    till.scan(card)
    page.wait_for_selector("#id_basket:focus")
    inspector.look(page, "amount")
    page.keyboard.press("Enter")
    page.wait_for_selector("#id_basket[aria-invalid]")
    inspector.look(page, "amount, with an error")
    till.type("43.35")
    page.keyboard.press("Enter")
    page.wait_for_selector("#redeem")
    inspector.look(page, "offer")
    till.enter()
    page.wait_for_selector(".receipt")
    sale = page.url.removeprefix(till.url)
    inspector.look(page, "done")
    till.go(f"{sale}receipt/")
    inspector.look(page, "paper", is_at_till=False)
    till.go(f"{sale}reverse/")
    inspector.look(page, "reverse")
    till.enter()
    page.wait_for_selector(".receipt")
    inspector.look(page, "reversed")
    look_at_miles(till, inspector)
    till.go("/today/")
    inspector.look(page, "today")
    till.go("/return/")
    inspector.look(page, "return")


def look_at_miles(till: Till, inspector: Inspector) -> None:
    """Give miles by items, and pick what comes back."""
    page = till.page
    till.go("/give/")
    inspector.look(page, "give miles")
    page.wait_for_timeout(SETTLED_MS)
    till.scan(EARNING)
    page.wait_for_selector("#id_before")
    inspector.look(page, "basket by totals")
    page.click("button[value=items]")
    page.wait_for_selector("#item")
    for field, typed in (("sku", "SKU1234"), ("price", "30.00"), ("quantity", "2")):
        page.fill(f"#id_{field}", typed)
    page.press("#id_quantity", "Enter")
    page.wait_for_selector("button[name=gone]")
    inspector.look(page, "basket by items")
    page.fill("#id_after", "67.80")
    page.press("#id_after", "Enter")
    page.wait_for_selector(".figures--done")
    inspector.look(page, "miles previewed")
    till.enter()
    page.wait_for_selector(".receipt")
    sale = page.url.removeprefix(till.url)
    inspector.look(page, "miles given")
    till.go(f"{sale}receipt/")
    inspector.look(page, "paper of miles", is_at_till=False)
    till.go(f"{sale}return/")
    inspector.look(page, "what comes back")


def look_at_what_goes_wrong(till: Till, inspector: Inspector, sandbox: Sandbox, card: str) -> None:
    """A refusal, no offer, and an answer that does not come."""
    page = till.page
    for other, screen in ((INACTIVE, "refused"), (WITHOUT_CASH, "no offer")):
        till.go("/")
        page.wait_for_timeout(SETTLED_MS)
        till.scan(other)
        page.wait_for_selector("#id_basket:focus")
        till.type("43.35")
        page.keyboard.press("Enter")
        page.wait_for_selector(".outcome, .notice")
        inspector.look(page, screen)

    till.go("/")
    till.offered(card)
    sandbox.fault("drop_after", path="/checkout/amcash/redeem", times=2)
    till.enter()
    page.wait_for_selector(".notice--doubt")
    inspector.look(page, "doubt")


@pytest.mark.parametrize(
    ("name", "secret", "scheme"), [("ana", "246810", "light"), ("benoit", "135790", "dark")]
)
def test_every_main_screen_of_the_till_has_no_fault_and_nothing_too_small(
    browser: Browser,
    web: Web,
    sandbox: Sandbox,
    inspector: Inspector,
    card: str,
    name: str,
    secret: str,
    scheme: str,
) -> None:
    till = Till.open(browser, web.url, color_scheme=scheme)
    page = till.page
    till.go("/sign-in/")
    inspector.look(page, "sign in")
    till.sign_in(name, secret)
    till.go("/till/")
    inspector.look(page, "pick a till")
    till.pick_till()
    inspector.look(page, "rest")

    look_at_a_redemption(till, inspector, card)
    look_at_what_goes_wrong(till, inspector, sandbox, card)
    till.close()
    assert till.complaints == []
    assert len(inspector.seen) == 22
    assert not inspector.faults, inspector.told()


def test_the_office_has_no_fault(till: Till, inspector: Inspector, card: str) -> None:
    till.sign_in("manager", "milepost-manager")
    till.pick_till()
    till.redeemed(card)
    for path in ("/office/", "/office/log/"):
        till.go(path)
        inspector.look(till.page, path, is_at_till=False)
    till.page.locator("#log tbody tr").first.get_by_role("link").first.click()
    till.page.wait_for_url("**/office/log/*-*/")
    inspector.look(till.page, "transaction", is_at_till=False)
    assert not inspector.faults, inspector.told()


@pytest.mark.parametrize(
    ("name", "secret", "scheme"),
    [("admin", "milepost-admin", "light"), ("manager", "milepost-manager", "dark")],
)
def test_the_offers_have_no_fault_and_a_preview_works(
    browser: Browser, web: Web, inspector: Inspector, name: str, secret: str, scheme: str
) -> None:
    till = Till.open(browser, web.url, color_scheme=scheme)
    page = till.page
    till.sign_in(name, secret)
    till.go("/office/offers/")
    inspector.look(page, "offers", is_at_till=False)
    page.locator("tbody .row-link").first.click()
    page.wait_for_url("**/office/offers/*/")
    inspector.look(page, "offer", is_at_till=False)
    till.go("/office/offers/preview/")
    inspector.look(page, "preview", is_at_till=False)
    page.fill("#id_lines", "SKU1234, 10001, , nine")
    page.locator(".basket button").click()
    page.wait_for_selector("#id_lines[aria-invalid]:focus")
    inspector.look(page, "preview, with an error", is_at_till=False)
    page.fill("#id_lines", "SKU1234, 10001, 11101, 9.99, 4\nGIFT50, GIFT, , 50.00")
    page.locator(".basket button").click()
    page.wait_for_selector("#result")
    inspector.look(page, "preview, with its result", is_at_till=False)
    till.close()
    assert till.complaints == []
    assert len(inspector.seen) == 5
    assert not inspector.faults, inspector.told()
