"""The judge of a day: silent while every sum is the programme's, and loud for each that is not."""

from dataclasses import replace

import pytest

from tests.day.books import Books, Entry, Offer, Total, differences

GIVEN = Offer(
    last4="1000",
    operation="issue",
    offer_code="STANDARD",
    offer_id="100001",
    miles=7,
    confirmation="C1",
)
TAKEN = replace(GIVEN, operation="return", miles=3, confirmation="C2")
ENTRY = Entry(last4="1000", offer_code="STANDARD", offer_id="100001", miles=7, confirmation="C1")
SPENT = Entry(last4="1000", offer_code="", offer_id="", miles=-95, confirmation="C3")
GOOD = Books(
    offers=(GIVEN, TAKEN),
    totals=(
        Total(last4="1000", operation="issue", miles=7),
        Total(last4="1000", operation="return", miles=3),
        Total(last4="1000", operation="redeem", miles=95),
    ),
    entries=(ENTRY, replace(ENTRY, miles=-3, confirmation="C2"), SPENT),
    held={"1000": 909, "1001": 500},
    seeded={"1000": 1000, "1001": 500},
)


def test_books_that_agree_have_no_difference() -> None:
    assert differences(GOOD) == []


def test_an_effect_that_our_log_does_not_have_is_a_difference_of_every_sum_it_is_in() -> None:
    twice = replace(GOOD, entries=(*GOOD.entries, replace(ENTRY, confirmation="C4")))
    assert differences(replace(twice, held={"1000": 916, "1001": 500})) == [
        "collector …1000, offer STANDARD 100001: ours 4, the programme's 11 miles",
        "collector …1000, all transactions: ours -91, the programme's -84 miles",
        "confirmation C4 of collector …1000: ours 0, the programme's 7 miles",
        "account of collector …1000: ours 909, the programme's 916 miles",
    ]


def test_miles_that_only_our_log_has_are_a_difference() -> None:
    invented = replace(GIVEN, last4="1001", confirmation="C5")
    found = differences(replace(GOOD, offers=(*GOOD.offers, invented)))
    assert found == [
        "collector …1001, offer STANDARD 100001: ours 7, the programme's 0 miles",
        "confirmation C5 of collector …1001: ours 7, the programme's 0 miles",
    ]


def test_equal_sums_of_other_transactions_are_a_difference() -> None:
    # Seven miles too many in one, seven too few in another: the sum alone would not tell.
    swapped = (replace(GIVEN, confirmation="C6"), TAKEN)
    assert len(differences(replace(GOOD, offers=swapped))) == 2


@pytest.mark.parametrize("operation", ["return", "reverse_event"])
def test_a_taking_back_that_is_counted_as_a_gift_is_a_difference(operation: str) -> None:
    assert TAKEN.moved == replace(TAKEN, operation=operation).moved == -3
    assert differences(replace(GOOD, offers=(GIVEN, replace(TAKEN, operation="issue"))))


def test_a_row_that_says_other_miles_than_its_offers_is_a_difference() -> None:
    totals = (replace(GOOD.totals[0], miles=8), *GOOD.totals[1:])
    assert differences(replace(GOOD, totals=totals)) == [
        "collector …1000, all transactions: ours -90, the programme's -91 miles",
        "account of collector …1000: ours 910, the programme's 909 miles",
    ]
