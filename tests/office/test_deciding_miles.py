"""The office's decisions about miles given and taken back: what is asked, and in which words."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from backoffice.cards import Card
from backoffice.journal import triggers
from backoffice.journal.models import Transaction
from tests.cast import Cast
from tests.issuance import stories
from tests.issuance.baskets import CARD
from tests.office.test_deciding import client_of, manual, propose, send
from tests.scripted import ScriptedPlatform

pytestmark = pytest.mark.django_db


def given(
    cast: Cast,
    scripted: ScriptedPlatform,
    *,
    hours_ago: int,
    card: Card = CARD,
) -> Transaction:
    scripted.will(stories.pending())
    row = stories.give(cast, card=card)
    with triggers.lifted():
        opened_at = timezone.now() - timedelta(hours=hours_ago)
        Transaction.objects.filter(pk=row.pk).update(opened_at=opened_at)
    row.refresh_from_db()
    return row


def in_manual(cast: Cast, scripted: ScriptedPlatform) -> Transaction:
    row = given(cast, scripted, hours_ago=21)
    Transaction.objects.filter(pk=row.pk).update(
        state="manual", due_at=None, needs_person="replay_over", confirmation_number=""
    )
    row.refresh_from_db()
    with triggers.lifted():
        row.offers.all()._raw_delete(row.offers.db)
    return row


def page(cast: Cast, row: Transaction, language: str = "en") -> str:
    client: Client = client_of(cast.manager)
    client.cookies["django_language"] = language
    return client.get(f"/office/log/{row.reference}/").content.decode()


def test_the_programmes_number_and_miles_are_asked_for_and_kept(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = in_manual(cast, scripted)
    text = page(cast, row)
    assert "It went through; the customer has the miles" in text
    assert "It did not go through; no miles were given" in text
    assert text.count('name="outcome"') == 2 and 'name="amount"' not in text
    text = propose(
        cast.manager, row, "confirmed", miles="1200", confirmation_number="c4f6-dd00-4aaf"
    )
    assert re.search(r"1\D?200 miles", text) and "c4f6-dd00-4aaf" in text
    proposal = str(row.decisions.get().pk)
    status, text = send(cast.administrator, row, "confirmed", proposal=proposal)
    row.refresh_from_db()
    assert (status, row.state, row.miles) == (200, "confirmed", 1200)


@pytest.mark.parametrize("miles", ["0", "-3", "12x", "10000000000"])
def test_miles_that_cannot_be_are_refused(
    cast: Cast, scripted: ScriptedPlatform, miles: str
) -> None:
    row = in_manual(cast, scripted)
    fields = {"outcome": "confirmed", "help_desk_ref": "HD-77", "miles": miles}
    status, text = send(cast.manager, row, "proposed", **fields)
    assert status == 422 and 'id="decision_miles_error"' in text and not row.decisions.exists()


def test_what_never_ends_has_a_form_after_a_day_and_none_before(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    young = given(cast, scripted, hours_ago=23)
    assert 'name="outcome"' not in page(cast, young)
    old = given(cast, scripted, hours_ago=24, card=stories.card(2))
    text = page(cast, old)
    assert "The programme does not finish it" in text and "two people can end it here" in text
    # Its offers say already how many miles they are.
    assert text.count('name="outcome"') == 2 and 'name="miles"' not in text
    text = propose(cast.manager, old, "rejected")
    assert "Somebody else must confirm it." in text


def test_it_is_all_said_in_french(cast: Cast, scripted: ScriptedPlatform) -> None:
    text = page(cast, given(cast, scripted, hours_ago=30), "fr")
    for english in ("does not finish", "two people can end", "It went through", "no miles"):
        assert english not in text
    assert "Le programme ne" in text and "a les milles" in text


@pytest.mark.parametrize(
    ("amount", "said"), [("0.00", "more than nothing"), ("40.01", "No more than 40.00")]
)
def test_an_amount_that_cannot_have_been_taken_off_is_refused(
    cast: Cast, amount: str, said: str
) -> None:
    row = manual(cast)
    fields = {"outcome": "done", "help_desk_ref": "HD-77", "amount": amount}
    status, text = send(cast.manager, row, "proposed", **fields)
    assert status == 422 and said in text and not row.decisions.exists()
    # What did not go through has no amount, whatever stands in its field.
    propose(cast.manager, row, "declined", amount=amount)
