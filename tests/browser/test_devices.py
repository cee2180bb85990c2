"""A tablet is paired by scanning a manager's code, serves, is revoked and gets nowhere; each screen
on the way under axe's rules."""

import pytest
from playwright.sync_api import Browser

from tests.browser.inspector import Inspector
from tests.browser.till import Till
from tests.servers.stack import Web

MANAGER = ("manager", "milepost-manager")
READ = """async picture => {
  const image = new Image();
  image.src = picture;
  await image.decode();
  return [image.naturalWidth, image.naturalHeight];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_tablet_is_paired_serves_and_is_shown_out(
    browser: Browser, web: Web, inspector: Inspector, scheme: str
) -> None:
    office = Till.open(browser, web.url, color_scheme=scheme)
    page = office.page
    office.sign_in(*MANAGER)
    office.go("/office/devices/")
    inspector.look(page, "devices", is_at_till=False)
    page.locator("tbody .row-link").last.click()
    page.wait_for_url("**/office/devices/*/")
    device = page.url
    inspector.look(page, "device", is_at_till=False)
    page.locator("form[action$='/token/'] button").click()
    page.wait_for_selector(".secret__token")
    inspector.look(page, "token", is_at_till=False)
    page.goto(device)
    page.locator("form[action$='/code/'] button").click()
    code = page.locator(".secret__code").inner_text()
    width, height = page.evaluate(READ, page.locator(".secret__picture img").get_attribute("src"))
    assert width == height > 100
    inspector.look(page, "code", is_at_till=False)

    tablet = Till.open(browser, web.url, color_scheme=scheme)
    tablet.go(f"/pair/#{code}")
    assert tablet.page.locator("#id_code").input_value() == code
    # What was scanned stays in no history.
    assert tablet.page.url == f"{web.url}/pair/"
    inspector.look(tablet.page, "pair", is_at_till=False)
    tablet.page.locator(".button--main").click()
    tablet.page.wait_for_url("**/unlock/")
    tablet.sign_in(*MANAGER)
    tablet.go("/")
    tablet.page.wait_for_selector("#screen")

    page.goto(device)
    page.locator(".sure summary").click()
    inspector.look(page, "sure", is_at_till=False)
    page.locator("form[action$='/revoke/'] button").click()
    page.wait_for_selector(".badge--stop")
    tablet.go("/today/")
    tablet.page.wait_for_selector("#id_password")
    cookies = {cookie.get("name") for cookie in tablet.context.cookies()}
    assert "device" not in cookies
    for one in (office, tablet):
        one.close()
        assert one.complaints == []
    assert len(inspector.seen) == 6
    assert not inspector.faults, inspector.told()
