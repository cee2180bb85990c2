"""A desk without a scanner can scan the sandbox's test cards; production knows nothing of it."""

import pytest
from django.test import override_settings
from django.urls import reverse

from cashier import testcards
from tests.cashier.conftest import Till
from tests.scripted import ScriptedPlatform, offer

pytestmark = pytest.mark.django_db


def test_a_test_card_counts_as_scanned_and_its_number_stands_nowhere(
    till: Till, scripted: ScriptedPlatform
) -> None:
    home = till.client.get(reverse("cashier:home")).content.decode()
    page = till.client.post(reverse("cashier:test_card"), {"name": "regular"}).content.decode()
    assert "Regular offer" in home and "••••\u00a00001" in page
    for card in testcards._CARDS:
        assert card.number not in home + page

    scripted.will(offer())
    till.type_basket(page, "43.35")
    assert scripted.sent[0].fields["cardEntryMode"] == "SCAN"


def test_without_the_sandbox_there_are_no_test_cards(till: Till) -> None:
    with override_settings(MILEPOST_TEST_CARDS=False):
        home = till.client.get(reverse("cashier:home")).content.decode()
        answer = till.client.post(reverse("cashier:test_card"), {"name": "regular"})
    assert "Regular offer" not in home
    assert answer.status_code == 404


def test_an_unknown_test_card_is_not_there(till: Till) -> None:
    assert till.client.post(reverse("cashier:test_card"), {"name": "none"}).status_code == 404
