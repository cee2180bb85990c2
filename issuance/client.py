"""What is asked of issuance without a journal row, because it moves nothing: CALCULATE, and the
RECORD of a connection test.
"""

from dataclasses import dataclass, field

from backoffice.journal import line
from backoffice.wire import Silence
from issuance import messages
from issuance.codes import FORMS, TRIES_ON_500, Message
from issuance.lines import Answer


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What came back at last. `answer` is None unless it is one of the programme's; `body` is how
    it was written."""

    answer: Answer | None
    http_status: int | None
    silence: Silence | None
    duration_ms: int
    tries: int
    body: bytes = field(default=b"", repr=False)


def calculate(body: bytes, *, is_training: bool) -> Heard:
    """Ask what a basket would earn; a 500 gets two tries more, at once, a silence none."""
    for tried in range(1, TRIES_ON_500 + 1):
        heard = _heard(Message.CALCULATE, body, tried, is_training=is_training)
        if heard.http_status != 500:
            break
    return heard


def record(body: bytes) -> Heard:
    """Have something logged that is no sale. One try: whoever tests a line presses again."""
    return _heard(Message.RECORD, body, 1)


def _heard(message: Message, body: bytes, tried: int, *, is_training: bool = False) -> Heard:
    path = FORMS[message].path
    answer = line.to(is_training=is_training).exchange(path, body, idempotency_key=None)
    if isinstance(answer, Silence):
        return Heard(
            answer=None,
            http_status=None,
            silence=answer,
            duration_ms=answer.duration_ms,
            tries=tried,
        )
    return Heard(
        answer=_read(answer.body),
        http_status=answer.status,
        silence=None,
        duration_ms=answer.duration_ms,
        tries=tried,
        body=answer.body,
    )


def _read(body: bytes) -> Answer | None:
    try:
        return messages.parse(body)
    except messages.Unreadable:
        return None
