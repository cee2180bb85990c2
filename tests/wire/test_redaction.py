"""Collector numbers leave only masked, whatever they travel in."""

import io
import logging

import pytest

from backoffice.wire import ScrubFilter, mask_collector, scrub, scrub_value

NUMBER = "80000010001"
MASKED = "•••••••0001"


@pytest.mark.parametrize(
    ("number", "masked"),
    [(NUMBER, MASKED), ("8" * 19, "•" * 15 + "8888"), ("1234", "••••"), ("1", "•"), ("", "")],
)
def test_only_the_last_four_digits_are_shown(number: str, masked: str) -> None:
    assert mask_collector(number) == masked


@pytest.mark.parametrize("length", range(1, 25))
def test_only_the_length_of_a_collector_number_is_masked(length: int) -> None:
    number = "8" + "1" * (length - 1)
    text = f'{{"collectorNumber":"{number}"}}'

    assert (number in scrub(text)) is (length != 11)


@pytest.mark.parametrize(
    "text", ["000012345678", "70000010001", "2026-11-20T19:00:00.123456Z", "8000001000", "a8b9"]
)
def test_other_numbers_stay_readable(text: str) -> None:
    assert scrub(text) == text


def test_a_reference_is_no_number_whatever_digits_it_holds() -> None:
    reference = "0c16f467-20cb-40a9-afec-a81234567890"
    assert scrub(f"transaction:{reference}") == f"transaction:{reference}"
    assert scrub(f"{reference} 81234567890").startswith(f"{reference} •")
    # What is no whole reference hides nothing.
    assert "81234567890" not in scrub("afec-81234567890")


def test_every_number_of_a_text_is_masked() -> None:
    assert scrub(f";{NUMBER}=2512? and {NUMBER},{NUMBER}") == (
        f";{MASKED}=2512? and {MASKED},{MASKED}"
    )


def test_values_are_masked_inside_of_containers() -> None:
    value = {
        NUMBER: [NUMBER, (int(NUMBER), 7)],
        "raw": NUMBER.encode(),
        "error": ValueError(NUMBER),
    }

    assert scrub_value(value) == {
        MASKED: [MASKED, (MASKED, 7)],
        "raw": MASKED,
        "error": MASKED,
    }


@pytest.mark.parametrize("value", [None, True, 7, 1.5, "text", b"bytes", ("a", 1), ["a"], {"a": 1}])
def test_a_value_with_nothing_to_mask_stays_as_it_is(value: object) -> None:
    assert scrub_value(value) == value


@pytest.fixture
def logged() -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(ScrubFilter())
    handler.setFormatter(
        logging.Formatter("%(name)s %(message)s %(extra)s", defaults={"extra": ""})
    )
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger, stream


def test_a_log_line_is_masked_with_its_arguments_and_extras(
    logged: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, stream = logged
    logger.warning("card %s of %d", NUMBER, int(NUMBER), extra={"extra": NUMBER}, stack_info=True)

    assert stream.getvalue().startswith(f"test card {MASKED} of {MASKED} {MASKED}")
    assert NUMBER not in stream.getvalue()


def test_a_traceback_is_masked(logged: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = logged
    try:
        raise ValueError(NUMBER)
    except ValueError:
        logger.exception("failed")

    written = stream.getvalue()
    assert f"ValueError: {MASKED}" in written
    assert NUMBER not in written


def test_a_traceback_with_nothing_to_mask_stays_an_exception(
    logged: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, stream = logged
    try:
        raise ValueError("nothing secret")
    except ValueError:
        logger.exception("failed")

    assert stream.getvalue().count("ValueError: nothing secret") == 1
    assert "Traceback" in stream.getvalue()


def test_an_event_of_structlog_is_masked(logged: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = logged
    logger.info({"event": "redeemed", "card": NUMBER, "exception": f"ValueError: {NUMBER}"})

    assert NUMBER not in stream.getvalue()
    assert MASKED in stream.getvalue()
