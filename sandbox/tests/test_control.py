"""The control plane: what it takes, what it shows, and how it refuses."""

import time
from typing import Any

import pytest
from django.test import Client

from sandbox.control import engine
from sandbox.issuance.models import CatalogueOffer, Transaction
from sandbox.tests.till import REGULAR, Answer, Till


def refused(till: Till, what: str, raw: bytes) -> str:
    answer = till.post(f"/_control/{what}", raw, {})
    assert answer.status == 400, answer.raw
    sentence = answer.body["error"]
    assert isinstance(sentence, str)
    return sentence


@pytest.mark.parametrize(
    ("what", "raw", "sentence"),
    [
        ("seed", b"{}", "Give members, offers or both."),
        ("seed", b'{"members": []}', "members: This list may not be empty."),
        ("seed", b'{"members": [{"collector": "8x"}]}', "members[0].collector"),
        ("seed", b'{"members": [{"collector": "8", "cash": 1}]}', "cash: This name is not known."),
        ("seed", b'{"members": [{"collector": "8"}, {"collector": "8"}]}', "occurs twice"),
        ("seed", b'{"members": [{"collector": "8", "cash_miles": -1}]}', "cash_miles"),
        ("seed", b'{"members": [{"collector": "8", "offer": {"type": "X"}}]}', "offer.type"),
        ("seed", b'{"offers": []}', "offers: This list may not be empty."),
        ("seed", b'{"offers": [{"sponsor": ""}]}', "offers[0].code: This field is required."),
        (
            "seed",
            b'{"offers": [{"sponsor": "", "code": "A", "offer_id": "1", "kind": "item",'
            b' "miles": 1}]}',
            "offers[0].match: goes with every kind but base.",
        ),
        ("pending", b"{}", "mode: This field is required."),
        ("pending", b'{"mode": "later"}', "mode"),
        ("pending", b'{"mode": "looks"}', "looks: goes with the mode looks."),
        ("pending", b'{"mode": "never", "seconds": 3}', "seconds: goes with the mode seconds."),
        ("pending", b'{"mode": "looks", "looks": 0}', "looks"),
        ("clock", b'{"now": "noon"}', "now: 'noon' is not an ISO 8601 moment."),
        ("clock", b'{"now": "2026-11-20T12:00:00"}', "needs an offset"),
        ("clock", b'{"now": "2026-11-20T12:00:00Z", "offset_s": 1}', "not both"),
        ("clock", b'{"stopped": true}', "stopped goes with now."),
        ("clock", b'{"offset_s": "soon"}', "offset_s: A valid number is required."),
        ("settings", b'{"outage": "0051"}', "outage"),
        ("settings", b'{"zone": "Toronto"}', "zone: This is not a time zone."),
        ("settings", b'{"clock_offset_s": 1}', "clock_offset_s: This name is not known."),
        ("faults", b"{}", "kind: This field is required."),
        ("faults", b'{"kind": "explode"}', "kind"),
        ("faults", b'{"kind": "redirect"}', "location: a redirect needs one."),
        ("faults", b'{"kind": "drop_after", "when": "before"}', "when: drop_after"),
        ("faults", b'{"kind": "delay", "times": 0}', "times"),
        ("faults", b'{"kind": "delay", "match": {"card": "8"}}', "match.card: This name"),
        ("reset", b"[1]", "the body is not a JSON object."),
        ("reset", b"{", "the body is not JSON"),
    ],
)
def test_bad_input_is_refused_with_a_sentence_that_names_it(
    till: Till, what: str, raw: bytes, sentence: str
) -> None:
    assert sentence in refused(till, what, raw)


def test_a_bad_query_is_refused_too(till: Till) -> None:
    answer = till.transport("GET", "/_control/exchanges?after=x", b"", {})
    assert (answer.status, answer.body["error"]) == (400, "after: 'x' is not a number.")


def test_only_loopback_may_control(db: None) -> None:
    response = Client(REMOTE_ADDR="10.0.0.7").post("/_control/reset")
    assert response.status_code == 403


