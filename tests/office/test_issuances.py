"""The work list of miles: what stands on it, who may do what, and that a correction goes once."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from backoffice.journal.models import Transaction
from backoffice.people.models import User
from backoffice.stores.models import Calculation
from tests.cast import COLLECTOR, Cast
from tests.issuance import stories
from tests.issuance.baskets import award
from tests.office.factories import unsettled
from tests.scripted import ScriptedPlatform

LIST = "/office/issuances/"
OTHER_CARD = "80000010002"


def desk(user: User) -> Client:
    client = Client(headers={"Accept-Language": user.language})
    client.force_login(user)
    return client


def page_of(user: User, path: str = LIST) -> str:
    return desk(user).get(path, follow=True).content.decode()


def rejected(cast: Cast, scripted: ScriptedPlatform, **changes: Any) -> Transaction:
    scripted.will(stories.refused("CollectorNotFound"))
    return stories.give(cast, **changes)


def correct(user: User, row: Transaction, card: str = "") -> tuple[int, str]:
    path = f"{LIST}{row.reference}/correct/"
    response = desk(user).post(path, {"card": card}, follow=True)
    return response.status_code, response.content.decode()


def ours(cast: Cast) -> None:
    """Let the retailer's own offers count."""
    cast.sponsor.calculation = Calculation.PARTNER
    cast.sponsor.save()


@pytest.mark.parametrize(
    ("person", "reads", "acts"),
    [
        ("cashier", 403, 403),
        ("manager", 200, 200),
        ("administrator", 200, 200),
        ("auditor", 200, 403),
        ("south_manager", 200, 404),
    ],
)
def test_who_reads_and_who_acts(
    cast: Cast, scripted: ScriptedPlatform, person: str, reads: int, acts: int
) -> None:
    row = rejected(cast, scripted)
    user = getattr(cast, person)
    response = desk(user).get(LIST)
    assert response.status_code == reads
    is_seen = str(row.reference) in response.content.decode()
    assert is_seen is (reads == 200 and person != "south_manager")
    if person == "auditor":
        assert "/correct/" not in response.content.decode()
    assert desk(user).get(f"{LIST}{row.reference}/correct/").status_code == acts
    assert desk(user).post(f"{LIST}{row.reference}/check/", follow=True).status_code == acts
    scripted.will(stories.confirmed())
    assert correct(user, row)[0] == acts
    assert Transaction.objects.filter(corrects=row).exists() is (acts == 200)


@pytest.mark.parametrize("act", ["check", "correct"])
def test_a_stranger_is_sent_to_the_sign_in(
    cast: Cast, scripted: ScriptedPlatform, act: str
) -> None:
    row = rejected(cast, scripted)
    assert Client().get(LIST).status_code == 302
    assert Client().post(f"{LIST}{row.reference}/{act}/").status_code == 302


def test_looking_does_not_check(cast: Cast, scripted: ScriptedPlatform) -> None:
    row = rejected(cast, scripted)
    assert desk(cast.manager).get(f"{LIST}{row.reference}/check/").status_code == 405


