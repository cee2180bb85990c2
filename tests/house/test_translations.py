"""Everything a person reads is said in French as well, and says the same with the same blanks."""

import re
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation import templatize

from tests.house.sources import PACKAGES, ROOT, files, python_files, text

FRENCH = ROOT / "locale/fr/LC_MESSAGES/django.po"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
BLANK = re.compile(r"%\((\w+)\)[a-z0-9]+")
# The sandbox speaks the programme's words, not ours.
OURS = tuple(package for package in PACKAGES if package != "sandbox")


def texts_of(source: str) -> set[str]:
    """Return the texts that a piece of Python marks for translation."""
    found = extract("python", BytesIO(source.encode()), keywords=KEYWORDS)
    messages = set()
    for _line, message, _comments, _context in found:
        messages.add(message[0] if isinstance(message, tuple) else message)
    return messages - {""}


def templates() -> list[Path]:
    return [name for name in files() if name.suffix == ".html" and "templates" in name.parts]


@cache
def marked() -> dict[str, str]:
    """Return every marked text with a place that has it."""
    places: dict[str, str] = {}
    for name in python_files(*OURS):
        places.update(dict.fromkeys(texts_of(text(name)), str(name)))
    for name in templates():
        places.update(dict.fromkeys(texts_of(templatize(text(name), origin=str(name))), str(name)))
    return places


@cache
def french() -> Catalog:
    return read_po(StringIO(FRENCH.read_text(encoding="utf-8")), locale="fr")


def entry(message: str) -> tuple[str, ...]:
    found = french().get(message)
    if found is None:
        return ()
    told = found.string if isinstance(found.string, (tuple, list)) else (found.string,)
    return tuple(text or "" for text in told)


def test_the_screens_texts_are_found() -> None:
    assert len(marked()) > 200
    assert "How much to take off?" in marked() and "Next customer" in marked()


def test_every_text_is_said_in_french() -> None:
    missing = {text: place for text, place in marked().items() if not all(entry(text) or [""])}
    assert missing == {}


def test_no_french_text_is_a_guess_or_left_over() -> None:
    messages = [message for message in french() if message.id]
    assert [message.id for message in messages if message.fuzzy] == []
    ids = {message.id[0] if isinstance(message.id, tuple) else message.id for message in messages}
    assert ids - set(marked()) == set()


def test_french_fills_the_same_blanks() -> None:
    wrong = [
        text
        for text in marked()
        for said in entry(text)
        if set(BLANK.findall(text)) != set(BLANK.findall(said))
    ]
    assert wrong == []


@pytest.mark.parametrize("straight", ["'"])
def test_french_uses_the_typographic_apostrophe(straight: str) -> None:
    said = [string for text in marked() for string in entry(text)]
    assert [string for string in said if straight in string] == []
