"""Every AM Cash request that the programme prints, posted as printed, gives the printed shape."""

import pytest

from tests.contract.peer import Peer, sample

SAMPLES = {
    one["name"]: one for one in sample("samples") if one["path"].startswith("/checkout/amcash/")
}
PLACEHOLDER = SAMPLES["reverse"]["request"]["redemptionConfirmationNumber"]


def printed_names(name: str) -> set[str]:
    """Return the field names of a sample's answer."""
    one = SAMPLES[name]
    return set(one.get("response") or one["response_keys"])


def test_the_samples_cover_all_four_calls() -> None:
    assert set(SAMPLES) == {"echo", "inquire", "redeem", "reverse"}
    assert PLACEHOLDER.startswith("<")


@pytest.mark.parametrize("name", ["echo", "inquire", "redeem"])
def test_a_request_posted_as_printed_gives_the_printed_shape(peer: Peer, name: str) -> None:
    one = SAMPLES[name]
    answer = peer.post(one["path"], one["request"])
    assert answer.status == one["status"], answer.body
    assert set(answer.fields) == printed_names(name)
    assert {type(value) for value in answer.fields.values()} == {str}
    assert answer.fields["responseCode"] == "0000"


def test_a_reversal_posted_as_printed_gives_the_printed_shape(peer: Peer) -> None:
    redeem, reverse = SAMPLES["redeem"], SAMPLES["reverse"]
    taken = peer.post(redeem["path"], redeem["request"]).fields
    # The one thing the page cannot print is the number of a redemption that exists.
    wanted = {
        **reverse["request"],
        "redemptionConfirmationNumber": taken["txnConfirmationNumber"],
    }
    answer = peer.post(reverse["path"], wanted)
    assert answer.status == reverse["status"], answer.body
    assert set(answer.fields) == printed_names("reverse")
    assert {type(value) for value in answer.fields.values()} == {str}
    # Given back whole: the balance is what it was before the redemption took its miles.
    units, unit_miles = int(taken["unitsRedeemed"]), int(taken["unitValueAMCash"])
    assert int(answer.fields["cashBalance"]) == int(taken["cashBalance"]) + units * unit_miles


@pytest.mark.parametrize("name", ["inquire", "redeem"])
def test_the_request_is_echoed_as_printed(peer: Peer, name: str) -> None:
    one = SAMPLES[name]
    answer = peer.post(one["path"], one["request"]).fields
    echoed = printed_names(name) & set(one["request"])
    assert len(echoed) == 8
    assert {field: answer[field] for field in echoed} == {
        field: one["request"][field] for field in echoed
    }


def test_without_a_token_nothing_is_answered_and_there_is_no_code(peer: Peer) -> None:
    stranger = Peer(url=peer.url, token="not-a-token")
    answer = stranger.post(SAMPLES["inquire"]["path"], SAMPLES["inquire"]["request"])
    assert answer.status == 401
    assert b"responseCode" not in answer.body
