"""Rows to CSV that a program and a spreadsheet read alike (RFC 4180). Knows no particular export.

Text that a spreadsheet would run as a formula is neutralised; numbers stay numbers. Everything
is a generator, so memory does not grow with the rows.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Generic, TypeVar
from uuid import UUID

Row = TypeVar("Row")

CONTENT_TYPE: Final = "text/csv; charset=utf-8"
# Excel takes a file without this mark for the machine's old code page and garbles accents.
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

# What a spreadsheet takes for the start of a formula, or steps over to find one.
DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_ROWS_AT_ONCE: Final = 500

Value = str | int | Decimal | datetime | date | UUID | None


@dataclass(frozen=True, kw_only=True)
class Column(Generic[Row]):
    """One column: its name in the first line, and how its value is found in a row."""

    name: str
    value: Callable[[Row], Value]


def cell(value: Value) -> str:
    """Write one value. Only text is neutralised: a negative amount is a number and stays one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(DANGEROUS) else value
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def csv_line(values: Sequence[Value]) -> bytes:
    """Write some values as part of a line: with commas between them, and no end."""
    buffer = io.StringIO(newline="")
    # A second cell keeps the writer from quoting an empty one that stands alone.
    csv.writer(buffer, lineterminator="\r\n").writerow([*map(cell, values), ""])
    return buffer.getvalue().removesuffix(",\r\n").encode()


def csv_bytes(
    rows: Iterable[Row], columns: Sequence[Column[Row]], *, has_mark: bool = True
) -> Iterator[bytes]:
    """Give the file piece by piece: the mark if wanted, the names, then the rows."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    if has_mark:
        yield BYTE_ORDER_MARK
    writer.writerow([column.name for column in columns])
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(column.value(row)) for column in columns])
        if number % _ROWS_AT_ONCE == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
