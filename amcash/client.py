"""What is asked of AIR MILES Cash without a journal row, because it moves nothing."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from amcash import codes, messages
from backoffice.devices.models import Device
from backoffice.journal import line
from backoffice.wire import Reply, Silence


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What came back at last: an answer, or none. `tries` counts the sends."""

    answer: messages.Answer | None
    silence: Silence | None
    http_status: int | None
    duration_ms: int
    tries: int
    # What the programme's own clock said.
    dated: datetime | None = None


def new_trace_id() -> str:
    """Return twelve digits that never restart from a sequence after a restore (RELIABILITY 4.9)."""
    return f"{secrets.randbelow(10**12):012d}"


def terminal_of(device: Device) -> messages.Terminal:
    """Return a till as the programme knows it."""
    store = device.store
    return messages.Terminal(
        sponsor_code=store.sponsor.code,
        vendor_id=store.sponsor.vendor_id,
        acquirer_id=store.sponsor.acquirer_id,
        store_number=store.number,
        device_number=device.number,
    )


def echo(terminal: messages.Terminal) -> Heard:
    """Ask whether the platform is up. One try; the next echo is the retry (PLATFORM 2.3)."""
    return _ask(messages.ECHO_PATH, messages.echo(terminal, trace_id=new_trace_id()), tries=1)


def echo_as_sent(body: bytes) -> Heard:
    """Pass a till's own ECHO on. One try; the till asks again."""
    return _ask(messages.ECHO_PATH, body, tries=1)


def inquire(body: bytes, *, is_training: bool) -> Heard:
    """Send an inquiry; silence, 0008 and 0096 get one identical try more, at once."""
    return _ask(messages.INQUIRE_PATH, body, tries=2, is_training=is_training)


def _ask(path: str, body: bytes, *, tries: int, is_training: bool = False) -> Heard:
    asked = line.to(is_training=is_training)
    for tried in range(1, tries + 1):
        heard = _heard(asked.exchange(path, body, idempotency_key=None), tried)
        known = codes.find(heard.answer.code) if heard.answer else None
        if known is not None and not known.retry_at_once:
            break
        if heard.silence is not None and heard.silence.kind == "busy":
            break  # Our own gate is no fresher a moment later.
    return heard


def _heard(answer: Reply | Silence, tried: int) -> Heard:
    if isinstance(answer, Silence):
        return Heard(
            answer=None,
            silence=answer,
            http_status=None,
            duration_ms=answer.duration_ms,
            tries=tried,
        )
    try:
        parsed = None if 300 <= answer.status < 400 else messages.parse(answer.body)
    except messages.Unreadable:
        parsed = None
    return Heard(
        answer=parsed,
        silence=None,
        http_status=answer.status,
        duration_ms=answer.duration_ms,
        tries=tried,
        dated=answer.date,
    )
