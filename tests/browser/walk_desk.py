"""The walk's stories at the office's desk: miles without a sale, the work list, the connection,
people and what they prove themselves with, and a person's request.
"""

from tests.browser.walk import Walk
from tests.browser.walk_office import ADMINISTRATOR, MANAGER

NOTE = {"en": "Promised on the phone.", "fr": "Annoncés au téléphone."}
REASON = {"en": "Their letter of November 20", "fr": "Sa lettre du 20 novembre"}
# Nobody's card: the programme rejects it.
NOBODY = "80000099999"


def desk(walk: Walk) -> None:
    """What managers do at a desk."""
    walk.sign_in(*MANAGER)
    events(walk)
    work_list(walk)
    connection(walk)
    walk.sign_in(*ADMINISTRATOR)
    people(walk)
    privacy(walk)


def events(walk: Walk) -> None:
    """Miles without a sale: given, proposed above the limit, and taken back."""
    page = walk.page
    walk.open("/office/events/new/")
    walk.shot("100-event-new", is_whole=True)
    page.locator(".basket button").click()
    page.wait_for_selector("[aria-invalid]:focus")
    walk.shot("101-event-wrong", is_whole=True)
    _enter(walk, "80000010001", "40")
    walk.shot("102-event-preview", is_whole=True)
    _send(walk)
    walk.shot("103-event-given", is_whole=True)
    _enter(walk, "80000010001", "700")
    _send(walk)
    walk.shot("104-event-proposed", is_whole=True)
    walk.open("/office/events/")
    walk.shot("105-events", is_whole=True)


def work_list(walk: Walk) -> None:
    """What the programme rejected, and how it is put right."""
    page = walk.page
    _enter(walk, NOBODY, "3")
    _send(walk)
    walk.open("/office/issuances/")
    walk.shot("110-work-list", is_whole=True)
    walk.open("/office/issuances/?task=rejected")
    walk.shot("111-work-list-rejected", is_whole=True)
    page.locator(".acts .button").first.click()
    page.wait_for_selector("#id_card")
    walk.shot("112-correct", is_whole=True)


def connection(walk: Walk) -> None:
    """Both products asked whether they answer."""
    walk.open("/office/connection/")
    walk.shot("120-connection", is_whole=True)
    walk.page.locator(".line-form button").click()
    walk.page.wait_for_selector("#result")
    walk.shot("121-connection-tested", is_whole=True)


def people(walk: Walk) -> None:
    """Who works where, and what they prove themselves with."""
    page = walk.page
    walk.open("/office/people/")
    walk.shot("130-people", is_whole=True)
    page.get_by_role("link", name="Ana", exact=True).click()
    page.wait_for_selector("form[action$='/badge/']")
    walk.shot("131-person", is_whole=True)
    page.locator("form[action$='/badge/'] button").click()
    page.wait_for_url("**/badge/")
    walk.shot("132-badge", is_whole=True)
    walk.open("/office/passkeys/")
    walk.shot("133-passkeys", is_whole=True)


def privacy(walk: Walk) -> None:
    """A search, a number shown for a reason, and what a person may have and have erased."""
    page, reason = walk.page, REASON[walk.language]
    walk.open("/office/privacy/")
    walk.shot("140-privacy", is_whole=True)
    page.fill("#search_number", "1234")
    page.press("#search_number", "Enter")
    page.wait_for_selector("[aria-invalid]")
    walk.shot("141-privacy-wrong", is_whole=True)
    page.fill("#search_number", "80000010001")
    page.press("#search_number", "Enter")
    page.wait_for_url("**/privacy/search/")
    page.wait_for_selector("tbody .row-link")
    walk.shot("142-privacy-found", is_whole=True)
    found = page.locator("tbody .row-link").first.get_attribute("href")
    walk.open(f"{found}number/")
    walk.shot("143-reveal", is_whole=True)
    walk.open("/office/privacy/")
    page.fill("#request_number", "80000010001")
    page.press("#request_number", "Enter")
    page.wait_for_selector("#access_reason")
    walk.shot("144-request", is_whole=True)
    page.fill("#access_reason", reason)
    page.locator("button[value=page]").click()
    page.wait_for_url("**/privacy/record/")
    walk.shot("145-record", is_whole=True)


def _enter(walk: Walk, card: str, miles: str) -> None:
    page = walk.page
    walk.open("/office/events/new/")
    page.fill("#id_card", card)
    page.locator("#id_reason").select_option(index=1)
    page.fill("#id_miles", miles)
    page.fill("#id_note", NOTE[walk.language])
    page.locator(".basket button").click()
    page.wait_for_selector("input[name=draft]", state="attached")


def _send(walk: Walk) -> None:
    walk.page.locator(".basket__end button").click()
    walk.page.wait_for_selector("#result")
