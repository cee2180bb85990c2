"""How the programme answers just now: the only writer of ProgrammeState."""

from datetime import datetime, timedelta

from backoffice.journal.models import ProgrammeState

# Several sweeps may feel the pulse; one a few seconds ago is as good as one now.
_THE_ONE = 1


def heard(*, is_up: bool, answer_ms: int, response_code: str, now: datetime) -> None:
    """Note what the last ECHO brought."""
    state, _made = ProgrammeState.objects.get_or_create(pk=_THE_ONE, defaults={"is_up": is_up})
    changed_at = now if state.is_up != is_up or state.changed_at is None else state.changed_at
    ProgrammeState.objects.filter(pk=_THE_ONE).update(
        is_up=is_up,
        answer_ms=answer_ms,
        response_code=response_code,
        heard_at=now,
        changed_at=changed_at,
    )


def is_due(now: datetime, *, every: timedelta) -> bool:
    """Say whether nobody has felt the pulse for a while."""
    state = ProgrammeState.objects.filter(pk=_THE_ONE).first()
    return state is None or state.heard_at is None or now - state.heard_at >= every
