"""Case 4: the first try took the miles and was lost, so that the second one is declined."""

from typing import Any

import pytest

from amcash.messages import REDEEM_PATH
from tests.cases.scale import PATIENT
from tests.cases.shop import Shop
from tests.live.counter import MANAGER, Counter, heading
from tests.servers.stack import eventually


@pytest.mark.parametrize(
    ("code", "account"),
    [
        # The balance, or what may be had today, suffices for one such redemption.
        ("0051", {"cash_miles": 400}),
        ("0065", {"daily_cap_cents": 4_000}),
    ],
)
def test_decline_after_doubt(shop: Shop, code: str, account: dict[str, Any]) -> None:
    shop.settings.update(PATIENT)
    shop.sandbox.control("settings", key_memory_s=0, content_duplicates=False)
    card = shop.card(**account)
    front = shop.web()
    shop.started("settle")
    counter, other_till = (Counter.opened(front.url, till=till) for till in (0, 1))
    form, second = counter.offered(card), other_till.offered(card)
    shop.sandbox.fault("drop_after", path=REDEEM_PATH)

    page = counter.post(form)
    sale = shop.saw(page.path, form.fields["client_ref"])
    # It was the programme's own decline of the same bytes, and it is no plain one.
    assert [one["code"] for one in shop.sandbox.exchanges(REDEEM_PATH)][-1] == code
    row = shop.row(card)
    assert (row.state, row.needs_person) == ("declined", "declined_after_doubt")
    assert "Not approved on re-check" in heading(page) and code in page.text
    assert "Ask a supervisor" in page.text
    # Neither this till nor another may redeem for this collector meanwhile.
    page = other_till.post(second)
    assert "/sale/" not in page.path and "Ask a supervisor" in page.text
    assert len(shop.rows()) == 1 and shop.effects(card) == ["redeem"]
    # It is on a person's list.
    office = Counter.opened(front.url, person=MANAGER).get("/office/")
    assert row.reference in office.text
    # Nobody settles it behind that person's back.
    assert eventually(lambda: counter.get(sale)).status == 200
    shop.close()
    assert shop.row(card).needs_person and shop.effects(card) == ["redeem"]
