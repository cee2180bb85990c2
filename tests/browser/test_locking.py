"""A shared tablet in Chromium: locked, opened by a PIN, left alone, and opened again."""

import re

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.inspector import Inspector
from tests.browser.till import SETTLED_MS, Till
from tests.servers.stack import Web

# What a tablet gets when a manager pairs it; the walk over that page is the devices' own.
_ISSUE = """
from django.utils import timezone
from backoffice.devices import models, tokens
device = models.Device.objects.get(store__number="0001", number={number!r})
print(tokens.issue(device, now=timezone.now(), profile="tablet"))
"""


def enrolled(browser: Browser, web: Web, *, number: str = "001", **options: str) -> Till:
    """Open a browser that is enrolled as a till of store 0001, its first one unless told."""
    issue = _ISSUE.format(number=number)
    token = re.findall(r"[A-Za-z0-9_-]{43}", web.manage("shell", "-c", issue))[-1]
    till = Till.open(browser, web.url, **options)
    till.context.add_cookies([{"name": "device", "value": token, "url": web.url}])
    return till


def unlock(page: Page, name: str, pin: str) -> None:
    """Tap a name and its PIN on the pad."""
    page.get_by_role("link", name=name, exact=True).click()
    page.wait_for_selector("#id_pin:focus")
    for digit in pin:
        page.locator(f"[data-digit='{digit}']").click()
    page.locator("#pin .button--main").click()


@pytest.mark.parametrize(
    ("language", "scheme", "name", "pin"),
    [("en-CA", "light", "Ana", "246810"), ("fr-CA", "dark", "Benoît", "135790")],
)
def test_a_tablet_is_opened_by_a_pin_and_locks_itself_with_the_sale_kept(
    browser: Browser, web: Web, inspector: Inspector, card: str, language: str, scheme: str,
    name: str, pin: str,
) -> None:  # fmt: skip
    till = enrolled(browser, web, locale=language, color_scheme=scheme)
    page = till.page
    till.go("/")
    page.wait_for_selector(".names")
    inspector.look(page, "locked")
    unlock(page, name, pin[:-1] + "9")
    page.wait_for_selector("#pin_error")
    inspector.look(page, "a wrong PIN")
    page.get_by_role("link").filter(has=page.locator("use[href='#i-arrow-left']")).click()
    unlock(page, name, pin)
    page.wait_for_selector(".listen")
    page.wait_for_timeout(SETTLED_MS)
    till.scan(card)
    page.wait_for_selector("#id_basket:focus")
    till.type("43.35")

    # Two minutes are long; the script takes them from the page.
    page.evaluate("document.getElementById('idle').dataset.after = '16'")
    page.wait_for_selector("#idle[open]")
    page.evaluate("document.getElementById('idle').dataset.after = '120'")
    inspector.look(page, "about to lock")
    page.locator("#idle .button--main").click()
    page.wait_for_selector("#idle:not([open])", state="attached")
    assert page.locator("#id_basket").is_visible()
    page.evaluate("document.getElementById('idle').dataset.after = '1'")
    page.wait_for_selector(".locked__kept")
    inspector.look(page, "locked with a sale")
    assert "••••" not in page.content() and "43.35" not in page.inner_text("body")

    unlock(page, name, pin)
    page.wait_for_selector("#id_basket")
    assert page.input_value("#id_basket") == "43.35"
    till.close()
    assert till.complaints == []
    assert len(inspector.seen) == 4
    assert not inspector.faults, inspector.told()
