"""Miles in Chromium: given by scanned items and by totals, shown until they end, brought back."""

from playwright.sync_api import Browser, expect

from tests.browser.test_money_path import CASHIER, COLLECTOR
from tests.browser.till import SETTLED_MS, Till
from tests.servers.stack import Sandbox, Web

PENDING = "80000020202"


def test_miles_are_given_by_scanned_items_and_brought_back(till: Till, sandbox: Sandbox) -> None:
    page = till.page
    till.sign_in(*CASHIER)
    till.pick_till()
    page.wait_for_timeout(SETTLED_MS)
    page.keyboard.press("F6")
    page.wait_for_url("**/give/")
    page.wait_for_timeout(SETTLED_MS)
    till.scan(COLLECTOR)
    page.wait_for_selector("#id_before:focus")
    page.get_by_role("button", name="By items").click()
    page.wait_for_selector("#item")
    page.wait_for_timeout(SETTLED_MS)

    # The first scan asks for the price, the second adds one more at the same price.
    till.scan("SKU1234567")
    page.wait_for_selector("#id_price:focus")
    till.type("30.00")
    page.keyboard.press("Enter")
    expect(page.locator(".offers tbody tr")).to_have_count(1)
    page.wait_for_timeout(SETTLED_MS)
    till.scan("SKU1234567")
    expect(page.locator(".offers tbody tr")).to_contain_text("$60.00")
    page.fill("#id_after", "67.80")
    page.press("#id_after", "Enter")
    page.wait_for_selector("#give", state="attached")
    expect(page.locator(".figures--done dd")).to_contain_text("miles")
    till.enter()
    page.wait_for_url("**/sale/**")
    expect(page.locator(".offers .badge--done").first).to_be_visible()
    sale = page.url.removeprefix(till.url)
    assert sandbox.total_miles() > 0

    # Everything comes back.
    page.wait_for_timeout(SETTLED_MS)
    page.keyboard.press("F9")
    page.wait_for_url(f"**{sale}return/")
    page.fill("#id_piece_1", "2")
    page.fill("#id_after", "67.80")
    page.press("#id_after", "Enter")
    page.wait_for_selector("#give", state="attached")
    till.enter()
    page.wait_for_url(lambda url: "/sale/" in url and sale not in url)
    expect(page.get_by_role("heading", name="taken back")).to_be_visible()
    assert sandbox.total_miles() == 0


def test_the_language_is_switched_without_typing_anything_again(till: Till) -> None:
    page = till.page
    till.sign_in(*CASHIER)
    till.pick_till()
    till.go("/give/")
    page.wait_for_timeout(SETTLED_MS)
    till.scan(COLLECTOR)
    page.wait_for_selector("#id_before:focus")
    page.fill("#id_before", "60.00")
    page.fill("#id_after", "67.80")
    page.locator(".language button[value=fr]").click()
    expect(page.get_by_role("heading", name="Quel est le total du panier?")).to_be_visible()
    expect(page.locator("#id_before")).to_have_value("60.00")
    expect(page.locator("#id_after")).to_have_value("67.80")
    # By items: the total typed before a scan is still there after it, and so is a half-typed item.
    page.get_by_role("button", name="Par article").click()
    page.wait_for_selector("#item")
    expect(page.locator("#id_after")).to_have_value("67.80")
    page.fill("#id_sku", "880000123456")
    page.fill("#id_price", "30.00")
    page.locator(".language button[value=en]").click()
    expect(page.get_by_role("heading", name="Scan the items")).to_be_visible()
    expect(page.locator("#id_sku")).to_have_value("880000123456")
    page.press("#id_price", "Enter")
    expect(page.locator(".offers tbody tr")).to_have_count(1)
    expect(page.locator("#id_after")).to_have_value("67.80")
    till.go("/return/")
    page.fill("#id_confirmation", "7KQ4 2")
    page.locator(".language button[value=fr]").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr-CA")
    expect(page.locator("#id_confirmation")).to_have_value("7KQ4 2")


def test_a_sale_that_was_redeemed_on_earns_with_the_same_card(till: Till, sandbox: Sandbox) -> None:
    page = till.page
    till.sign_in(*CASHIER)
    till.pick_till()
    sale = till.redeemed(COLLECTOR)
    page.wait_for_timeout(SETTLED_MS)
    page.keyboard.press("F7")
    page.wait_for_url(f"**{sale}give/")
    expect(page.locator("#id_after")).to_have_value("43.35")
    page.fill("#id_before", "40.00")
    page.press("#id_before", "Enter")
    page.wait_for_selector("#give", state="attached")
    till.enter()
    page.wait_for_url(lambda url: "/sale/" in url and sale not in url)
    # One receipt says both.
    expect(page.locator(".receipt")).to_contain_text("40.00")
    expect(page.locator(".receipt")).to_contain_text("Miles given")
    assert sandbox.effects(COLLECTOR)[0]["kind"] == "redeem"


def test_what_is_pending_is_shown_without_script_too(
    browser: Browser, web: Web, sandbox: Sandbox
) -> None:
    till = Till.open(browser, web.url, java_script_enabled=False, locale="fr-CA")
    page = till.page
    till.sign_in(*CASHIER)
    till.pick_till()
    till.go("/give/")
    page.fill("#scanned", PENDING)
    page.press("#scanned", "Enter")
    page.fill("#id_before", "100.00")
    page.fill("#id_after", "113.00")
    page.press("#id_after", "Enter")
    page.locator("button[form=give]").click()
    page.wait_for_url("**/sale/**")
    expect(page.locator(".badge--queued").first).to_be_visible()
    till.close()
    assert till.complaints == []
