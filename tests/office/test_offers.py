"""The office's offers: who may read and edit them, what a preview says, what cannot be read."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from backoffice.audit.models import AuditEntry
from backoffice.office.management.commands.demo import seed
from backoffice.people.models import User
from backoffice.stores.models import Sponsor, Store
from issuance.models import Exclusion, Offer
from tests.cast import Cast
from tests.figures import stands_in

PAGES = ["/office/offers/", "/office/offers/preview/"]
LINES = """SKU1234, 10001, 11101, 9.99, 2
SKU1252, 10001, 11101, 4.99
BREAD, 20, , 4.50, 6
CAKE, 20, , 24.00, 1
GIFT50, GIFT, , 50.00, 1"""


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def base_offer(cast: Cast, **changes: Any) -> Offer:
    fields: dict[str, Any] = {
        "sponsor": cast.sponsor,
        "offer_id": "100",
        "code": "STANDARD",
        "kind": "base",
        "description_en": "A mile for every $20",
        "description_fr": "Un mille par 20 $",
        "miles": 1,
        "per_cents": 2000,
    }
    return Offer.objects.create(**{**fields, **changes})


def admin_form(row: Offer, **changes: Any) -> dict[str, Any]:
    """What the admin's form posts for an offer."""
    names = ["offer_id", "code", "kind", "description_en", "description_fr", "miles"]
    fields = {name: getattr(row, name) for name in names}
    return fields | {"sponsor": row.sponsor_id, "per_cents": "20.00", "is_active": "on"} | changes


def preview(user: User, store: Store, **changes: str) -> str:
    fields = {
        "store": str(store.pk),
        "day": "2026-11-20",
        "lines": LINES,
        "coupons": "57841",
        "tenders": "CREDIT",
    }
    response = signed_in(user).post("/office/offers/preview/", fields | changes)
    assert response.status_code == 200
    return response.content.decode()


def demo_store(number: str = "0001") -> Store:
    seed()
    return Store.objects.get(sponsor__code="LOY1", number=number)


@pytest.mark.parametrize("address", PAGES)
def test_a_stranger_is_sent_to_the_sign_in_and_a_cashier_away(cast: Cast, address: str) -> None:
    assert Client().get(address)["Location"].startswith("/sign-in/")
    assert signed_in(cast.cashier).get(address).status_code == 403


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("role", ["manager", "administrator", "auditor"])
def test_managers_administrators_and_auditors_read(cast: Cast, address: str, role: str) -> None:
    row = base_offer(cast)
    client = signed_in(getattr(cast, role))
    assert client.get(address).status_code == 200
    assert client.get(f"/office/offers/{row.pk}/").status_code == 200


def test_only_an_administrator_is_offered_to_edit_and_may(cast: Cast) -> None:
    row = base_offer(cast)
    edit = f"/admin/issuance/offer/{row.pk}/change/"
    for role, may in (("administrator", True), ("manager", False), ("auditor", False)):
        client = signed_in(getattr(cast, role))
        assert (edit in client.get(f"/office/offers/{row.pk}/").content.decode()) == may
        assert client.get(edit, follow=True).status_code == (200 if may else 403)
        listed = client.get("/office/offers/").content.decode()
        assert ("/admin/issuance/offer/add/" in listed) == may


def test_a_manager_reads_the_offers_of_their_own_stores(cast: Cast) -> None:
    everywhere = base_offer(cast)
    northern = base_offer(cast, offer_id="200", description_en="Northern lights")
    northern.stores.add(cast.north)
    gone = Exclusion.objects.create(sponsor=cast.sponsor, name="Northern fuel", items="F")
    gone.stores.add(cast.north)
    other = Sponsor.objects.create(code="KENY", name="Other", vendor_id="1", acquirer_id="1")
    foreign = base_offer(cast, sponsor=other, description_en="Elsewhere")
    seen = signed_in(cast.manager).get("/office/offers/").content.decode()
    assert "Northern lights" in seen and "Northern fuel" in seen and "Elsewhere" not in seen
    southern = signed_in(cast.south_manager)
    seen = southern.get("/office/offers/").content.decode()
    assert "A mile for every $20" in seen
    assert "Northern lights" not in seen and "Northern fuel" not in seen
    assert southern.get(f"/office/offers/{everywhere.pk}/").status_code == 200
    assert southern.get(f"/office/offers/{northern.pk}/").status_code == 404
    assert southern.get(f"/office/offers/{foreign.pk}/").status_code == 404
    cast.manager.stores.add(cast.south)
    seen = signed_in(cast.manager).get("/office/offers/").content.decode()
    assert seen.count(f'href="/office/offers/{everywhere.pk}/"') == 1
    assert "Elsewhere" in signed_in(cast.auditor).get("/office/offers/").content.decode()


