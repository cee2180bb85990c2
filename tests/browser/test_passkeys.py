"""A passkey in real Chromium, with an authenticator of Chromium's own making: added after the first
code, then good in its place; what a browser refuses and one without passkeys.
"""

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth
from django.utils import timezone
from playwright.sync_api import Browser, expect

from tests.browser.inspector import Inspector
from tests.browser.till import Till
from tests.servers.stack import Sandbox, Web, web_running

MANAGER = ("manager", "milepost-manager")
STEP = re.compile(r"/office/second-step/$")


@pytest.fixture(scope="module")
def guarded(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Web]:
    """A web server that asks for a second factor, as in production."""
    _web, sandbox, _trainer = request.getfixturevalue("_processes")
    assert isinstance(sandbox, Sandbox)
    folder = tmp_path_factory.mktemp("guarded")
    with web_running(folder, sandbox, MILEPOST_SECOND_FACTOR="1") as web:
        yield web


def authenticator(till: Till, *, is_verified: bool = True) -> tuple[Any, str]:
    """Give a browser an authenticator whose person is there, and is who they say or is not."""
    session = till.context.new_cdp_session(till.page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": is_verified,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def at_localhost(web: Web) -> str:
    return web.url.replace("127.0.0.1", "localhost")


def type_password(till: Till) -> None:
    till.sign_in(*MANAGER)
    expect(till.page).to_have_url(STEP)


def set_up_codes(till: Till) -> None:
    """Set up one-time codes as the page asks."""
    secret = till.page.locator(".field__help .mono").inner_text().replace(" ", "")
    step = int(timezone.now().timestamp()) // 30
    till.page.fill("#id_code", str(auth.format_hotp_value(auth.hotp_value(secret, step))))
    till.page.press("#id_code", "Enter")
    till.page.wait_for_selector(".recovery")


def test_a_passkey_is_added_signs_in_and_is_removed(
    browser: Browser, guarded: Web, inspector: Inspector
) -> None:
    till = Till.open(browser, at_localhost(guarded))
    page = till.page
    session, number = authenticator(till)
    type_password(till)
    set_up_codes(till)
    inspector.look(page, "recovery codes", is_at_till=False)
    till.go("/office/passkeys/")
    button = page.locator("[data-passkey] button")
    button.click()
    # Without a name nothing is asked of the authenticator.
    assert session.send("WebAuthn.getCredentials", {"authenticatorId": number})["credentials"] == []
    page.fill("#id_name", "Office laptop")
    inspector.look(page, "add a passkey", is_at_till=False)
    button.click()
    expect(page.locator(".keys__one")).to_contain_text("Office laptop")
    inspector.look(page, "passkeys", is_at_till=False)
    (kept,) = session.send("WebAuthn.getCredentials", {"authenticatorId": number})["credentials"]
    assert kept["rpId"] == "localhost" and kept["isResidentCredential"]
    assert b"manager" not in base64.b64decode(kept["userHandle"])
    # A second one on the same authenticator is refused by the authenticator, and said so.
    page.fill("#id_name", "Again")
    button.click()
    expect(page.locator("[data-passkey] [role=alert]")).to_be_visible()
    assert page.locator("#id_name").input_value() == "Again"

    page.locator(".rail__end button").click()
    page.wait_for_url(re.compile("/(sign-in|pair)/"))
    type_password(till)
    inspector.look(page, "code or passkey", is_at_till=False)
    page.locator("[data-passkey] button").click()
    page.wait_for_url(lambda url: "second-step" not in url)
    till.go("/office/passkeys/")
    expect(page.locator(".keys__one")).to_contain_text("last used")

    page.locator(".keys__one button").click()
    expect(page.locator(".keys__one")).to_have_count(0)
    till.close()
    assert till.complaints == []
    assert not inspector.faults, inspector.told()


def test_who_is_not_verified_gets_no_further_and_a_code_is_asked_for(
    browser: Browser, guarded: Web
) -> None:
    till = Till.open(browser, at_localhost(guarded))
    page = till.page
    session, number = authenticator(till)
    till.sign_in("admin", "milepost-admin")
    set_up_codes(till)
    till.go("/office/passkeys/")
    page.fill("#id_name", "Key")
    page.locator("[data-passkey] button").click()
    expect(page.locator(".keys__one")).to_have_count(1)
    page.locator(".rail__end button").click()
    page.wait_for_url(re.compile("/(sign-in|pair)/"))
    till.sign_in("admin", "milepost-admin")
    session.send("WebAuthn.setUserVerified", {"authenticatorId": number, "isUserVerified": False})
    page.locator("[data-passkey] button").click()
    expect(page.locator("[data-passkey] [role=alert]")).to_be_visible()
    expect(page).to_have_url(STEP)
    assert page.locator("#id_code").is_visible()
    # At another address the browser is not even asked, and the code is.
    elsewhere = Till.open(browser, guarded.url)
    elsewhere.sign_in("admin", "milepost-admin")
    elsewhere.page.wait_for_selector("#id_code")
    elsewhere.page.wait_for_load_state("networkidle")
    assert elsewhere.page.locator("[data-passkey]").is_hidden()
    # Nor without script.
    plain = browser.new_context(java_script_enabled=False)
    bare = plain.new_page()
    bare.goto(at_localhost(guarded) + "/sign-in/?name")
    bare.fill("#id_username", "admin")
    bare.fill("#id_password", "milepost-admin")
    bare.press("#id_password", "Enter")
    bare.wait_for_selector("#id_code")
    assert bare.locator("[data-passkey]").is_hidden()
    plain.close()
    for one in (till, elsewhere):
        one.close()
        assert one.complaints == []
