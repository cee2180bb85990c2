"""Once only: a request's effect and the memory of its answer are one commit.

The product decides what to answer; this module decides whether it is asked at all.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction

from sandbox.answers.models import StoredAnswer

# SQLite lets waiting writers poll, which starves some of them. One process serves the sandbox, so
# a lock of its own keeps the queue short and fair; BEGIN IMMEDIATE remains the guarantee.
write_lock = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Request:
    """What identifies a request: where it was sent, under which key, with which bytes."""

    path: str
    key: str
    body_sha256: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer as bytes, and what it did."""

    status: int
    code: str
    body: bytes
    has_effect: bool = False
    is_replay: bool = False
    is_remembered: bool = False
    # An answer that is not final is asked about again whenever its request is repeated.
    is_final: bool = True


class KeyReused(Exception):
    """The key was used before, with another body."""


def once(
    request: Request,
    decide: Callable[[], Answer],
    *,
    now: datetime,
    memory: timedelta,
    by_content: bool,
    look: Callable[[Answer], Answer] | None = None,
) -> Answer:
    """Return the remembered answer, or decide, remember and return a new one.

    A remembered answer that is not final is given to `look`, and what that returns is remembered.
    Requests queue here: a second one with the same key waits and is given the first one's answer.
    """
    with write_lock, transaction.atomic(durable=True):
        is_tracked = bool(request.key) or by_content
        if is_tracked:
            row = _remembered(request, now, memory)
            if row is not None:
                return _again(row, look)
        answer = decide()
        if is_tracked and answer.is_remembered:
            StoredAnswer.objects.create(
                path=request.path,
                key=request.key,
                body_sha256=request.body_sha256,
                status=answer.status,
                code=answer.code,
                body=answer.body,
                is_final=answer.is_final,
                stored_at=now,
            )
        return answer


def _remembered(request: Request, now: datetime, memory: timedelta) -> StoredAnswer | None:
    known = StoredAnswer.objects.filter(path=request.path, key=request.key)
    if not request.key:
        known = known.filter(body_sha256=request.body_sha256)
    row = known.first()
    if row is None:
        return None
    if now - row.stored_at >= memory:
        row.delete()
        return None
    if row.body_sha256 != request.body_sha256:
        raise KeyReused
    return row


def _again(row: StoredAnswer, look: Callable[[Answer], Answer] | None) -> Answer:
    answer = Answer(status=row.status, code=row.code, body=bytes(row.body), is_final=row.is_final)
    if look is not None and not row.is_final:
        answer = look(answer)
        row.status, row.code, row.body = answer.status, answer.code, answer.body
        row.is_final = answer.is_final
        row.save(update_fields=["status", "code", "body", "is_final"])
    return replace(answer, is_replay=True)


def start_over() -> None:
    """Forget every answer."""
    StoredAnswer.objects.all().delete()
