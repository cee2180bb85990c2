"""ECHO: whether the platform is up, noted once for everybody and never as a transaction."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from amcash import pulse
from backoffice.audit.models import AuditEntry
from backoffice.devices.models import Device
from backoffice.journal import programme
from backoffice.journal.models import ProgrammeState, Transaction
from tests.cast import Cast
from tests.scripted import ScriptedPlatform, code, raw, silence

pytestmark = pytest.mark.django_db


def state() -> ProgrammeState:
    return ProgrammeState.objects.get()


def test_an_echo_names_the_till_and_moves_nothing(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(code("0000", 200))
    assert pulse.take()
    (sent,) = scripted.sent
    assert (sent.path, sent.idempotency_key) == ("/checkout/amcash/echo", None)
    fields = json.loads(sent.body)
    assert len(fields.pop("traceId")) == 12
    assert fields == {
        "deviceId": "001",
        "sponsorCode": "LOY1",
        "storeId": "0001",
        "vendorId": "100087",
    }
    assert not Transaction.objects.exists() and not AuditEntry.objects.exists()
    noted = state()
    assert (noted.is_up, noted.answer_ms, noted.response_code) == (True, 42, "0000")
    assert str(noted) == "up"


@pytest.mark.parametrize(
    "answer",
    [
        silence(),
        code("0092", 503),
        code("0096", 500),
        code("0008", 408),
        code("0035", 400),
        code("9999", 200),
        raw(401, b'{"error": "invalid_token"}'),
        raw(200, b"<html>ok</html>"),
        raw(302, b'{"responseCode": "0000"}'),
        raw(200, b'{"responseCode": "00\\u000000"}'),
    ],
)
def test_only_an_approved_echo_is_up_and_one_try_is_enough(
    cast: Cast, scripted: ScriptedPlatform, answer: object
) -> None:
    scripted.will(answer)  # type: ignore[arg-type]
    assert not pulse.take()
    assert len(scripted.sent) == 1 and not state().is_up
    assert str(state()) == "down"


def test_the_moment_of_a_change_is_kept_and_every_hearing_is_noted(cast: Cast) -> None:
    start = timezone.now()
    said = [(True, 0), (True, 10), (False, 20), (False, 30), (True, 40)]
    changes = []
    for is_up, seconds in said:
        now = start + timedelta(seconds=seconds)
        programme.heard(is_up=is_up, answer_ms=5, response_code="0000", now=now)
        assert state().heard_at == now
        changed_at = state().changed_at
        assert changed_at is not None
        changes.append((changed_at - start).total_seconds())
    assert changes == [0, 0, 20, 20, 40]
    assert ProgrammeState.objects.count() == 1


def test_a_pulse_is_due_when_nobody_has_felt_it_for_a_while(db: None) -> None:
    now, every = timezone.now(), timedelta(seconds=15)
    assert programme.is_due(now, every=every)
    programme.heard(is_up=True, answer_ms=5, response_code="0000", now=now)
    assert not programme.is_due(now + timedelta(seconds=14), every=every)
    assert programme.is_due(now + every, every=every)


def test_without_a_till_there_is_nobody_to_ask_for(cast: Cast, scripted: ScriptedPlatform) -> None:
    Device.objects.update(is_active=False)
    assert not pulse.take()
    assert not scripted.sent and not ProgrammeState.objects.exists()


def test_the_programmes_clock_is_read_off_its_echo(cast: Cast, scripted: ScriptedPlatform) -> None:
    dated = timezone.now() - timedelta(seconds=45)
    scripted.will(replace(code("0000", 200), date=dated))
    assert pulse.take()
    skew_ms = state().skew_ms
    assert skew_ms is not None and 45_000 <= skew_ms < 105_000
    scripted.will(code("0000", 200))
    assert pulse.take() and state().skew_ms is None
