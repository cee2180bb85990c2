"""A tablet in training in Chromium: a manager lets a cashier practise, with two real sandboxes of
which one hears nothing, and takes the tablet back.
"""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.inspector import Inspector
from tests.browser.test_locking import enrolled, unlock
from tests.browser.till import SETTLED_MS, Till
from tests.servers.stack import Sandbox, Web

CARD = "80000010001"
REAL = "84095202006"
MANAGERS_PIN = "975318"


def asked_of_a_manager(page: Page, inspector: Inspector, screen: str) -> None:
    """Press the main button of the training screen and have the manager agree."""
    page.wait_for_timeout(SETTLED_MS)
    page.keyboard.press("Enter")
    page.wait_for_selector("#approval")
    inspector.look(page, screen)
    page.get_by_role("radio", name="Manager").check()
    page.fill("#id_approver_pin", MANAGERS_PIN)
    with page.expect_navigation():
        page.locator("button[form=approval]").click()


def practised_sale(till: Till, word: str, inspector: Inspector) -> None:
    """Redeem with a training card, each screen and the paper saying the word."""
    page = till.page
    band = page.locator(".training strong")
    expect(band).to_have_text(word)
    inspector.look(page, "resting, in training")
    till.scan(REAL)
    expect(page.locator(".listen__problem")).to_be_visible()
    till.offered(CARD)
    expect(band).to_have_text(word)
    inspector.look(page, "an offer, in training")
    till.enter()
    page.wait_for_url("**/sale/**")
    expect(band).to_have_text(word)
    expect(page.locator(".receipt__mark")).to_have_text(word)
    inspector.look(page, "done, in training")
    paper = till.new_page()
    paper.goto(page.url + "receipt/")
    assert paper.locator(".mark").all_inner_texts().count(word.upper()) == 2
    paper.close()


@pytest.mark.parametrize(
    ("language", "scheme", "name", "pin", "word"),
    [
        ("en-CA", "light", "Ana", "246810", "TRAINING"),
        ("fr-CA", "dark", "Benoît", "135790", "FORMATION"),
    ],
)
def test_a_cashier_practises_with_a_managers_word_and_the_programme_hears_nothing(
    browser: Browser, web: Web, sandbox: Sandbox, trainer: Sandbox, inspector: Inspector,
    language: str, scheme: str, name: str, pin: str, word: str,
) -> None:  # fmt: skip
    till = enrolled(browser, web, number="002", locale=language, color_scheme=scheme)
    page = till.page
    till.go("/")
    page.wait_for_selector(".names")
    unlock(page, name, pin)
    page.wait_for_selector(".listen")
    assert page.locator(".training").count() == 0
    till.go("/today/")
    page.locator("#screen a[href='/training/']").click()
    page.wait_for_selector(".outcome--training")
    inspector.look(page, "before training")
    asked_of_a_manager(page, inspector, "a manager is asked to begin")

    practised_sale(till, word, inspector)
    frame = "getComputedStyle(document.querySelector('.app'), '::after').borderTopWidth"
    assert page.evaluate(frame) == "6px"
    page.locator(".rail form button").click()
    page.wait_for_selector(".names")
    expect(page.locator(".training strong")).to_have_text(word)
    inspector.look(page, "locked, in training")
    unlock(page, name, pin)
    page.wait_for_selector(".listen")

    page.locator(".training a").click()
    page.wait_for_selector(".outcome--training")
    inspector.look(page, "in training")
    asked_of_a_manager(page, inspector, "a manager is asked to end")
    page.wait_for_selector(".listen")
    assert page.locator(".training").count() == 0
    assert page.evaluate(frame) != "6px"

    [effect] = trainer.effects(CARD)
    assert effect["miles"] == -380
    assert sandbox.effects() == [] and sandbox.exchanges("/checkout/amcash/redeem") == []
    assert all(REAL not in str(one) for one in trainer.exchanges())
    till.close()
    assert till.complaints == []
    assert not inspector.faults, inspector.told()
