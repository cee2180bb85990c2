"""Every address of Milepost, with something in the place of each part of it."""

import re
from collections.abc import Iterator, Mapping

from django.urls import URLPattern, URLResolver, get_resolver

_PART = re.compile(r"<(?:(?P<type>\w+):)?(?P<name>\w+)>")


def written() -> list[str]:
    """Return every address as it stands in the tables: `sale/<uuid:reference>/`."""
    return sorted(set(_written(get_resolver().url_patterns, "")))


def filled(pattern: str, parts: Mapping[str, object]) -> str:
    """Return an address with its parts filled in, by their name or else by their type."""

    def part(found: re.Match[str]) -> str:
        kind, name = found["type"] or "str", found["name"]
        return str(parts.get(name, parts[kind]))

    return "/" + _PART.sub(part, pattern)


def _written(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[str]:
    for one in patterns:
        place = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _written(one.url_patterns, place)
        else:
            yield _plain(place)


def _plain(place: str) -> str:
    """Write a regular expression of the admin's as a path with parts."""
    place = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", place)
    return re.sub(r"[\^$\\]", "", place)
