"""The money path in Chromium: from a scan to the printed receipt and back, and in the log."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.till import SETTLED_MS, Till
from tests.figures import stands_in
from tests.servers.stack import Sandbox, Web, eventually

COLLECTOR = "80000010001"
SUPPRESSED = "80000010003"
CASHIER = ("ana", "246810")
MANAGER = ("manager", "milepost-manager")
# What the collector has after $40, as the sandbox counts: 1200 - 4 x 95, and the Dream miles.
CASH_LEFT, DREAM = "820", "545"
MEDIA_BOX = re.compile(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)")
POINTS_PER_MM = 72 / 25.4


def figures(text: str) -> set[str]:
    """Return which of the figures that matter here stand in a text by themselves."""
    return {
        figure for figure in ("380", "1200", "1,200", CASH_LEFT, DREAM) if stands_in(figure, text)
    }


def assert_paper(page: Page, confirmation: str) -> None:
    """The paper has the number in text and as a code, the miles and the dollars."""
    text = page.locator(".paper").inner_text()
    assert confirmation in text.replace(" ", "").replace("\u00a0", "")
    assert "380" in figures(text)
    assert "$40.00" in text and "$3.35" in text
    expect(page.locator(".paper svg.barcode")).to_be_visible()
    assert page.locator(".paper svg.barcode rect, .paper svg.barcode path").count() > 0


def assert_prints_on_80_mm(page: Page) -> None:
    """The page goes to the printer as one piece of 80 mm paper."""
    sheets = MEDIA_BOX.findall(page.pdf(prefer_css_page_size=True))
    assert [round(float(width) / POINTS_PER_MM) for width, _length in sheets] == [80]


def confirmation_on(till: Till) -> str:
    """Return the confirmation number on the screen's receipt."""
    text = till.page.locator(".receipt").inner_text().replace("\u00a0", " ")
    found = re.search(r"\b([0-9A-Z]{4}) ([0-9A-Z]{4}) ([0-9A-Z]{4})\b", text)
    assert found is not None, text
    return "".join(found.groups())


def test_from_a_scan_to_the_printed_receipt_and_back_and_in_the_log(
    till: Till, browser: Browser, web: Web, sandbox: Sandbox
) -> None:
    page = till.page
    till.sign_in(*CASHIER)
    till.pick_till()

    # Card, amount, Enter, Enter.
    till.offered(COLLECTOR)
    expect(page.locator("#redeem input[name=units]:checked")).to_have_value("4")
    expect(page.locator("[data-out=left]")).to_have_text("$3.35")
    till.enter()
    page.wait_for_url("**/sale/**")
    expect(page.locator(".receipt")).to_be_visible()
    sale = page.url.removeprefix(till.url)
    confirmation = confirmation_on(till)
    (effect,) = sandbox.effects(COLLECTOR)
    assert (effect["confirmation"], effect["miles"]) == (confirmation, -380)
    # Balances are for the paper alone.
    assert not {CASH_LEFT, DREAM} & figures(till.screen.inner_text())

    # Print: the paper is a page of its own, sent to the printer without leaving the screen.
    page.keyboard.press("F8")
    page.wait_for_function("() => document.querySelector('#paper')?.contentDocument?.title")

    def printed() -> bool:
        page.wait_for_timeout(50)
        return bool(till.printed)

    eventually(printed)
    assert till.printed == [f"{sale}receipt/"]
    paper = till.new_page()
    paper.goto(f"{till.url}{sale}receipt/")
    assert_paper(paper, confirmation)
    balances = " ".join(paper.locator(".balances dd").all_inner_texts())
    assert {CASH_LEFT, DREAM} <= figures(balances)

    assert_prints_on_80_mm(paper)
    paper.close()

    # Next customer, then Today, then Reverse.
    till.enter()
    page.wait_for_url(f"{till.url}/")
    expect(page.get_by_role("heading", name="Scan the card")).to_be_visible()
    page.keyboard.press("F4")
    page.get_by_role("link", name="Redemption").first.click()
    page.wait_for_url(f"**{sale}")
    page.wait_for_selector("[data-key=F9]")
    page.wait_for_timeout(SETTLED_MS)
    page.keyboard.press("F9")
    page.wait_for_url("**/reverse/")
    expect(page.locator("[data-countdown]")).not_to_be_empty()
    till.enter()
    page.wait_for_url(lambda url: "/sale/" in url and sale not in url)
    expect(page.locator(".receipt")).to_contain_text("40.00")
    reversal = page.url.removeprefix(till.url)
    assert [one["kind"] for one in sandbox.effects(COLLECTOR)] == ["redeem", "reverse"]
    assert sandbox.total_miles() == 0

    assert_both_in_the_log(browser, web, [sale, reversal], confirmation)


