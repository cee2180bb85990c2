"""The overview, a transaction's page and the admin: who may open them, and what they say."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from amcash import services
from amcash.orders import Card, EntryMode, RedemptionOrder
from backoffice.audit import trail
from backoffice.audit.models import AuditEntry
from backoffice.devices.models import Device
from backoffice.journal import quarantine
from backoffice.journal.models import Transaction
from backoffice.people.models import User
from backoffice.stores.models import Sponsor, Store
from backoffice.units import Cents
from tests.cast import COLLECTOR, SECRET, Cast
from tests.office.factories import NOON, attempt, declined, redemption, reversal, unsettled
from tests.scripted import ScriptedPlatform, approved, silence

PAGES = ["/office/", "/office/log/", "/office/log/export/"]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(user: User, address: str) -> str:
    response = signed_in(user).get(address)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("address", PAGES)
def test_a_stranger_is_sent_to_the_sign_in(db: None, address: str) -> None:
    response = Client().get(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("address", PAGES)
def test_a_cashier_may_not_open_the_office(cast: Cast, address: str) -> None:
    assert signed_in(cast.cashier).get(address).status_code == 403


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("role", ["manager", "administrator", "auditor"])
def test_managers_administrators_and_auditors_may(cast: Cast, address: str, role: str) -> None:
    assert signed_in(getattr(cast, role)).get(address).status_code == 200


def test_a_transaction_is_hidden_from_strangers_and_cashiers(cast: Cast) -> None:
    address = f"/office/log/{redemption(cast.till).reference}/"
    assert Client().get(address).status_code == 302
    assert signed_in(cast.cashier).get(address).status_code == 403
    assert signed_in(cast.south_manager).get(address).status_code == 404


def test_the_office_is_never_kept_by_a_browser(cast: Cast) -> None:
    assert "no-store" in signed_in(cast.manager).get("/office/")["Cache-Control"]


def test_the_overview_says_when_nothing_needs_a_person(cast: Cast) -> None:
    redemption(cast.till, at=timezone.now())
    text = text_of(cast.manager, "/office/")
    assert "Nothing needs a person just now." in text
    assert "$40.00" in text


def test_the_overview_lists_what_needs_a_person_with_its_reason(cast: Cast) -> None:
    rows = [
        unsettled(cast.till, state="manual", due_at=None, needs_person="replay_over"),
        unsettled(cast.till),
        redemption(cast.till, state="approved", presented_at=None),
    ]
    text = text_of(cast.manager, "/office/")
    for row in rows:
        assert f"/office/log/{row.reference}/" in text
    assert "No answer came while it was safe to ask" in text
    assert "No till has shown it" in text
    assert "Thu 20 Nov 2025" in text
    southern = text_of(cast.south_manager, "/office/")
    assert "Nothing needs a person just now." in southern
    assert not any(str(row.reference) in southern for row in rows)


def test_a_reversal_close_to_its_deadline_comes_first_with_its_stores_time(cast: Cast) -> None:
    now = timezone.now()
    near = {"state": "doubt", "due_at": now, "at": now - timedelta(minutes=5)}
    original = redemption(cast.south_till)
    row = reversal(original, **near, deadline_at=now + timedelta(minutes=20))
    reversal(redemption(cast.till), **near, deadline_at=now + timedelta(minutes=61))
    page = text_of(cast.south_manager, "/office/")
    assert "Reversals still open close to their deadline" in page
    assert "Without a certain answer" not in page
    assert page.count(f"/office/log/{row.reference}/") == 1
    local = row.deadline_at.astimezone(cast.south.tzinfo)
    assert f"{local:%H:%M}" in page
    northern = text_of(cast.manager, "/office/")
    assert "close to their deadline" not in northern and "Without a certain answer" in northern


def test_a_doubt_of_this_second_needs_nobody_yet(cast: Cast) -> None:
    unsettled(cast.till, at=timezone.now())
    assert "Nothing needs a person just now." in text_of(cast.manager, "/office/")


def test_long_lists_are_cut_and_lead_to_the_log(cast: Cast) -> None:
    for _number in range(13):
        unsettled(cast.till)
    text = text_of(cast.manager, "/office/")
    assert text.count("/office/log/") > 12
    assert "/office/log/?state=doubt" in text


def test_somebody_without_a_store_is_told_why_the_page_is_empty(cast: Cast) -> None:
    cast.manager.stores.clear()
    assert "No store is assigned to you." in text_of(cast.manager, "/office/")


def test_a_transaction_tells_its_attempts_and_who_did_what(cast: Cast) -> None:
    row = unsettled(cast.till, cast.cashier)
    attempt(row, 1)
    attempt(row, 2, result="answered", silence="", http_status=408, response_code="0008")
    attempt(row, 3, result="", finished_at=None, silence="", duration_ms=None, sender="sweep-9")
    trail.record(
        "redemption.doubted",
        subject=f"transaction:{row.reference}",
        actor="web-1",
        channel="settle",
        details={"code": "0008"},
    )
    text = text_of(cast.manager, f"/office/log/{row.reference}/")
    for said in (
        "Redemption, $40.00 asked",
        "3 attempts",
        "No whole answer in time",
        "10.00 s",
        "408",
        "0008",
        "No answer recorded",
        "sweep-9",
        "No certain answer: not confirmed",
        "Fri 21 Nov 2025, 03:00 EST",
        "Cashier",
        "The same request is asked until there is one.",
    ):
        assert said in text, said


def test_a_redemption_and_its_reversal_lead_to_each_other(cast: Cast) -> None:
    row = redemption(cast.till, cast.cashier, reversed_at=NOON)
    given_back = reversal(row)
    text = text_of(cast.manager, f"/office/log/{row.reference}/")
    assert f"/office/log/{given_back.reference}/" in text
    assert "Reversed" in text
    text = text_of(cast.manager, f"/office/log/{given_back.reference}/")
    assert f"/office/log/{row.reference}/" in text
    assert "Reversal of $40.00" in text


def test_the_deadline_counts_only_while_the_redemption_stands(cast: Cast) -> None:
    soon = timezone.now() + timedelta(minutes=90)
    standing = redemption(cast.till, at=timezone.now(), deadline_at=soon)
    refused = declined(cast.till, at=timezone.now(), deadline_at=soon)
    assert "left</span>" in text_of(cast.manager, f"/office/log/{standing.reference}/")
    assert "left</span>" not in text_of(cast.manager, f"/office/log/{refused.reference}/")


def test_an_answer_outside_the_programme_s_table_has_no_words(cast: Cast) -> None:
    row = declined(cast.till, response_code="7777")
    assert "7777" in text_of(cast.manager, f"/office/log/{row.reference}/")


@pytest.mark.django_db(transaction=True)
def test_no_page_and_no_export_tells_a_card_or_a_balance(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence(), approved(4, cashBalance="9731", dreamBalance="8642"))
    order = RedemptionOrder(
        client_ref="one-press",
        sale_ref="sale-1",
        card=Card(number=COLLECTOR, entry_mode=EntryMode.SCAN),
        basket_cents=Cents(4335),
        original_cents=Cents(4335),
        asked_cents=Cents(4000),
        language="en",
    )
    row = services.redeem(order, actor=cast.actor, now=timezone.now()).transaction
    client = signed_in(cast.administrator)
    pages = [*PAGES, f"/office/log/{row.reference}/"]
    texts = []
    for address in pages:
        response = client.get(address)
        texts.append(response.getvalue().decode())
    assert "2 attempts" in texts[-1]
    for text in [*texts, str(list(AuditEntry.objects.values_list("details", flat=True)))]:
        for secret in (COLLECTOR, "9731", "9,731", "8642", "8,642"):
            assert secret not in text


@pytest.mark.parametrize("role", ["manager", "auditor", "cashier"])
def test_only_administrators_enter_the_admin(cast: Cast, role: str) -> None:
    assert signed_in(getattr(cast, role)).get("/admin/", follow=True).status_code == 403


def test_a_stranger_at_the_admin_meets_the_one_sign_in(db: None) -> None:
    response = Client().get("/admin/stores/store/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/sign-in/")


def test_a_staff_flag_alone_opens_nothing(cast: Cast) -> None:
    cast.manager.is_staff = cast.manager.is_superuser = True
    cast.manager.save()
    assert signed_in(cast.manager).get("/admin/stores/store/", follow=True).status_code == 403


@pytest.mark.parametrize("model", [Sponsor, Store, Device, User])
def test_administrators_see_lists_and_forms_and_no_delete(
    cast: Cast, model: type[Sponsor | Store | Device | User]
) -> None:
    client = signed_in(cast.administrator)
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    row = model.objects.first()
    assert row is not None
    assert client.get(base).status_code == 200
    assert client.get(f"{base}add/").status_code == 200
    assert client.get(f"{base}{row.pk}/change/").status_code == 200
    assert client.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


def test_the_journal_and_the_audit_log_are_not_in_the_admin() -> None:
    assert not admin.site.is_registered(Transaction)
    assert not admin.site.is_registered(AuditEntry)


def test_a_change_in_the_admin_is_audited_with_old_and_new(cast: Cast) -> None:
    client = signed_in(cast.administrator)
    form = {
        "sponsor": cast.sponsor.pk,
        "number": "0001",
        "name": "North End",
        "city": "Toronto",
        "zone": "America/Toronto",
        "language": "en",
        "is_active": "on",
    }
    response = client.post(f"/admin/stores/store/{cast.north.pk}/change/", form)
    assert response.status_code == 302
    entry = AuditEntry.objects.get(event="store.changed")
    assert (entry.actor, entry.channel) == ("administrator", "admin")
    assert entry.subject == f"store:{cast.north.pk}"
    assert entry.details["name"] == "North → North End"


def test_an_addition_in_the_admin_is_audited(cast: Cast) -> None:
    form = {"store": cast.north.pk, "number": "003", "profile": "tablet", "is_active": "on"}
    signed_in(cast.administrator).post("/admin/devices/device/add/", form)
    added = Device.objects.get(number="003")
    entry = AuditEntry.objects.get(event="device.added")
    assert entry.subject == f"device:{added.pk}"


def test_a_new_password_is_audited_and_not_told(cast: Cast) -> None:
    client = signed_in(cast.administrator)
    address = f"/admin/people/user/{cast.cashier.pk}/password/"
    secret = "a-quite-different-one"
    client.post(address, {"usable_password": "true", "password1": secret, "password2": secret})
    entry = AuditEntry.objects.get(event="user.changed")
    assert "changed" in entry.details.values()
    assert secret not in str(entry.details) and SECRET not in str(entry.details)
    cast.cashier.refresh_from_db()
    assert cast.cashier.check_password(secret)


def test_stores_of_a_person_are_audited_by_name(cast: Cast) -> None:
    form = {
        "username": "manager",
        "display_name": "Manager",
        "language": "en",
        "role": "manager",
        "stores": [cast.north.pk, cast.south.pk],
        "is_active": "on",
    }
    response = signed_in(cast.administrator).post(
        f"/admin/people/user/{cast.manager.pk}/change/", form
    )
    assert response.status_code == 302
    entry = AuditEntry.objects.get(event="user.changed")
    assert entry.details["stores"] == (
        "0001 · North, Toronto → 0001 · North, Toronto, 0002 · South, St. John's"
    )


def test_what_was_given_instead_is_seen_and_found(cast: Cast) -> None:
    row = redemption(cast.till, credit_given="gift_card", credit_given_at=NOON)
    other = redemption(cast.till)
    page = text_of(cast.manager, f"/office/log/{row.reference}/")
    assert "Gift card, $40.00, was given instead" in page and "Credit given" in page
    found = text_of(cast.manager, "/office/log/?state=credited")
    assert str(row.reference) in found and str(other.reference) not in found


def test_the_overview_says_that_nothing_is_sent_while_a_quarantine_is_on(cast: Cast) -> None:
    title = "Nothing is sent just now"
    assert title not in text_of(cast.administrator, "/office/")
    quarantine.start(why="Restored.", actor="ada", channel="shell", now=timezone.now())
    said = text_of(cast.manager, "/office/")
    assert title in said and "in quarantine after a restore" in said
