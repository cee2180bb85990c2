"""Finds known collector numbers in text: plain, grouped, among other digits, in hex or base64, and
by the unkeyed hashes that anybody could turn back (there are only 10^10 numbers).
"""

import base64
import hashlib
import re
from collections.abc import Iterable

# Digits with what people and programs put between them.
_GROUPED = re.compile(r"(?<=\d)[ \u00a0\u202f.,-](?=\d)")
_PLAIN = re.compile(r"(?=(8\d{10}))")
_HEX = re.compile(r"(?=(38(?:3\d){10}))")
_WORD = re.compile(r"[0-9A-Za-z_+/-]{14,}")
_HASHES = ("md5", "sha1", "sha256", "sha512")


class Finder:
    """Knows numbers; finds them."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self.numbers = frozenset(numbers)
        self._words: dict[str, str] = {}
        for number in self.numbers:
            digits = number.encode()
            self._words[base64.b64encode(digits).decode().rstrip("=")] = number
            self._words[base64.urlsafe_b64encode(digits).decode().rstrip("=")] = number
            for name in _HASHES:
                digest = hashlib.new(name, digits, usedforsecurity=False)
                self._words[digest.hexdigest()] = number
                self._words[base64.b64encode(digest.digest()).decode().rstrip("=")] = number

    def found_in(self, text: str | bytes) -> set[str]:
        """Return the numbers that a text gives away."""
        if isinstance(text, bytes):
            # Each byte is a character, so that binary is searched as well.
            text = text.decode("latin-1")
        found = {one for one in _PLAIN.findall(text) if one in self.numbers}
        found |= {one for one in _PLAIN.findall(_GROUPED.sub("", text)) if one in self.numbers}
        for one in _HEX.findall(text):
            digits = bytes.fromhex(one).decode()
            if digits in self.numbers:
                found.add(digits)
        for word in _WORD.findall(text):
            number = self._words.get(word) or self._words.get(word.casefold())
            if number:
                found.add(number)
        return found
