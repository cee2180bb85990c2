"""Collector numbers leave this process only masked. Pure; applied before anything is logged."""

import logging
import re
from typing import Final

SHOWN_DIGITS: Final = 4

# What `cards.parse_card` takes, and nothing longer or shorter: many a product code (8, 12, 13 or 14
# digits) begins with an 8 too, and must stay readable.
# A reference (UUID) is read over as a whole: one in some thousands holds eleven digits in a row.
_COLLECTOR = re.compile(
    r"(?P<reference>(?<![0-9a-f])[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?![0-9a-f]))"
    r"|(?<![0-9])8[0-9]{10}(?![0-9])",
    re.IGNORECASE,
)


def mask_collector(number: str) -> str:
    """Write a collector number for people: all dots but the last four digits."""
    hidden = max(len(number) - SHOWN_DIGITS, 0)
    # A number of four digits or fewer would be shown whole, so it is hidden whole instead.
    return "•" * hidden + number[-SHOWN_DIGITS:] if hidden else "•" * len(number)


def scrub(text: str) -> str:
    """Mask everything in a text that could be a collector number."""
    return _COLLECTOR.sub(
        lambda found: found[0] if found["reference"] else mask_collector(found[0]), text
    )


def conceal(text: str) -> str:
    """Hide in a text that is kept for good all that could be a collector number, whole."""
    return _COLLECTOR.sub(lambda found: found["reference"] or "•" * len(found[0]), text)


def scrub_value(value: object) -> object:
    """Scrub a value of a log line, whatever it holds; what has nothing to mask stays as it is."""
    if isinstance(value, dict):
        return {scrub_value(key): scrub_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [scrub_value(item) for item in value]
    if isinstance(value, tuple):
        return tuple(scrub_value(item) for item in value)

    written = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    masked = scrub(written)
    return value if masked == written else masked


class ScrubFilter(logging.Filter):
    """Put on a handler, it masks collector numbers in every record that passes, tracebacks too."""

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record in place and let it pass."""
        if isinstance(record.msg, dict):
            # structlog hands its event over as a dict and renders it later.
            record.msg = scrub_value(record.msg)
        else:
            record.msg = scrub(record.getMessage())
            record.args = None
            self._scrub_traceback(record)
        for name, value in vars(record).items():
            if isinstance(value, str):
                setattr(record, name, scrub(value))

        return True

    def _scrub_traceback(self, record: logging.LogRecord) -> None:
        if not record.exc_info:
            return

        written = self._formatter.formatException(record.exc_info)
        masked = scrub(written)
        if masked != written:
            # A renderer may format the exception afresh, so it only gets the masked words of it.
            record.msg = f"{record.msg}\n{masked}"
            record.exc_info = None
            record.exc_text = None
