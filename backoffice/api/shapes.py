"""How things are told in JSON: each field once, for what is answered and for the OpenAPI document.

Amounts are whole cents, miles whole miles, moments ISO 8601 in UTC. Of a card there are the last
four digits; balances, collector numbers and messages are told nowhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
Form = dict[str, Any]

TEXT: Final[Form] = {"type": "string"}
TEXT_OR_NULL: Final[Form] = {"type": ["string", "null"]}
WHOLE: Final[Form] = {"type": "integer"}
WHOLE_OR_NULL: Final[Form] = {"type": ["integer", "null"]}
YES_OR_NO: Final[Form] = {"type": "boolean"}
MOMENT: Final[Form] = {"type": "string", "format": "date-time"}
MOMENT_OR_NULL: Final[Form] = {"type": ["string", "null"], "format": "date-time"}
DAY: Final[Form] = {"type": "string", "format": "date"}
DAY_OR_NULL: Final[Form] = {"type": ["string", "null"], "format": "date"}
REFERENCE: Final[Form] = {"type": "string", "format": "uuid"}
REFERENCE_OR_NULL: Final[Form] = {"type": ["string", "null"], "format": "uuid"}
TEXTS: Final[Form] = {"type": "array", "items": TEXT}
PLACE: Final[Form] = {"type": ["string", "null"], "format": "uri-reference"}


@dataclass(frozen=True, kw_only=True)
class Field(Generic[T]):
    """One field of a shape."""

    name: str
    form: Form
    of: Callable[[T], Any]


@dataclass(frozen=True, kw_only=True)
class Shape(Generic[T]):
    """What is told of one thing."""

    fields: tuple[Field[T], ...]

    def told(self, thing: T) -> dict[str, Any]:
        """Return it for JSON."""
        return {field.name: field.of(thing) for field in self.fields}

    def form(self) -> Form:
        """Return its JSON schema."""
        return exactly({field.name: field.form for field in self.fields})


def exactly(properties: dict[str, Form]) -> Form:
    """Return the schema of an object that has these properties, all of them and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def list_of(form: Form) -> Form:
    """Return the schema of a list."""
    return {"type": "array", "items": form}


def one_of(words: Sequence[str], *, or_null: bool = False) -> Form:
    """Return the schema of a word."""
    if or_null:
        return {"type": ["string", "null"], "enum": [*words, None]}
    return {"type": "string", "enum": list(words)}


def plain(name: str, form: Form, source: str = "") -> Field[Any]:
    """Return a field that is an attribute; what is empty where null may stand is null."""
    may_be_null = "null" in form["type"]

    def of(thing: Any) -> Any:
        value = getattr(thing, source or name)
        return None if may_be_null and value == "" else value

    return Field(name=name, form=form, of=of)


def moment(name: str, source: str = "", *, or_null: bool = True) -> Field[Any]:
    """Return a field that is a moment."""
    form = MOMENT_OR_NULL if or_null else MOMENT
    return Field(name=name, form=form, of=lambda thing: instant(getattr(thing, source or name)))


def day(name: str, *, or_null: bool = True) -> Field[Any]:
    """Return a field that is a day of the calendar."""

    def of(thing: Any) -> str | None:
        value = getattr(thing, name)
        return value.isoformat() if value is not None else None

    return Field(name=name, form=DAY_OR_NULL if or_null else DAY, of=of)


def instant(value: datetime | None) -> str | None:
    """Write a moment, with all its digits: `2026-07-16T17:32:00.000000Z`."""
    if value is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
