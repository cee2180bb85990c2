"""What few hours bring, under axe's rules: credit instead of miles, an outage, decisions of two
people, a quarantine. English in light, French in dark.
"""

import pytest
from playwright.sync_api import Browser

from tests.browser import stage
from tests.browser.inspector import Inspector
from tests.browser.till import Till
from tests.servers.stack import Web

TOO_LATE = "80000000080"
MANAGER = ("manager", "milepost-manager")
ADMINISTRATOR = ("admin", "milepost-admin")
LOOKS = [("en", "light"), ("fr", "dark")]
NOTE = "Called the help desk: nothing was taken."
WHO = ("--by", "admin", "--why", "restored a backup")


def sign_in(till: Till, name: str, secret: str, language: str) -> None:
    """Sign in anew, in this language whoever it is."""
    till.context.clear_cookies()
    till.sign_in(name, secret)
    till.go("/office/" if name != "ana" else "/till/")
    button = till.page.locator(f".language button[value={language}]")
    if button.count():
        with till.page.expect_navigation():
            button.click()


def redeemed_anew(till: Till) -> str:
    """Redeem with the card whose reversal the platform calls too late; return the address."""
    till.go("/")
    return till.redeemed(TOO_LATE)


def finish(till: Till, inspector: Inspector, screens: int, *, refused: int = 0) -> None:
    """Nothing was complained about but the answers that were to be refused."""
    till.close()
    told = [one for one in till.complaints if "422" not in one]
    assert told == [] and len(till.complaints) == 2 * refused
    assert len(inspector.seen) == screens
    assert not inspector.faults, inspector.told()


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_credit_and_the_end_of_a_reversal_have_no_fault(
    browser: Browser, web: Web, inspector: Inspector, language: str, scheme: str
) -> None:
    till = Till.open(browser, web.url, color_scheme=scheme)
    page = till.page
    sign_in(till, "ana", "246810", language)
    till.pick_till()
    rows = stage.played(web, "closing")
    till.go(f"/sale/{rows['closing']}/reverse/")
    assert page.locator("[data-countdown]").inner_text()
    inspector.look(page, "a reversal about to close")
    till.go(f"/sale/{rows['closed']}/")
    inspector.look(page, "a redemption of another day")
    sale = redeemed_anew(till)
    till.go(f"{sale}reverse/")
    till.enter()
    page.wait_for_selector("[data-key=F7]")
    inspector.look(page, "which credit was given")
    page.locator("[data-key=F7]").click()
    page.wait_for_selector(".outcome--done")
    inspector.look(page, "credit given")
    till.go(f"{sale}receipt/")
    inspector.look(page, "its slip", is_at_till=False)
    finish(till, inspector, 5)


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_the_till_in_an_outage_has_no_fault(
    browser: Browser, web: Web, inspector: Inspector, card: str, language: str, scheme: str
) -> None:
    till = Till.open(browser, web.url, color_scheme=scheme)
    page = till.page
    sign_in(till, "ana", "246810", language)
    till.pick_till()
    till.offered(card)
    stage.played(web, "outage")
    try:
        till.enter()
        page.wait_for_selector(".outcome")
        inspector.look(page, "refused in an outage")
        stage.played(web, "outage")
        till.go("/")
        page.wait_for_selector(".listen ~ .notice--attention")
        inspector.look(page, "rest in an outage")
    finally:
        stage.played(web, "recovery")
    finish(till, inspector, 2)


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_decisions_of_two_people_have_no_fault(
    browser: Browser, web: Web, inspector: Inspector, language: str, scheme: str
) -> None:
    till = Till.open(browser, web.url, color_scheme=scheme)
    page = till.page
    tasks, late = stage.played(web, "tasks"), stage.played(web, "open")
    task = f"/office/log/{tasks['manual']}/"
    main_button = page.locator(".decision__end .button--main")

    sign_in(till, *MANAGER, language)
    till.go("/office/")
    assert page.locator(".table--needs").count() == 4
    inspector.look(page, "what needs a person", is_at_till=False)
    for name, path in (("near", late["near"]), ("one person", tasks["closable"])):
        till.go(f"/office/log/{path}/")
        inspector.look(page, name, is_at_till=False)
    till.go(task)
    inspector.look(page, "to be decided", is_at_till=False)
    main_button.click()
    page.wait_for_selector(".decision .field__error")
    inspector.look(page, "to be decided, with errors", is_at_till=False)
    page.locator(".decision__outcomes input").last.check()
    page.fill("#decision_help_desk_ref", "HD-77")
    page.fill("#decision_note", NOTE)
    main_button.click()
    page.wait_for_selector(".decision__said")
    inspector.look(page, "proposed", is_at_till=False)

    sign_in(till, *ADMINISTRATOR, language)
    till.go(task)
    inspector.look(page, "to be confirmed", is_at_till=False)
    page.fill("#decision_note", NOTE)
    main_button.click()
    page.wait_for_selector(".decision:not(.decision--open)")
    inspector.look(page, "decided", is_at_till=False)
    finish(till, inspector, 8, refused=1)


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_a_quarantine_has_no_fault(
    browser: Browser, web: Web, inspector: Inspector, card: str, language: str, scheme: str
) -> None:
    till = Till.open(browser, web.url, color_scheme=scheme)
    page = till.page
    web.manage("quarantine", "--start", *WHO)
    try:
        # A running process remembers for a while that it may send.
        web.stop()
        web.start()
        sign_in(till, "ana", "246810", language)
        till.pick_till()
        till.offered(card)
        till.enter()
        page.wait_for_selector(".outcome")
        inspector.look(page, "refused in a quarantine")
        sign_in(till, *ADMINISTRATOR, language)
        till.go("/office/")
        page.wait_for_selector(".notice--stop")
        inspector.look(page, "the overview in a quarantine", is_at_till=False)
    finally:
        web.manage("quarantine", "--lift", *WHO)
        web.stop()
        web.start()
    finish(till, inspector, 2)
