"""The office's decisions: who may, what is asked, and what a page says of it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from backoffice.journal import worklists
from backoffice.journal.models import Decision, Transaction
from backoffice.people.models import User
from tests.cast import Cast
from tests.office.factories import NOON, NOT_GRANTED, declined, redemption, reversal, unsettled

NOTE = "Asked the help desk: nothing was taken."


def client_of(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def manual(cast: Cast, **fields: object) -> Transaction:
    held = {"state": "manual", "due_at": None, "needs_person": "replay_over", "amount_cents": None}
    return unsettled(cast.till, cast.cashier, **{**held, **fields})


def send(user: User, row: Transaction, step: str, **data: str) -> tuple[int, str]:
    """Press one button of the task; return the status and the page that follows."""
    fields = {"step": step, "note": NOTE, **data}
    response = client_of(user).post(f"/office/log/{row.reference}/decision/", fields, follow=True)
    return response.status_code, response.content.decode()


def propose(user: User, row: Transaction, outcome: str = "declined", **data: str) -> str:
    status, page = send(
        user, row, "proposed", **{"outcome": outcome, "help_desk_ref": "HD-77", **data}
    )
    assert status == 200, page
    return page


def proposal_of(row: Transaction) -> str:
    last = row.decisions.order_by("id").last()
    assert last is not None
    return str(last.pk)


@pytest.mark.parametrize(
    ("person", "status"),
    [
        ("cashier", 403),
        ("manager", 200),
        ("administrator", 200),
        ("auditor", 403),
        ("south_manager", 404),
    ],
)
@pytest.mark.parametrize("step", ["proposed", "confirmed", "rejected", "dealt_with"])
def test_managers_and_administrators_with_that_store_decide(
    cast: Cast, person: str, status: int, step: str
) -> None:
    row = declined(cast.till, needs_person="declined_after_doubt", after_doubt=True)
    if step == "proposed":
        row = manual(cast)
    elif step in {"confirmed", "rejected"}:
        row = manual(cast)
        # Somebody of the same store, who is none of those that are tried.
        other = User.objects.create_user("other-manager", role="manager")
        other.stores.add(cast.north)
        propose(other, row)
    data = {"outcome": "declined", "help_desk_ref": "HD-77"}
    if row.decisions.exists():
        data["proposal"] = proposal_of(row)
    before = Decision.objects.count()
    found, _page = send(getattr(cast, person), row, step, **data)
    assert found == status
    assert Decision.objects.count() - before == (status == 200)


def test_a_stranger_is_sent_to_the_sign_in(cast: Cast) -> None:
    response = Client().post(f"/office/log/{manual(cast).reference}/decision/", {"step": "x"})
    assert response.status_code == 302
    assert not Decision.objects.exists()


def test_the_auditor_reads_what_was_said_and_has_no_form(cast: Cast) -> None:
    row = manual(cast)
    propose(cast.manager, row)
    page = client_of(cast.auditor).get(f"/office/log/{row.reference}/").content.decode()
    assert NOTE in page and "Manager" in page and "HD-77" in page
    assert "A manager or an administrator decides." in page and 'name="note"' not in page


def test_two_people_decide_and_the_page_keeps_both(cast: Cast) -> None:
    row = manual(cast)
    page = client_of(cast.manager).get(f"/office/log/{row.reference}/").content.decode()
    assert "No answer came while it was safe to ask" in page
    assert page.count('name="outcome"') == 3 and 'value="40.00"' in page
    page = propose(cast.manager, row, "done", amount="30.00", confirmation_number="HELP1")
    assert "Somebody else must confirm it." in page and ">Confirm<" not in page
    listed = client_of(cast.administrator).get("/office/").content.decode()
    assert "Proposed by Manager, to be confirmed" in listed
    status, page = send(cast.administrator, row, "confirmed", proposal=proposal_of(row))
    assert status == 200
    assert "What people decided" in page and "Administrator" in page and "Manager" in page
    assert "The decision was confirmed by a second person" in page and "$30.00" in page
    row.refresh_from_db()
    assert (row.state, row.amount_cents, row.confirmation_number) == ("done", 3000, "HELP1")


def test_what_did_not_go_through_has_no_amount_and_no_number(cast: Cast) -> None:
    row = manual(cast)
    # The amount stands in its field before anybody chooses.
    propose(cast.manager, row, "declined", amount="40.00", confirmation_number="HELP1")
    said = row.decisions.get()
    assert (said.amount_cents, said.confirmation_number) == (None, "")


def test_the_amount_stands_there_as_the_reader_types_it(cast: Cast) -> None:
    row = manual(cast)
    person = client_of(cast.manager)
    person.cookies["django_language"] = "fr"
    page = person.get(f"/office/log/{row.reference}/").content.decode()
    assert 'value="40,00"' in page


def test_an_open_reversal_says_how_long_there_is(cast: Cast) -> None:
    now = timezone.now()
    sold = redemption(cast.till, cast.cashier, at=now)
    doubt = {"state": "doubt", "due_at": now, "doubted_at": now, "has_unknown": True}
    row = reversal(sold, **NOT_GRANTED, **doubt, deadline_at=now + timedelta(minutes=38, seconds=9))
    page = client_of(cast.manager).get(f"/office/log/{row.reference}/").content.decode()
    assert "<dt>To give back</dt>" in page and "Given back" not in page
    assert re.search(r"3[78] min left", page)


def test_nobody_confirms_alone_whatever_is_sent(cast: Cast) -> None:
    row = manual(cast)
    propose(cast.manager, row)
    status, page = send(cast.manager, row, "confirmed", proposal=proposal_of(row))
    assert status == 409 and "cannot confirm it" in page
    status, _page = send(cast.manager, row, "dealt_with")
    assert status == 409
    row.refresh_from_db()
    assert row.state == "manual"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"note": ""}, "Write what you found out."),
        ({"note": "Card 80000010001 was used."}, "Leave card numbers out"),
        ({"outcome": ""}, "Choose what happened."),
        ({"outcome": "queued"}, "decision_outcome_error"),
        ({"help_desk_ref": ""}, "Type the reference"),
        ({"amount": "a lot"}, "Type an amount such as 40.00."),
        ({"confirmation_number": "no/number"}, "letters, digits and hyphens"),
    ],
)
def test_a_field_that_does_not_do_is_named_and_the_rest_kept(
    cast: Cast, data: dict[str, str], said: str
) -> None:
    row = manual(cast)
    fields = {"outcome": "declined", "help_desk_ref": "HD-77", **data}
    status, page = send(cast.manager, row, "proposed", **fields)
    assert status == 422 and said in page
    assert ("HD-77" in page) is ("help_desk_ref" not in data)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("proposal", ["", "0", "x", "9" * 40])
def test_a_proposal_that_is_none_is_not_confirmed(cast: Cast, proposal: str) -> None:
    row = manual(cast)
    propose(cast.manager, row)
    status, page = send(cast.administrator, row, "confirmed", proposal=proposal)
    assert status == 409 and "Something changed in the meantime." in page


def test_a_step_that_does_not_exist_is_refused(cast: Cast) -> None:
    assert send(cast.manager, manual(cast), "decreed")[0] == 400


def test_one_person_closes_a_task_that_leaves_the_state(cast: Cast) -> None:
    late = reversal(
        redemption(cast.till), state="expired", needs_person="late_by_us", confirmation_number=""
    )
    status, page = send(cast.manager, late, "dealt_with", note="Gift card given at the desk.")
    assert status == 200 and "Gift card given at the desk." in page
    late.refresh_from_db()
    assert (late.state, late.needs_person) == ("expired", "")
    assert "Nothing needs a person just now." in (
        client_of(cast.manager).get("/office/").content.decode()
    )


def test_a_reversals_outcomes_are_its_own(cast: Cast) -> None:
    row = reversal(
        redemption(cast.till),
        state="manual",
        needs_person="reversal_unclear",
        has_unknown=True,
        settled_at=None,
    )
    page = client_of(cast.manager).get(f"/office/log/{row.reference}/").content.decode()
    assert "It worked; the miles are back" in page and "It came too late" in page
    assert 'name="amount"' not in page and 'name="confirmation_number"' not in page


def test_the_oldest_task_stands_first(cast: Cast) -> None:
    rows = [manual(cast, at=NOON + timedelta(hours=hour)) for hour in (2, 0, 1)]
    page = client_of(cast.manager).get("/office/").content.decode()
    places = [page.index(str(row.reference)) for row in rows]
    assert places[1] < places[2] < places[0]


def test_it_is_all_said_in_french(cast: Cast) -> None:
    row = manual(cast, at=timezone.now())
    cast.manager.language = "fr"
    cast.manager.save()
    client = client_of(cast.manager)
    page = client.get(f"/office/log/{row.reference}/", headers={"Accept-Language": "fr"})
    text = page.content.decode()
    assert "Ce que vous avez appris, et de qui" in text and "Proposer" in text


def test_after_the_deadline_the_form_and_the_page_speak_of_credit(cast: Cast) -> None:
    now = timezone.now()
    fields = {"wanted": "cancel", "at": now - timedelta(hours=30), "has_unknown": True}
    row = manual(cast, **fields, deadline_at=now - timedelta(hours=1))
    page = client_of(cast.manager).get(f"/office/log/{row.reference}/").content.decode()
    assert "The last moment to reverse has passed." in page
    propose(cast.manager, row, "approved", confirmation_number="HELP1")
    _status, page = send(cast.administrator, row, "confirmed", proposal=proposal_of(row))
    assert "It is too late to give the miles back." in page and not row.reversals.exists()
    assert "what the programme approves is given back" not in page
    listed = worklists.not_presented(cast.manager, opened_before=now, limit=9)
    assert listed == [row]
    Transaction.objects.filter(pk=row.pk).update(credit_given="gift_card", credit_given_at=now)
    assert worklists.not_presented(cast.manager, opened_before=now, limit=9) == []


def test_before_the_deadline_nothing_is_said_of_credit(cast: Cast) -> None:
    row = manual(cast, deadline_at=timezone.now() + timedelta(hours=1))
    page = client_of(cast.manager).get(f"/office/log/{row.reference}/").content.decode()
    assert "The last moment to reverse has passed." not in page
