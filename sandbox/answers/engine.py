"""Once only: a request's effect and the memory of its answer are one commit.

The product decides what to answer; this module decides whether it is asked at all.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
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


class KeyReused(Exception):
    """The key was used before, with another body."""


def once(
    request: Request,
    decide: Callable[[], Answer],
    *,
    now: datetime,
    memory: timedelta,
    by_content: bool,
) -> Answer:
    """Return the remembered answer, or decide, remember and return a new one.

    Requests queue here: a second one with the same key waits and is given the first one's answer.
    """
    with write_lock, transaction.atomic(durable=True):
        is_tracked = bool(request.key) or by_content
        if is_tracked:
            stored = _remembered(request, now, memory)
            if stored is not None:
                return stored
        answer = decide()
        if is_tracked and answer.is_remembered:
            StoredAnswer.objects.create(
                path=request.path,
                key=request.key,
                body_sha256=request.body_sha256,
                status=answer.status,
                code=answer.code,
                body=answer.body,
                stored_at=now,
            )
        return answer


def _remembered(request: Request, now: datetime, memory: timedelta) -> Answer | None:
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
    return Answer(status=row.status, code=row.code, body=bytes(row.body), is_replay=True)


def start_over() -> None:
    """Forget every answer."""
    StoredAnswer.objects.all().delete()
