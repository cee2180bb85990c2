"""The parameters of an address: what each looks like and how it is read. Others are refused."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from backoffice.api import cursors, problems
from backoffice.cards import says_a_card

MOST_ROWS: Final = 200
USUAL_ROWS: Final = 50
_LARGEST: Final = 2**63 - 1
_MOMENT: Final = (
    "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?"
    "(Z|[+-][01][0-9]:[0-5][0-9])$"
)


class BadValue(ValueError):
    """A value cannot be read; the message says what it must be, never what it was."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter. `form` is its JSON schema; `read` makes a value of one text of it."""

    name: str
    text: str
    form: dict[str, Any]
    read: Callable[[str], Any] = field(repr=False)
    most: int = 1

    def described(self) -> OpenApiParameter:
        """Return it for the OpenAPI document."""
        form = self.form
        if self.most > 1:
            form = {"type": "array", "items": form, "minItems": 1, "maxItems": self.most}
        return OpenApiParameter(name=self.name, description=self.text, type=form)


def read(request: Request, known: Sequence[Parameter]) -> dict[str, Any]:
    """Return the values of the parameters that were given, by name: a tuple where several may be.

    Raises Problem for what is unknown, empty, given too often or not as it must be.
    """
    by_name = {one.name: one for one in known}
    found: dict[str, Any] = {}
    for name, texts in request.query_params.lists():
        one = by_name.get(name)
        if one is None:
            # The name as it came, but for what could be a card number.
            shown = name if len(name) <= 60 and not says_a_card(name) else "?"
            raise problems.unknown_parameter(shown, sorted(by_name))
        if len(texts) > one.most:
            times = "once" if one.most == 1 else f"{one.most} times"
            raise problems.bad_parameter(name, f"is given at most {times}.")
        try:
            values = tuple(one.read(text) for text in texts)
        except (BadValue, cursors.NoPlace) as error:
            raise problems.bad_parameter(name, str(error) or "is no place of ours.") from error
        found[name] = values if one.most > 1 else values[0]
    return found


def limit(text: str, *, most: int = MOST_ROWS, usual: int = USUAL_ROWS) -> Parameter:
    """Return the parameter for how much comes at once."""

    def of(given: str) -> int:
        if not re.fullmatch("[1-9][0-9]{0,3}", given) or int(given) > most:
            raise BadValue(f"is a whole number from 1 to {most}.")
        return int(given)

    form = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return Parameter(name="limit", text=text, form=form, read=of)


def number(name: str, text: str) -> Parameter:
    """Return a parameter that names something by our number."""

    def of(given: str) -> int:
        if not re.fullmatch("[1-9][0-9]{0,18}", given) or int(given) > _LARGEST:
            raise BadValue("is the number that Milepost lists as `id`.")
        return int(given)

    form = {"type": "integer", "minimum": 1, "maximum": _LARGEST}
    return Parameter(name=name, text=text, form=form, read=of)


def choice(name: str, text: str, words: Sequence[str], *, most: int = 1) -> Parameter:
    """Return a parameter with one of these words."""

    def of(given: str) -> str:
        if given not in words:
            raise BadValue(f"is one of {', '.join(words)}.")
        return given

    return Parameter(
        name=name, text=text, form={"type": "string", "enum": list(words)}, read=of, most=most
    )


def written(name: str, text: str, pattern: str, told: str) -> Parameter:
    """Return a parameter of this pattern. What could be a card number is refused with a word."""

    def of(given: str) -> str:
        if says_a_card(given):
            raise BadValue("is no whole card number; the API knows none.")
        if not re.fullmatch(pattern, given):
            raise BadValue(told)
        return given

    return Parameter(name=name, text=text, form={"type": "string", "pattern": pattern}, read=of)


def moment(name: str, text: str) -> Parameter:
    """Return a parameter that is a moment, with its distance from UTC."""

    def of(given: str) -> datetime:
        try:
            found = datetime.fromisoformat(given) if re.fullmatch(_MOMENT, given) else None
        except ValueError:
            found = None
        if found is None:
            raise BadValue(
                "is a moment with its offset, as 2026-07-16T13:32:00Z or (in a URL, where + is "
                "a space) 2026-07-16T13:32:00%2B00:00."
            )
        return found.astimezone(UTC)

    return Parameter(name=name, text=text, form={"type": "string", "pattern": _MOMENT}, read=of)


def place(name: str, text: str, read: Callable[[str], Any]) -> Parameter:
    """Return a parameter that is a place in a list, as an earlier answer told it."""
    form = {"type": "string", "pattern": cursors.PATTERN}
    return Parameter(name=name, text=text, form=form, read=read)
