"""Pictures of miles: given by totals and by items, answered in every way, and brought back."""

from tests.browser.walk import Walk


def miles(walk: Walk) -> None:
    """Miles given by totals and by items, pending, brought back."""
    page = walk.page
    walk.open("/give/")
    walk.shot("60-give")
    walk.scan("80000010001")
    page.wait_for_selector("#id_before")
    walk.shot("61-give-totals")
    page.click("button[value=items]")
    page.wait_for_selector("#item")
    for field, typed in (("sku", "SKU1234"), ("price", "30.00"), ("quantity", "2")):
        page.fill(f"#id_{field}", typed)
    page.press("#id_quantity", "Enter")
    page.wait_for_selector("button[name=gone]")
    walk.shot("62-give-items")
    page.fill("#id_after", "67.80")
    page.press("#id_after", "Enter")
    page.wait_for_selector(".figures--done")
    walk.shot("63-give-preview")
    walk.enter()
    page.wait_for_selector(".receipt")
    sale = page.url.removeprefix(walk.web)
    walk.shot("64-given")
    walk.open(f"{sale}receipt/")
    walk.shot("65-paper-miles")
    walk.open(f"{sale}return/")
    walk.shot("66-bring-back")
    page.fill("#id_piece_1", "2")
    page.fill("#id_after", "67.80")
    page.press("#id_after", "Enter")
    page.wait_for_selector(".figures--done")
    walk.shot("67-bring-back-preview")
    walk.enter()
    page.wait_for_selector(".receipt")
    walk.shot("68-brought-back")
    # A collector of this look's own: what is pending holds up what the same one earns later.
    collector = f"8000001997{walk.place}"
    walk.sandbox.control("seed", members=[{"collector": collector, "cash_miles": 0}])
    walk.sandbox.control("pending", mode="looks", looks=2, collector=collector)
    walk.open("/give/")
    walk.scan(collector)
    page.wait_for_selector("#id_before")
    page.fill("#id_before", "100.00")
    page.fill("#id_after", "113.00")
    page.press("#id_after", "Enter")
    page.wait_for_selector(".figures--done")
    walk.enter()
    page.wait_for_selector(".receipt")
    walk.shot("69-pending")


def answers(walk: Walk) -> None:
    """What the programme makes of miles: refused, partly, waiting; and a sale paid with miles."""
    page = walk.page
    endings = {"202": "pending", "203": "stuck", "207": "partly", "400": "bad", "500": "lost"}
    for place, (digits, name) in enumerate(endings.items(), start=70):
        walk.basket(f"80000020{digits}", "100.00", "113.00")
        if page.locator("#give").count():
            walk.enter()
            page.wait_for_selector(".receipt, .outcome", timeout=30_000)
        walk.shot(f"{place}-{name}")
    sale = walk.redeem("80000010001", "43.35")
    walk.open(f"{sale}give/")
    page.fill("#id_before", "38.36")
    page.press("#id_before", "Enter")
    page.wait_for_selector(".figures--done")
    walk.enter()
    page.wait_for_selector(".receipt")
    walk.shot("75-given-with-redemption")
    given = page.url.removeprefix(walk.web)
    walk.open(f"{given}receipt/")
    walk.shot("76-paper-of-both")
    walk.open(f"{given}return/")
    walk.shot("77-bring-back-totals")
    page.fill("#id_before", "99")
    page.press("#id_before", "Enter")
    page.wait_for_selector("#id_before_error")
    walk.shot("78-bring-back-wrong")
    page.fill("#id_before", "38.36")
    page.fill("#id_after", "43.35")
    page.press("#id_after", "Enter")
    page.wait_for_selector(".figures--done")
    walk.enter()
    page.wait_for_selector(".receipt")
    walk.shot("79-brought-back-with-redemption")
