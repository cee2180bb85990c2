"""Every address that the resolver knows, by name, with a pattern that can be filled in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

_BLANK = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, kw_only=True)
class Route:
    """An address: `name` with its namespace, or the address itself where it has no name."""

    name: str
    address: str

    def filled(self, blanks: dict[str, object]) -> str:
        """Return the address with its blanks filled."""
        return _BLANK.sub(lambda blank: str(blanks[blank[1]]), self.address)

    @property
    def blanks(self) -> list[str]:
        """The names of what must be filled in."""
        return _BLANK.findall(self.address)


def routes() -> list[Route]:
    """Return all of them."""
    return list(_below(get_resolver().url_patterns, "/", ()))


def _below(
    patterns: list[URLPattern | URLResolver], prefix: str, spaces: tuple[str, ...]
) -> Iterator[Route]:
    for one in patterns:
        address = prefix + _plain(str(one.pattern))
        if isinstance(one, URLResolver):
            inner = (*spaces, one.namespace) if one.namespace else spaces
            yield from _below(one.url_patterns, address, inner)
            continue
        name = ":".join((*spaces, one.name)) if one.name else address
        yield Route(name=name, address=address)


def _plain(pattern: str) -> str:
    """Return a pattern written as a regular expression as one written as a path."""
    named = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", pattern)
    return named.lstrip("^").rstrip("$").removesuffix("\\Z")