def test_what_ends_by_itself_is_not_listed(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(stories.confirmed())
    stories.give(cast)
    scripted.will(stories.pending())
    stories.give(cast, card=stories.card(2))
    page = page_of(cast.manager)
    assert "Nothing of the miles needs a person just now." in page
    assert "to see to" not in page_of(cast.manager, "/office/")


def test_each_stands_under_why_it_is_there(cast: Cast, scripted: ScriptedPlatform) -> None:
    ours(cast)
    two = (award(), award(offer_id="2"))
    gone = rejected(cast, scripted, awards=two)
    scripted.will(stories.confirmed("CONFIRMED", "REJECTED"))
    half = stories.give(cast, card=stories.card(2), awards=two)
    scripted.will(stories.pending())
    slow = stories.give(cast, card=stories.card(3), awards=two)
    scripted.will(stories.failed())
    stuck = stories.give(cast, card=stories.card(4), awards=two)
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        for task, row in (
            ("rejected", gone),
            ("partial", half),
            ("pending", slow),
            ("stuck", stuck),
        ):
            page = page_of(cast.manager, f"{LIST}?task={task}")
            listed = [one for one in (gone, half, slow, stuck) if str(one.reference) in page]
            assert listed == [row], task
        page = page_of(cast.manager)
        assert "CollectorNotFound" in page and "The offer has expired." in page
        assert page.count("Check now") == 2 and page.count("Put it right") == 2
        assert "4 issuances of miles to see to" in page_of(cast.manager, "/office/")


def test_a_redemption_is_no_issuance(cast: Cast) -> None:
    row = unsettled(cast.till, needs_person="replay_over", state="manual", due_at=None)
    assert desk(cast.manager).get(f"{LIST}{row.reference}/correct/").status_code == 404
    assert str(row.reference) not in page_of(cast.manager)


def test_check_now_makes_it_due_and_sends_nothing_itself(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.pending())
    row = stories.give(cast)
    Transaction.objects.filter(pk=row.pk).update(due_at=timezone.now() + timedelta(hours=1))
    page = page_of(cast.manager, f"/office/log/{row.reference}/")
    assert "Check now" in page
    desk(cast.manager).post(f"{LIST}{row.reference}/check/")
    row.refresh_from_db()
    assert row.due_at is not None and row.due_at <= timezone.now() and len(scripted.sent) == 1
    assert stories.events(row)[-1].endswith(".hurried")


def test_a_rejected_sale_is_given_once_more_for_another_card(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = rejected(cast, scripted)
    page = page_of(cast.manager, f"{LIST}{row.reference}/correct/")
    assert "CollectorNotFound" in page and "$28.22" in page and COLLECTOR not in page
    scripted.will(stories.confirmed())
    status, page = correct(cast.manager, row, OTHER_CARD)
    assert status == 200 and "It corrects" in page and OTHER_CARD not in page
    first, second = scripted.sent[0].fields, scripted.sent[-1].fields
    assert second["collectorNumber"] == OTHER_CARD != first["collectorNumber"]
    assert second["items"] == first["items"]
    assert second["checkoutTransactionId"] != first["checkoutTransactionId"]
    row.refresh_from_db()
    assert (row.state, row.needs_person) == ("rejected", "")
    again = correct(cast.manager, row, OTHER_CARD)
    assert again[0] == 200 and len(scripted.sent) == 2
    assert "Nothing of the miles needs a person" in page_of(cast.manager)


def test_of_a_part_only_what_was_rejected_is_given_again(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    ours(cast)
    scripted.will(stories.confirmed("CONFIRMED", "REJECTED"))
    row = stories.give(cast, awards=(award(5), award(7, offer_id="2")))
    scripted.will(stories.confirmed())
    assert correct(cast.manager, row)[0] == 200
    (offer,) = scripted.sent[-1].fields["issuances"]
    assert (offer["offerId"], offer["milesAmount"]) == ("2", 7)
    assert scripted.sent[-1].fields["collectorNumber"] == COLLECTOR


def test_a_part_that_the_programme_calculated_is_not_given_twice(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.answered(200, "CONFIRMED", "REJECTED"))
    row = stories.give(cast)
    assert row.state == "partial"
    page = page_of(cast.manager, f"{LIST}{row.reference}/correct/")
    assert "It cannot be sent again as it was" in page and "Give now" not in page
    correct(cast.manager, row)
    assert len(scripted.sent) == 1


def test_a_rejected_return_is_taken_back_once_more(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(stories.confirmed())
    sale = stories.give(cast)
    scripted.will(stories.refused("SomethingElse"))
    back = stories.take_back(cast, sale)
    assert back.state == "rejected"
    scripted.will(stories.confirmed())
    assert correct(cast.manager, back)[0] == 200
    right = Transaction.objects.get(corrects=back)
    assert (right.operation, right.original, right.state) == ("return", sale, "confirmed")


@pytest.mark.parametrize("card", ["12345", "062300000011", "no card"])
def test_what_is_no_card_is_said_and_nothing_is_sent(
    cast: Cast, scripted: ScriptedPlatform, card: str
) -> None:
    row = rejected(cast, scripted)
    status, page = correct(cast.manager, row, card)
    assert status == 200 and "id_card_error" in page and len(scripted.sent) == 1


def test_it_is_said_in_french(cast: Cast, scripted: ScriptedPlatform) -> None:
    rejected(cast, scripted)
    cast.manager.language = "fr"
    page = page_of(cast.manager)
    assert "Liste de travail des milles" in page and "Corriger" in page
