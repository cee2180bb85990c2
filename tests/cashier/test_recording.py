"""A sale that earned nothing: the programme is told of it once, where the sponsor wants that."""

import pytest
from django.urls import reverse

from backoffice.journal.models import Transaction
from tests.cashier.conftest import Till
from tests.cashier.test_giving import previewed, read_card, sale_of
from tests.cast import COLLECTOR, Cast
from tests.scripted import ScriptedPlatform, raw, silence

pytestmark = pytest.mark.django_db

RECORDED = raw(200, b'{"transactionId": "c4f6cd00-dd00-4aaf-9099-b0685ab710b3"}')


def nothing_earned(till: Till) -> str:
    return previewed(till, read_card(till), before="19.99", after="22.59")


def go_on(till: Till, page: str) -> str:
    response = till.post(reverse("cashier:give_record"), follow=False, sale=sale_of(page))
    assert response.status_code == 303
    return str(response["Location"])


def test_next_customer_tells_the_programme_of_it(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(RECORDED)
    page = nothing_earned(till)
    assert reverse("cashier:give_record") in page and "Next customer" in page
    assert not scripted.sent
    assert go_on(till, page) == reverse("cashier:home")
    (sent,) = scripted.sent
    assert sent.path.endswith("/record") and sent.idempotency_key is None
    assert sent.fields["transactionType"] == "PURCHASE"
    assert sent.fields["collectorNumber"] == COLLECTOR and "issuances" not in sent.fields
    assert (sent.fields["basketPreTaxAmount"], sent.fields["basketPostTaxAmount"]) == (19.99, 22.59)
    row = Transaction.objects.get()
    assert (row.operation, row.state, row.miles) == ("record", "done", None)
    # The till's own lists and the office's log can show it.
    for path in (reverse("cashier:home"), reverse("cashier:today")):
        assert till.client.get(path).status_code == 200
    till.client.force_login(ours.administrator)
    assert str(row.reference) in till.client.get("/office/log/?kind=record").content.decode()


def test_a_second_press_tells_it_once(till: Till, ours: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(RECORDED)
    page = nothing_earned(till)
    go_on(till, page)
    go_on(till, page)
    assert len(scripted.sent) == Transaction.objects.count() == 1


def test_a_programme_that_is_silent_keeps_no_customer(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    assert go_on(till, nothing_earned(till)) == reverse("cashier:home")
    assert Transaction.objects.get().state == "doubt"


def test_a_sponsor_may_not_want_it(till: Till, ours: Cast, scripted: ScriptedPlatform) -> None:
    ours.sponsor.records_empty_sales = False
    ours.sponsor.save()
    page = nothing_earned(till)
    assert reverse("cashier:give_record") not in page and "Next customer" in page


def test_what_is_no_sale_is_not_recorded(till: Till, ours: Cast) -> None:
    response = till.post(reverse("cashier:give_record"), follow=False, sale="nonsense")
    assert response.status_code == 303 and not Transaction.objects.exists()
