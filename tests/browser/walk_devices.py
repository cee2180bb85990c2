"""The walk's stories of devices, enrolled in the office and paired, and of API tokens."""

from tests.browser.walk import Walk
from tests.browser.walk_office import ADMINISTRATOR, MANAGER


def devices(walk: Walk) -> None:
    """A code and a token are made and shown once; a tablet is paired; a device is revoked."""
    page = walk.page
    walk.sign_in(*MANAGER)
    walk.open("/office/devices/")
    walk.shot("67-devices", is_whole=True)
    page.locator("tbody .row-link").last.click()
    page.wait_for_url("**/office/devices/*/")
    walk.shot("67-device-new", is_whole=True)
    device = page.url.removeprefix(walk.web)
    page.select_option("#token_profile", "till_amcash")
    page.locator("form[action$='/token/'] button").click()
    page.wait_for_selector(".secret__token")
    walk.shot("67-device-token", is_whole=True)
    walk.open(device)
    page.locator("form[action$='/code/'] button").click()
    code = page.locator(".secret__code").inner_text()
    walk.shot("67-device-code", is_whole=True)
    walk.open("/pair/")
    walk.shot("68-pair")
    page.fill("#id_code", "0000-0000")
    page.locator(".button--main").click()
    page.wait_for_selector("[aria-invalid]")
    walk.shot("68-pair-wrong")
    page.fill("#id_code", code)
    page.locator(".button--main").click()
    page.wait_for_url("**/unlock/")
    walk.sign_in(*MANAGER, to=device)
    walk.shot("67-device-paired", is_whole=True)
    page.locator(".sure summary").click()
    page.locator("form[action$='/revoke/'] button").click()
    page.wait_for_selector(".badge--stop")
    walk.shot("67-device-revoked", is_whole=True)


def api_tokens(walk: Walk) -> None:
    """A token for a program is made and shown once, listed and revoked."""
    page = walk.page
    walk.sign_in(*ADMINISTRATOR)
    walk.open("/office/api-tokens/new/")
    page.fill("#id_name", "Warehouse")
    page.check("input[name=reach][value=chosen]")
    page.locator(".basket__end button").click()
    page.wait_for_selector(".field__error")
    walk.shot("69-api-token-wrong", is_whole=True)
    page.check("input[name=scopes][value='transactions:read']")
    page.locator("input[name=stores]").first.check()
    page.locator(".basket__end button").click()
    page.wait_for_selector(".secret__token")
    walk.shot("69-api-token-made", is_whole=True)
    page.locator(".back a").click()
    page.wait_for_selector(".sure")
    page.locator(".sure summary").click()
    walk.shot("69-api-token", is_whole=True)
    walk.open("/office/api-tokens/")
    walk.shot("69-api-tokens", is_whole=True)
    walk.open("/api/")
    walk.shot("69-api")
