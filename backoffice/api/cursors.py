"""Places in a list, as text for a URL: opaque to whoever keeps one, and checked when it comes back.

A place says where to read on and nothing about what may be read, so it is not signed: made up, it
is another place in what the token may read anyway.
"""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from backoffice.journal.changes import Place
from backoffice.journal.selectors import Cursor

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOG: Final = re.compile(r"log:(older|newer):([0-9]{1,16}):([0-9]{1,18})")
_CHANGE: Final = re.compile(r"change:([0-9a-f]{0,32}):([0-9]{1,18})")
_ROW: Final = re.compile(r"row:([0-9]{1,18})")
# What all of them are made of, for the OpenAPI document.
PATTERN: Final = "^[A-Za-z0-9_-]{4,120}$"


class NoPlace(ValueError):
    """The text is no place of this kind."""


def of_log(cursor: Cursor) -> str:
    """Write a place in the log."""
    way = "newer" if cursor.is_towards_newer else "older"
    micros = (cursor.opened_at - _EPOCH) // timedelta(microseconds=1)
    return _written(f"log:{way}:{micros}:{cursor.id}")


def log(text: str) -> Cursor:
    """Read a place in the log. Raises NoPlace."""
    way, micros, number = _read(text, _LOG)
    # Sixteen digits of microseconds end in 2286.
    opened_at = _EPOCH + timedelta(microseconds=int(micros))
    return Cursor(opened_at=opened_at, id=int(number), is_towards_newer=way == "newer")


def of_changes(place: Place) -> str:
    """Write a place in what changed."""
    return _written(f"change:{place.life}:{place.entry}")


def changes(text: str) -> Place:
    """Read a place in what changed. Raises NoPlace."""
    life, entry = _read(text, _CHANGE)
    return Place(life=life, entry=int(entry))


def of_row(number: int) -> str:
    """Write a place in a list that is in the order of its rows' numbers."""
    return _written(f"row:{number}")


def row(text: str) -> int:
    """Read a place in such a list. Raises NoPlace."""
    (number,) = _read(text, _ROW)
    return int(number)


def _written(plain: str) -> str:
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _read(text: str, form: re.Pattern[str]) -> tuple[str, ...]:
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise NoPlace from error
    found = form.fullmatch(plain)
    # One place has one text.
    if found is None or _written(plain) != text:
        raise NoPlace
    return found.groups()
