"""Sponsors and stores: their words, their clocks, and what they refuse."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.transaction import atomic

from backoffice.devices.models import Device
from backoffice.stores.models import Sponsor, Store, Word
from tests.cast import Cast


def sponsor(**changes: str) -> Sponsor:
    fields = {"code": "LOY1", "name": "Northgate", "vendor_id": "1", "acquirer_id": "1"}
    return Sponsor(**{**fields, **changes})


def store(**changes: str) -> Store:
    fields = {"number": "0001", "name": "North", "city": "Toronto", "zone": "America/Toronto"}
    return Store(**{**fields, **changes})


@pytest.mark.parametrize(
    ("word", "english", "french"),
    [
        ("cash", "Cash miles", "milles Argent"),
        ("dream", "Dream miles", "milles Rêves"),
        ("miles", "miles", "milles"),
        ("programme", "AIR MILES", "AIR MILES"),
    ],
)
def test_the_programmes_words_are_the_sponsors(word: Word, english: str, french: str) -> None:
    assert sponsor().word(word, "en") == sponsor().word(word, "de") == english
    assert sponsor().word(word, "fr") == sponsor().word(word, "fr-ca") == french


def test_another_programme_has_its_own_words() -> None:
    blue = sponsor(cash_en="Blue Rewards points", cash_fr="points Récompenses Bleues")
    assert blue.word("cash", "en") == "Blue Rewards points"
    assert blue.word("cash", "fr") == "points Récompenses Bleues"


def test_a_store_has_its_name_in_the_readers_language() -> None:
    assert store(name="Queen St W", name_fr="Queen St O.").name_in("fr-ca") == "Queen St O."
    assert store(name="Queen St W", name_fr="Queen St O.").name_in("en") == "Queen St W"
    assert store(name="Queen St W").name_in("fr") == "Queen St W"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "LOY"),
        ("code", "LOY12"),
        ("code", "LO 1"),
        ("vendor_id", "12a"),
        ("vendor_id", ""),
        ("acquirer_id", "123456789012"),
        ("programme_zone", "Toronto"),
    ],
)
def test_a_sponsor_the_programme_could_not_have_given_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        sponsor(**{field: value}).clean_fields()
    assert list(refused.value.message_dict) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", "00001"),
        ("number", "1-2"),
        ("number", ""),
        ("zone", "America/Nowhere"),
        ("zone", "EST5"),
        ("language", "de"),
    ],
)
def test_a_store_the_programme_could_not_know_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        store(**{field: value}).clean_fields(exclude=["sponsor"])
    assert list(refused.value.message_dict) == [field]


@pytest.mark.parametrize("zone", ["America/St_Johns", "America/Regina", "America/Vancouver"])
def test_a_store_tells_its_own_wall_clock(zone: str) -> None:
    assert str(store(zone=zone).tzinfo) == zone


@pytest.mark.django_db
def test_a_number_stands_once_at_its_sponsor_and_a_till_once_in_its_store(cast: Cast) -> None:
    again = {"sponsor": cast.sponsor, "name": "Again", "city": "Toronto", "zone": "UTC"}
    with pytest.raises(IntegrityError), atomic():
        Store.objects.create(number="0001", **again)
    with pytest.raises(IntegrityError), atomic():
        Device.objects.create(store=cast.north, number="001")
    other = Sponsor.objects.create(code="OTHR", name="Other", vendor_id="1", acquirer_id="1")
    Store.objects.create(number="0001", **{**again, "sponsor": other})
    Device.objects.create(store=cast.south, number="002")


@pytest.mark.django_db
def test_what_has_history_is_named_in_lists(cast: Cast) -> None:
    assert str(cast.sponsor) == "LOY1 · Northgate Grocers"
    assert str(cast.north) == "0001 · North, Toronto"
    assert "001" in str(cast.till)