def test_the_list_says_what_an_offer_gives_where_and_when(cast: Cast) -> None:
    base_offer(cast, ends_on=date(2020, 1, 31), at_most=3)
    base_offer(cast, offer_id="200", starts_on=date(2999, 1, 1))
    base_offer(cast, offer_id="300", is_active=False, coupon="57841", tender="CREDIT")
    row = base_offer(
        cast,
        offer_id="400",
        kind="multiplier",
        miles=None,
        per_cents=None,
        factor_percent=150,
        departments="20, 30",
    )
    row.stores.add(cast.north)
    text = signed_in(cast.manager).get("/office/offers/").content.decode()
    for said in (
        "1 mile for each full $20.00, at most 3 times",
        "1.5 times the base miles",
        "Departments 20, 30",
        "With coupon 57841",
        "Paid with CREDIT",
        "To Fri 31 Jan 2020",
        "Over",
        "Still to come",
        "Switched off",
        "Holds today",
        "All stores",
        "0001 North",
    ):
        assert said in text, said


def test_a_change_is_audited_with_old_and_new_and_told_on_the_offers_page(cast: Cast) -> None:
    row = base_offer(cast)
    form = admin_form(row, per_cents="25.00", stores=[cast.north.pk])
    client = signed_in(cast.administrator)
    response = client.post(f"/admin/issuance/offer/{row.pk}/change/", form)
    assert response.status_code == 302
    row.refresh_from_db()
    assert row.per_cents == 2500
    entry = AuditEntry.objects.get(event="offer.changed")
    assert entry.details["per_cents"] == "2000 → 2500"
    assert entry.details["stores"] == " → 0001 · North, Toronto"
    assert "code" not in entry.details
    client.post(f"/admin/issuance/offer/{row.pk}/change/", form | {"code": "OTHER"})
    again = AuditEntry.objects.filter(event="offer.changed").first()
    assert again is not None
    assert again.details["code"] == "STANDARD → OTHER"
    assert "per_cents" not in again.details
    text = signed_in(cast.auditor).get(f"/office/offers/{row.pk}/").content.decode()
    assert "Changed by administrator" in text
    assert "for each full amount: 20.00 → 25.00" in text


def test_the_admin_says_what_is_wrong_and_keeps_what_was_typed(cast: Cast) -> None:
    row = base_offer(cast)
    address = f"/admin/issuance/offer/{row.pk}/change/"
    client = signed_in(cast.administrator)
    page = client.post(address, admin_form(row, per_cents="0.005")).content.decode()
    assert "no more than 2 decimal places" in page and 'value="0.005"' in page
    page = client.post(address, admin_form(row, per_cents="", miles="")).content.decode()
    assert "Say how many miles it gives." in page
    assert 'value="20.00"' in client.get(address).content.decode()
    other = Sponsor.objects.create(code="KENY", name="Other", vendor_id="1", acquirer_id="1")
    strange = Store.objects.create(
        sponsor=other, number="0009", name="Far", city="Regina", zone="America/Regina"
    )
    page = client.post(address, admin_form(row, stores=[strange.pk])).content.decode()
    assert "0009 · Far, Regina is a store of another sponsor." in page
    assert not AuditEntry.objects.filter(event="offer.changed").exists()


def test_nothing_kept_is_ever_deleted(cast: Cast) -> None:
    row = base_offer(cast)
    gone = Exclusion.objects.create(sponsor=cast.sponsor, name="Gift cards", departments="GIFT")
    client = signed_in(cast.administrator)
    for address in (f"offer/{row.pk}", f"exclusion/{gone.pk}"):
        assert client.get(f"/admin/issuance/{address}/change/").status_code == 200
        assert client.post(f"/admin/issuance/{address}/delete/", {"post": "yes"}).status_code == 403
    assert (Offer.objects.count(), Exclusion.objects.count()) == (1, 1)


