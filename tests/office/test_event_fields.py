"""What does not do when somebody enters miles without a sale, and that the card stays sealed."""

from typing import Any

import pytest
from django.conf import settings

from backoffice.journal import payloads
from backoffice.vault import Keyring, Vault
from issuance import approvals
from issuance.proposals import EventReason
from tests.cast import COLLECTOR, Cast
from tests.issuance.stories import confirmed
from tests.office.desk import KEPT, Desk
from tests.scripted import ScriptedPlatform


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"card": ""}, "Scan the card or type its number."),
        ({"card": "12345"}, "A card number has 11 digits."),
        ({"card": "062300000011"}, "This is a product code, not a card."),
        ({"miles": 0}, "id_miles_error"),
        ({"miles": "1.5"}, "Type whole miles, in digits."),
        ({"miles": 100_001}, "id_miles_error"),
        ({"chosen": ""}, "Choose a reason."),
        ({"note": f"Card {COLLECTOR}."}, "Leave card numbers out"),
    ],
)
def test_a_field_that_does_not_do_is_named_and_the_card_stays_sealed(
    cast: Cast, reason: EventReason, changes: dict[str, Any], said: str
) -> None:
    desk = Desk.of(cast.manager)
    page = desk.look(reason, changes.pop("miles", 100), **changes)
    assert said in page and COLLECTOR not in page and "autofocus" in page
    if "card" not in changes:
        # Nobody scans twice for a mistake in another field.
        kept = KEPT.search(page)
        assert kept and "ending in 0001" in page
        assert "Give these miles?" in desk.look(reason, 100, card="", kept=kept[1])


def test_a_reason_of_another_sponsor_or_for_taking_back_does_not_give(
    cast: Cast, reason: EventReason, error: EventReason
) -> None:
    assert "Give these miles?" not in Desk.of(cast.manager).look(error)
    reason.is_active = False
    reason.save()
    assert "Give these miles?" not in Desk.of(cast.manager).look(reason)


def test_a_manager_gives_at_no_other_store(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    page = Desk.of(cast.manager).look(reason, store=cast.south)
    assert "Give these miles?" not in page


def test_a_card_that_waits_is_sealed_anew_with_the_present_key(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = payloads.vault()
    proposal = Desk.of(cast.manager).give(reason, 900)
    (key_id,) = approvals.sealed_under()
    text = settings.MILEPOST_DATA_KEYS
    newer = Vault(Keyring.parse(f"newer:{Keyring.generate().split(',')[0].split(':')[1]},{text}"))
    monkeypatch.setattr(payloads, "vault", lambda: newer)
    assert approvals.reseal(key_id) == 1 and approvals.sealed_under() == {"newer": 1}
    scripted.will(confirmed())
    Desk.of(cast.administrator).decide(proposal, "agree")
    assert scripted.sent[0].fields["collectorNumber"] == COLLECTOR
    assert approvals.sealed_under() == {} and old.writing_id == key_id
