"""The office's later screens under axe's rules, in light and dark, English and French: miles
without a sale with its second person, the connection test, and API tokens with what they open.
"""

import pytest
from playwright.sync_api import Browser

from tests.browser.inspector import Inspector
from tests.browser.till import Till
from tests.servers.stack import Web


@pytest.mark.parametrize(
    ("name", "secret", "scheme", "locale"),
    [
        ("manager", "milepost-manager", "light", "en-CA"),
        ("admin", "milepost-admin", "dark", "fr-CA"),
    ],
)
def test_miles_without_a_sale_have_no_fault(
    browser: Browser,
    web: Web,
    inspector: Inspector,
    card: str,
    name: str,
    secret: str,
    scheme: str,
    locale: str,
) -> None:
    till = Till.open(browser, web.url, color_scheme=scheme, locale=locale)
    page = till.page
    till.sign_in(name, secret)
    if locale == "fr-CA":
        page.click("button[value=fr]")
    till.go("/office/events/new/")
    inspector.look(page, "give", is_at_till=False)
    page.locator(".basket button").click()
    page.wait_for_selector("[aria-invalid]:focus")
    inspector.look(page, "give, with its errors", is_at_till=False)
    for miles, screen in (("40", "given"), ("700", "proposed")):
        till.go("/office/events/new/")
        page.fill("#id_card", card)
        page.locator("#id_reason").select_option(index=1)
        page.fill("#id_miles", miles)
        page.fill("#id_note", "Promised on the phone.")
        page.locator(".basket button").click()
        page.wait_for_selector("input[name=draft]", state="attached")
        assert card not in page.content()
        inspector.look(page, f"to look at, {screen}", is_at_till=False)
        page.locator(".basket__end button").click()
        page.wait_for_selector("#result")
        assert card not in page.content() and card not in page.url
        inspector.look(page, screen, is_at_till=False)
    till.go("/office/events/")
    inspector.look(page, "events", is_at_till=False)
    till.close()
    assert till.complaints == []
    assert len(inspector.seen) == 7
    assert not inspector.faults, inspector.told()


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-CA"), ("dark", "fr-CA")])
def test_the_work_list_has_no_fault_and_leads_to_a_correction(
    browser: Browser, web: Web, inspector: Inspector, card: str, scheme: str, locale: str
) -> None:
    till = Till.open(browser, web.url, color_scheme=scheme, locale=locale)
    page = till.page
    till.sign_in("manager", "milepost-manager")
    if locale == "fr-CA":
        page.click("button[value=fr]")
    till.go("/office/events/new/")
    # Nobody's card: the programme rejects it.
    page.fill("#id_card", "80000099999")
    page.locator("#id_reason").select_option(index=1)
    page.fill("#id_miles", "3")
    page.fill("#id_note", "Promised on the phone.")
    page.locator(".basket button").click()
    page.wait_for_selector("input[name=draft]", state="attached")
    page.locator(".basket__end button").click()
    page.wait_for_selector("#result")
    till.go("/office/issuances/?task=rejected")
    inspector.look(page, "work list", is_at_till=False)
    page.locator(".acts .button").first.click()
    page.wait_for_selector("input[name=corrects]", state="attached")
    page.fill("#id_card", card)
    page.locator(".basket button").click()
    page.wait_for_selector("input[name=draft]", state="attached")
    page.locator(".basket__end button").click()
    page.wait_for_selector("#result")
    inspector.look(page, "corrected", is_at_till=False)
    till.go("/office/issuances/")
    inspector.look(page, "work list, all", is_at_till=False)
    till.close()
    assert till.complaints == []
    assert not inspector.faults, inspector.told()


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-CA"), ("dark", "fr-CA")])
def test_the_connection_test_has_no_fault(
    browser: Browser, web: Web, inspector: Inspector, scheme: str, locale: str
) -> None:
    till = Till.open(browser, web.url, color_scheme=scheme, locale=locale)
    page = till.page
    till.sign_in("manager", "milepost-manager")
    if locale == "fr-CA":
        page.click("button[value=fr]")
    till.go("/office/connection/")
    inspector.look(page, "connection", is_at_till=False)
    page.locator(".line-form button").click()
    page.wait_for_selector("#result")
    assert page.locator("#result .notice--done").count() == 2
    inspector.look(page, "connection, tested", is_at_till=False)
    till.close()
    assert till.complaints == []
    assert not inspector.faults, inspector.told()


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-CA"), ("dark", "fr-CA")])
def test_api_tokens_and_their_reference_have_no_fault(
    browser: Browser, web: Web, inspector: Inspector, scheme: str, locale: str
) -> None:
    till = Till.open(browser, web.url, color_scheme=scheme, locale=locale)
    page = till.page
    till.sign_in("admin", "milepost-admin")
    if locale == "fr-CA":
        page.click("button[value=fr]")
    till.go("/office/api-tokens/new/")
    inspector.look(page, "new token", is_at_till=False)
    page.fill("#id_name", "Warehouse")
    page.check("input[name=reach][value=chosen]")
    page.locator(".basket__end button").click()
    page.wait_for_selector(".field__error")
    inspector.look(page, "new token, with its errors", is_at_till=False)
    assert page.input_value("#id_name") == "Warehouse"
    page.check("input[name=scopes][value='stores:read']")
    page.locator("input[name=stores]").first.check()
    page.locator(".basket__end button").click()
    page.wait_for_selector(".secret__token")
    secret = page.locator(".secret__token").inner_text()
    inspector.look(page, "token made", is_at_till=False)
    page.locator(".back a").click()
    page.wait_for_selector(".sure")
    page.locator(".sure summary").click()
    inspector.look(page, "token", is_at_till=False)
    page.locator(".sure form button").click()
    page.wait_for_selector(".badge--stop")
    assert secret not in page.content()
    till.go("/office/api-tokens/")
    inspector.look(page, "tokens", is_at_till=False)
    till.go("/api/")
    inspector.look(page, "reference", is_at_till=False)
    till.close()
    assert till.complaints == []
    assert len(inspector.seen) == 6
    assert not inspector.faults, inspector.told()
