"""What came by the switch is read in the office and at the till like anything else."""

import pytest
from django.test import Client

from tests import scripted as platform
from tests.cast import Cast
from tests.issuance.stories import confirmed
from tests.scripted import CONFIRMATION, ScriptedPlatform
from tests.switch.issuing import ISSUE, POST, POST_EVENT, RECORD, asked
from tests.switch.till import REDEEM, REVERSE, Till, redemption, reversal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", [REDEEM, REVERSE, ISSUE, POST, POST_EVENT, RECORD])
def test_the_office_shows_what_a_till_did(
    cast: Cast, till: Till, scripted: ScriptedPlatform, client: Client, path: str
) -> None:
    scripted.will(platform.approved())
    if path in {REDEEM, REVERSE}:
        # A till need not tell the whole basket.
        heard = till.post(REDEEM, redemption(originalPostTaxBasketAmount=None))
        if path == REVERSE:
            scripted.will(platform.reversed_())
            heard = till.post(REVERSE, reversal(CONFIRMATION))
    else:
        scripted.will(confirmed())
        heard = till.post(path, asked(path))
    assert heard.status == 200
    client.force_login(cast.administrator)
    page = client.get(f"/office/log/{heard.row.reference}/")
    assert page.status_code == 200
    assert f"/{heard.row.reference}/" in client.get("/office/log/").content.decode()
