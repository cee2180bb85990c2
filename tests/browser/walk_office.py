"""The walk's stories in the back office and the admin: what managers and administrators see."""

from tests.browser.walk import Walk

MANAGER = ("manager", "milepost-manager")
ADMINISTRATOR = ("admin", "milepost-admin")
AUDITOR = ("auditor", "milepost-auditor")
BASKET = "SKU1234, 10001, 11101, 9.99, 2\nCAKE, 20, , 24.00\nGIFT50, GIFT, , 50.00"
NOTE = {
    "en": "Called the help desk at 9:40. They see no redemption for this card that evening.",
    "fr": "Appel au centre d’assistance à 9 h 40. Aucun échange pour cette carte ce soir-là.",
}


def office(walk: Walk) -> None:
    """The back office, as the stores' manager sees it."""
    page = walk.page
    walk.sign_in(*MANAGER)
    walk.open("/office/")
    walk.shot("60-office", is_whole=True)
    walk.open("/office/log/")
    walk.shot("61-log")
    page.locator("#log tbody a").first.click()
    page.wait_for_url("**/office/log/*-*/")
    walk.shot("62-transaction", is_whole=True)
    walk.open("/office/offers/")
    walk.shot("63-offers", is_whole=True)
    page.locator("tbody .row-link").first.click()
    page.wait_for_url("**/office/offers/*/")
    walk.shot("64-offer", is_whole=True)
    walk.open("/office/offers/preview/")
    page.fill("#id_lines", BASKET)
    page.fill("#id_coupons", "57841")
    page.fill("#id_tenders", "CREDIT")
    page.locator(".basket button").click()
    page.wait_for_selector("#result")
    walk.shot("65-offers-preview", is_whole=True)
    page.fill("#id_lines", "SKU1234, 10001, , neuf")
    page.locator(".basket button").click()
    page.wait_for_selector("#id_lines[aria-invalid]")
    walk.shot("66-offers-preview-wrong", is_whole=True)


def decisions(walk: Walk) -> None:
    """What no rule can settle: one person proposes, another confirms; small tasks one closes."""
    page = walk.page
    tasks, late = walk.play("tasks"), walk.play("open")
    walk.sign_in(*MANAGER)
    walk.open("/office/")
    walk.shot("70-office-needs", is_whole=True)
    task = f"/office/log/{tasks['manual']}/"
    walk.open(task)
    walk.shot("71-decision", is_whole=True)
    page.locator(".decision__end .button--main").click()
    page.wait_for_selector(".decision .field__error")
    walk.shot("72-decision-wrong", is_whole=True)
    page.locator(".decision__outcomes input").last.check()
    page.fill("#decision_help_desk_ref", "HD-20771")
    page.fill("#decision_note", NOTE[walk.language])
    page.locator(".decision__end .button--main").click()
    page.wait_for_selector(".decision__said")
    walk.shot("73-decision-own", is_whole=True)
    walk.open(f"/office/log/{tasks['closable']}/")
    walk.shot("74-task-of-one", is_whole=True)
    walk.open(f"/office/log/{late['near']}/")
    walk.shot("75-near", is_whole=True)
    walk.sign_in(*AUDITOR)
    walk.open(task)
    walk.shot("76-decision-auditor", is_whole=True)
    walk.sign_in(*ADMINISTRATOR)
    walk.open("/office/")
    walk.shot("77-office-proposed", is_whole=True)
    walk.open(task)
    walk.shot("78-decision-other", is_whole=True)
    page.fill("#decision_note", NOTE[walk.language])
    page.locator(".decision__end .button--main").click()
    page.wait_for_selector(".decision:not(.decision--open)")
    walk.shot("79-decided", is_whole=True)


def policies(walk: Walk) -> None:
    """What administrators set: a store's policy, and offers with who changed them."""
    page = walk.page
    walk.sign_in(*ADMINISTRATOR)
    walk.open("/admin/stores/store/")
    page.locator("#result_list tbody a").first.click()
    page.wait_for_selector("#id_gives_back_unshown")
    walk.shot("80-store")
    walk.open("/office/offers/")
    walk.shot("81-offers-administrator", is_whole=True)
    walk.open("/admin/issuance/offer/")
    page.locator("#result_list tbody a").first.click()
    page.wait_for_selector("#id_at_most")
    walk.shot("82-offer-edit")
    page.fill("#id_at_most", "5" if walk.language == "en" else "6")
    page.locator("input[name=_save]").click()
    walk.open("/office/offers/")
    page.locator("tbody .row-link").first.click()
    page.wait_for_url("**/office/offers/*/")
    walk.shot("83-offer-changed", is_whole=True)
