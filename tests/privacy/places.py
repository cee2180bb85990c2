"""Everything that Milepost keeps and shows, as text: a database's dump, what is logged, pages."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client

from backoffice.wire.redaction import ScrubFilter


def dump() -> str:
    """Return every row of every table, as the database itself writes it down."""
    parts: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if connection.vendor == "postgresql":
                cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608
                parts.extend(row[0] for row in cursor)
                continue
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            parts.extend("\x1f".join(_told(value) for value in row) for row in cursor)
    return "\n".join(parts)


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Have everything that is logged, at every level, written as in production, into a text."""
    root = logging.getLogger()
    handlers = [
        one for one in root.handlers if any(isinstance(f, ScrubFilter) for f in one.filters)
    ]
    assert len(handlers) == 1 and isinstance(handlers[0], logging.StreamHandler)
    text, level = io.StringIO(), root.level
    before = handlers[0].setStream(text)
    root.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        root.setLevel(level)
        handlers[0].setStream(before)


class Reader:
    """A browser that keeps all it was shown, and every address that it was sent to."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.pages: list[str] = []
        self.addresses: list[str] = []

    def get(self, address: str) -> str:
        """Open an address."""
        self.addresses.append(address)
        return self._kept(self.client.get(address))

    def post(self, address: str, fields: dict[str, str]) -> str:
        """Post a form, and follow where it leads."""
        return self._kept(self.client.post(address, fields))

    def _kept(self, response: HttpResponseBase) -> str:
        text = b"".join(response).decode()
        self.pages.append(f"{response.headers}\n{text}")
        for name in ("Location", "HX-Push-Url", "HX-Redirect", "HX-Location"):
            if name in response.headers:
                self.addresses.append(response.headers[name])
        if response.status_code in {302, 303}:
            return self.get(response.headers["Location"])
        return text


def _told(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("latin-1")
    return str(value)