def assert_both_in_the_log(
    browser: Browser, web: Web, addresses: list[str], confirmation: str
) -> None:
    """The store's manager finds the redemption and its reversal in the log."""
    office = Till.open(browser, web.url)
    office.sign_in(*MANAGER)
    office.go("/office/log/")
    rows = office.page.locator("#log tbody tr")
    # Newest first; other tests of this run may have left older ones.
    expect(rows.nth(1)).to_be_visible()
    kinds = [rows.nth(place).inner_text() for place in range(2)]
    assert "Reversal" in kinds[0] and "Redemption" in kinds[1]
    for place, address in enumerate(reversed(addresses)):
        reference = address.strip("/").split("/")[-1]
        link = rows.nth(place).get_by_role("link").first
        assert reference in (link.get_attribute("href") or "")
    rows.nth(1).get_by_role("link").first.click()
    office.page.wait_for_url("**/office/log/*-*/")
    expect(office.page.locator("main")).to_contain_text(confirmation)
    assert not {CASH_LEFT, DREAM} & figures(office.page.locator("main").inner_text())
    office.close()
    assert office.complaints == []


def test_a_suppressed_collectors_receipt_has_no_balance(till: Till, sandbox: Sandbox) -> None:
    till.sign_in(*CASHIER)
    till.pick_till()
    sale = till.redeemed(SUPPRESSED)
    confirmation = confirmation_on(till)
    (effect,) = sandbox.effects(SUPPRESSED)
    assert effect["confirmation"] == confirmation
    balances = {"1200", "1,200", CASH_LEFT, DREAM}
    assert not balances & figures(till.screen.inner_text())
    till.go(f"{sale}receipt/")
    assert_paper(till.page, confirmation)
    assert not balances & figures(till.page.locator("body").inner_text())
    assert till.page.locator(".balances").count() == 0


def test_the_money_path_works_without_script(browser: Browser, web: Web, sandbox: Sandbox) -> None:
    till = Till.open(browser, web.url, java_script_enabled=False)
    page = till.page
    till.sign_in(*CASHIER)
    till.pick_till()
    page.fill("#scanned", COLLECTOR)
    page.press("#scanned", "Enter")
    page.fill("#id_basket", "43.35")
    page.press("#id_basket", "Enter")
    expect(page.locator("#redeem input[name=units]:checked")).to_have_value("4")
    page.get_by_role("button", name="Redeem").click()
    page.wait_for_url("**/sale/**")
    sale = page.url.removeprefix(till.url)
    confirmation = confirmation_on(till)
    assert [one["confirmation"] for one in sandbox.effects(COLLECTOR)] == [confirmation]
    page.get_by_role("button", name="Print").click()
    page.wait_for_url("**/receipt/*")
    assert_paper(page, confirmation)
    page.get_by_role("link", name="Back").click()
    page.get_by_role("button", name="Next customer").click()
    page.wait_for_url(f"{till.url}/")

    # The receipt's number, typed under Return, leads to the same sale.
    page.get_by_role("link", name="Return").click()
    page.fill("#id_confirmation", confirmation)
    page.press("#id_confirmation", "Enter")
    page.wait_for_url(f"**{sale}reverse/")
    page.get_by_role("button", name="Reverse").click()
    page.wait_for_url(lambda url: "/sale/" in url and sale not in url)
    assert sandbox.total_miles() == 0 and len(sandbox.effects(COLLECTOR)) == 2
    till.close()
    assert till.complaints == []