def test_a_reset_is_the_first_morning_again(till: Till) -> None:
    till.redeemed()
    till.control("seed", members=[{"collector": "84444444444", "cash_miles": 1}])
    till.control("settings", outage="0092")
    till.control("clock", offset_s=86_400)
    till.control("faults", kind="delay")
    till.control("reset")
    assert till.effects() == []
    assert till.look("faults") == {"faults": []}
    assert till.look("settings")["outage"] == ""
    assert till.look("clock")["offset_s"] == 0
    assert till.cash() == 1200
    assert till.ask("inquire", collectorNumber="84444444444").code == "0025"


def test_a_folder_of_the_time_before_issuance_keeps_its_ledger(till: Till) -> None:
    till.redeemed()
    CatalogueOffer.objects.all().delete()
    Transaction.objects.all().delete()
    engine.seed_first_time()
    assert len(till.effects()) == 1
    assert len(till.look("transactions")["transactions"]) == 3
    assert CatalogueOffer.objects.filter(sponsor="TEST").count() == 1
    # And the next start finds nothing to do.
    CatalogueOffer.objects.filter(sponsor="TEST").delete()
    engine.seed_first_time()
    assert not CatalogueOffer.objects.filter(sponsor="TEST").exists()


def test_a_reset_is_quick(till: Till) -> None:
    started = time.perf_counter()
    for _ in range(10):
        till.control("reset")
    assert time.perf_counter() - started < 20


def test_a_seeded_member_replaces_what_the_number_had(till: Till) -> None:
    member: dict[str, Any] = {
        "collector": REGULAR,
        "cash_miles": 300,
        "dream_miles": 7,
        "offer": {"type": "SPL", "id": "42", "desc_en": "A", "desc_fr": "B", "unit_miles": 50},
    }
    assert till.control("seed", members=[member]) == {"seeded": [REGULAR]}
    body = till.ask("inquire").body
    assert (body["cashBalance"], body["dreamBalance"]) == ("300", "7")
    assert (body["offerType"], body["offerId"], body["offerDescEn"], body["offerDescFr"]) == (
        "SPL",
        "42",
        "A",
        "B",
    )
    assert body["unitValueAMCash"] == "50"


def test_a_seeded_member_can_answer_a_code(till: Till) -> None:
    till.control("seed", members=[{"collector": "84444444444", "answers_code": "0067"}])
    assert till.ask("redeem", collectorNumber="84444444444").code == "0067"


def test_the_ledger_can_be_read_for_one_collector(till: Till) -> None:
    till.redeemed()
    till.redeemed(collectorNumber="80000010003")
    assert [entry["collector"] for entry in till.effects("80000010003")] == ["80000010003"]
    assert till.look("ledger")["total_miles"] == -760


def test_an_effect_bears_the_key_and_the_hash_of_its_request(till: Till) -> None:
    answer: Answer = till.ask("redeem", "key-1")
    (effect,) = till.effects()
    assert effect["key"] == "key-1"
    assert len(effect["body_sha256"]) == 64
    assert effect["confirmation"] == answer.body["txnConfirmationNumber"]
    assert (effect["units"], effect["miles"], effect["amount_cents"]) == (4, -380, -4000)


def test_faults_are_listed_and_struck_out(till: Till) -> None:
    first = till.control("faults", kind="delay", seconds=5, match={"path": "/oauth/token"})
    till.control("faults", kind="hang", times=None)
    assert [fault["kind"] for fault in till.look("faults")["faults"]] == ["delay", "hang"]
    assert till.look("faults")["faults"][1]["times"] is None
    answer = till.transport("DELETE", f"/_control/faults?id={first['id']}", b"", {})
    assert answer.body == {"cleared": 1}
    assert [fault["kind"] for fault in till.look("faults")["faults"]] == ["hang"]
    assert till.transport("DELETE", "/_control/faults", b"", {}).body == {"cleared": 1}
    assert till.look("faults") == {"faults": []}


def test_the_index_says_what_can_be_done(till: Till) -> None:
    assert "POST reset" in till.look("")["control"]
