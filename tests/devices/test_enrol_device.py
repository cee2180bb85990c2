"""`manage.py enrol_device`: a code for a tablet or a token for a till, and nothing else printed."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.devices import codes, pairing, tokens
from backoffice.devices.models import Device
from backoffice.stores.models import Sponsor, Store
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def said(*options: str, **kwargs: Any) -> str:
    out = StringIO()
    call_command("enrol_device", *options, stdout=out, stderr=StringIO(), **kwargs)
    return out.getvalue()


def test_it_prints_a_code_that_pairs(cast: Cast) -> None:
    printed = said("--store", "0001", "--device", "001")
    code = printed.strip()
    assert printed == f"{code}\n" and codes.read(code)
    assert pairing.pair(code, address="", now=timezone.now()).device == cast.till


def test_it_prints_a_token_for_the_whole_switch(cast: Cast) -> None:
    token = said("--store", "0001", "--device", "001", "--token").strip()
    device = tokens.device_of(token, now=timezone.now())
    assert device == cast.till
    assert device.may("amcash.redeem") and device.may("issuance.issue")
    assert not device.may("console")
    entry = AuditEntry.objects.get(event="device.token_made")
    assert (entry.channel, entry.details) == ("shell", {"profile": "till"})
    assert token not in str(vars(entry))


def test_a_till_has_a_token_of_its_own_profile(cast: Cast) -> None:
    Device.objects.filter(pk=cast.till.pk).update(profile="till_issuance")
    token = said("--store", "0001", "--device", "001", "--token").strip()
    device = tokens.device_of(token, now=timezone.now())
    assert device is not None and not device.may("amcash.redeem")


def test_a_token_can_be_narrower(cast: Cast) -> None:
    options = ("--store", "0001", "--device", "001", "--profile", "till_amcash")
    with pytest.raises(CommandError, match="--token"):
        said(*options)
    device = tokens.device_of(said(*options, "--token").strip(), now=timezone.now())
    assert device is not None and not device.may("issuance.issue")


def test_what_is_not_there_or_closed_is_named(cast: Cast) -> None:
    with pytest.raises(CommandError, match="no device 009"):
        said("--store", "0001", "--device", "009")
    Device.objects.filter(pk=cast.till.pk).update(is_active=False)
    with pytest.raises(CommandError, match="not active"):
        said("--store", "0001", "--device", "001")


def test_of_two_sponsors_stores_one_is_named(cast: Cast) -> None:
    other = Sponsor.objects.create(code="LOY2", name="Other", vendor_id="1", acquirer_id="1")
    store = Store.objects.create(
        sponsor=other, number="0001", name="N", city="C", zone="America/Toronto"
    )
    device = Device.objects.create(store=store, number="001")
    options = ("--store", "0001", "--device", "001", "--token")
    with pytest.raises(CommandError, match="LOY1, LOY2"):
        said(*options)
    token = said(*options, "--sponsor", "LOY2").strip()
    assert tokens.device_of(token, now=timezone.now()) == device