def test_a_preview_gives_the_miles_of_the_worked_example(db: None) -> None:
    store = demo_store()
    text = preview(User.objects.get(username="auditor"), store)
    assert stands_in("42", text)
    giving, _mark, others = text.partition('id="others"')
    for said in (
        "1 mile for every $20",
        "$75.97, quantity 10",
        "SKU1234, SKU1252, BREAD, CAKE",
        "$51.00, quantity 7",
        "by the base offer 100001",
        "Excluded (Gift cards): GIFT50",
    ):
        assert said in giving, said
    assert "Offer 100010 gives more, and only the best of a group counts." in others
    assert "It does not hold in this store." in others


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"coupons": ""}, "Coupon 57841 is not on the bill."),
        ({"tenders": "CASH"}, "Nothing is paid with CREDIT."),
        ({"lines": "GIFT50, GIFT, , 50.00"}, "This basket earns nothing."),
        ({"lines": "GIFT50, GIFT, , 50.00"}, "No item counts for it."),
        ({"lines": "SKU1, 10, , 19.99"}, "What counts does not reach one full step."),
    ],
)
def test_a_preview_says_why_an_offer_gives_nothing(
    db: None, changes: dict[str, str], said: str
) -> None:
    store = demo_store()
    assert said in preview(User.objects.get(username="auditor"), store, **changes)


def test_a_preview_reads_the_days_of_an_offer(cast: Cast) -> None:
    row = base_offer(cast, starts_on=date(2026, 11, 20), ends_on=date(2026, 11, 21))
    text = preview(cast.manager, cast.north, day="2026-11-19")
    assert "It starts on Fri 20 Nov 2026." in text
    assert "This basket earns nothing." not in preview(cast.manager, cast.north, day="2026-11-21")
    assert "It ended on Sat 21 Nov 2026." in preview(cast.manager, cast.north, day="2026-11-22")
    row.is_active = False
    row.save()
    assert "It is switched off." in preview(cast.manager, cast.north)


def test_a_multiplier_without_a_base_offer_says_so(cast: Cast) -> None:
    fields = {"kind": "multiplier", "miles": None, "per_cents": None, "factor_percent": 200}
    base_offer(cast, **fields)
    text = preview(cast.manager, cast.north)
    assert "There is no base offer to multiply." in text


@pytest.mark.parametrize(
    ("lines", "cents"),
    [
        ("SKU1\t10\t\t9,99\t2", "$19.98"),
        ("SKU1;10;;9,99;1,5", "$14.99"),
        ("SKU1, 10, , $9.99, 0.345\n\n , , \n", "$3.45"),
    ],
)
def test_a_basket_is_read_as_spreadsheets_write_it(cast: Cast, lines: str, cents: str) -> None:
    base_offer(cast)
    assert stands_in(cents, preview(cast.manager, cast.north, lines=lines))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "This field is required."),
        ("SKU1, 10, , 5.00\nSKU2, 10", "Line 2: four or five cells are needed"),
        ("SKU1, 10, , five", "Line 1: “five” is not a price."),
        ("SKU1, 10, , -5.00", "“-5.00” is not a price."),
        ("SKU1, 10, , 5.00, 0", "“0” is not a quantity."),
        ("SKU1, 10, , 5.00, 1e3", "“1e3” is not a quantity."),
        (", 10, , 5.00", "Line 1: the number of the item is missing."),
        (f"{'S' * 61}, 10, , 5.00", "Line 1: a cell is too long."),
        ("S, 1, , 1.00\n" * 201, "At most 200 lines can be shown."),
        ("SKU1, <b>, , x", "“x” is not a price."),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line_and_kept(
    cast: Cast, lines: str, said: str
) -> None:
    text = preview(cast.manager, cast.north, lines=lines)
    assert said in text
    assert 'id="result"' not in text
    assert 'aria-invalid="true"' in text and "autofocus" in text
    assert "<b>" not in text


def test_nobody_previews_another_managers_store(cast: Cast) -> None:
    text = preview(cast.manager, cast.south)
    assert "Select a valid choice" in text and 'id="result"' not in text


def test_a_preview_writes_nothing(cast: Cast) -> None:
    base_offer(cast)
    before = AuditEntry.objects.count()
    preview(cast.manager, cast.north)
    assert AuditEntry.objects.count() == before


def test_the_pages_are_said_in_french(cast: Cast) -> None:
    row = base_offer(cast)
    client = signed_in(cast.manager)
    client.cookies["django_language"] = "fr"
    pages = [
        client.get(address).content.decode() for address in (*PAGES, f"/office/offers/{row.pk}/")
    ]
    assert "Un mille par 20 $" in pages[0]
    assert "1 mille par tranche complète de 20,00\u00a0$" in pages[0]
    assert "Jour de la vente" in pages[1]
    assert "Ce qu’elle donne" in pages[2]


def test_somebody_without_a_store_sees_no_offer(cast: Cast) -> None:
    base_offer(cast)
    cast.manager.stores.clear()
    client = signed_in(cast.manager)
    assert "No offer is kept for your stores." in client.get("/office/offers/").content.decode()
    assert client.get("/office/offers/preview/").status_code == 200
