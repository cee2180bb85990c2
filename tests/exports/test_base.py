"""CSV that a program and a spreadsheet read alike."""

import csv
import io
import tracemalloc
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from backoffice.exports import base
from backoffice.exports.base import Column, Value

TEXT = Column[Value](name="text", value=lambda row: row)


def read(pieces: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(pieces.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0"])
def test_text_that_a_spreadsheet_would_run_is_neutralised(start: str) -> None:
    dangerous = f'{start}HYPERLINK("http://x";"y"),1'
    [_names, [written]] = read(b"".join(base.csv_bytes([dangerous], [TEXT])))
    assert written == f"'{dangerous}"


@pytest.mark.parametrize("text", ["", "Queen St W", "a=b", "7KQ4-20X9", 'É, "ù"\r\nü', "'x"])
def test_harmless_text_is_written_as_it_is(text: str) -> None:
    [_names, [written]] = read(b"".join(base.csv_bytes([text, "end"], [TEXT]))[:])[:2]
    assert written == text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (-40, "-40"),
        (Decimal("-40.00"), "-40.00"),
        (0, "0"),
        (True, "true"),
        (None, ""),
        (date(2026, 11, 20), "2026-11-20"),
        (datetime(2026, 11, 20, 17, tzinfo=UTC), "2026-11-20T17:00:00.000+00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_numbers_stay_numbers_and_times_are_written_once_and_for_all(
    value: Value, written: str
) -> None:
    assert base.cell(value) == written


def test_lines_end_as_the_standard_says_and_excel_finds_its_mark() -> None:
    assert b"".join(base.csv_bytes(["a"], [TEXT])) == b"\xef\xbb\xbftext\r\na\r\n"
    assert b"".join(base.csv_bytes(["a"], [TEXT], has_mark=False)) == b"text\r\na\r\n"


def test_memory_stays_flat_however_long_the_file() -> None:
    def peak_bytes(rows: int) -> int:
        tracemalloc.start()
        for _piece in base.csv_bytes(("x" * 100 for _ in range(rows)), [TEXT]):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    small = peak_bytes(2_000)
    assert peak_bytes(40_000) < 1.5 * small
