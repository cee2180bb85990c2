"""Training in the office: which tills are in it, how it is ended, and what was practised."""

import pytest
from django.test import Client
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.devices import training
from backoffice.devices.models import Device
from backoffice.people.models import User
from tests.cast import Cast
from tests.office.factories import redemption

pytestmark = pytest.mark.django_db
LOG, EXPORT = "/office/log/", "/office/log/export/"


def signed_in(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def begin(device: Device) -> None:
    training.begin(
        device, by="cashier", approved_by="manager", channel="console", now=timezone.now()
    )


def text(user: User, address: str, status: int = 200) -> str:
    response = signed_in(user).get(address)
    assert response.status_code == status
    return str(response.content.decode())


def test_a_till_in_training_is_seen_on_the_overview_in_the_list_and_on_its_page(
    cast: Cast,
) -> None:
    page = f"/office/devices/{cast.till.pk}/"
    for address in ("/office/", "/office/devices/", page):
        assert "raining" not in text(cast.manager, address)
    begin(cast.till)
    assert "1 till is in training" in text(cast.manager, "/office/")
    assert "1 till is in training" not in text(cast.south_manager, "/office/")
    assert "In training" in text(cast.auditor, "/office/devices/")
    shown = text(cast.manager, page)
    assert "In training" in shown and "Put into training" in shown and "End training" in shown
    assert "End training" not in text(cast.auditor, page)


def test_a_manager_ends_it_from_afar(cast: Cast) -> None:
    begin(cast.till)
    address = f"/office/devices/{cast.till.pk}/end-training/"
    assert signed_in(cast.south_manager).post(address).status_code == 404
    assert signed_in(cast.auditor).post(address).status_code == 403
    cast.till.refresh_from_db()
    assert cast.till.is_training
    for _press in range(2):
        assert signed_in(cast.manager).post(address).status_code == 302
    cast.till.refresh_from_db()
    assert not Device.objects.get(pk=cast.till.pk).is_training
    ended = AuditEntry.objects.get(event="device.training_ended")
    assert (ended.actor, ended.channel, ended.store) == ("manager", "office", "0001")


def test_the_log_shows_what_was_practised_to_who_asks_and_exports_none_of_it(cast: Cast) -> None:
    real = redemption(cast.till, cast.cashier)
    practised = redemption(cast.till, cast.cashier, is_training=True)
    page = text(cast.manager, LOG)
    assert str(real.reference) in page and str(practised.reference) not in page
    assert "Export CSV" in page and "none of it is real" not in page
    page = text(cast.manager, f"{LOG}?training=1")
    assert str(practised.reference) in page and str(real.reference) not in page
    assert "Export CSV" not in page and "none of it is real" in page
    refused = text(cast.manager, f"{EXPORT}?training=1", status=400)
    assert "none of it is real" in refused
    assert not AuditEntry.objects.filter(event="export.made").exists()


def test_the_filter_is_kept_in_the_address(cast: Cast) -> None:
    answer = signed_in(cast.manager).post(LOG, {"training": "on", "kind": "redeem"})
    assert answer["Location"].endswith("?kind=redeem&training=1")


def test_its_page_is_read_and_nobody_decides_about_it(cast: Cast) -> None:
    row = redemption(
        cast.till, is_training=True, state="manual", needs_person="conflict", settled_at=None
    )
    page = text(cast.manager, f"/office/log/{row.reference}/")
    assert "Training" in page and "decision/" not in page
    answer = signed_in(cast.manager).post(
        f"/office/log/{row.reference}/decision/", {"step": "dealt_with", "note": "Seen to."}
    )
    assert answer.status_code == 404
