"""Text and moments as tills may write them, each told by a pattern that OpenAPI can tell too. Pure.

No control characters and no ends of lines, which would forge a line of a log; nothing that turns
the direction of reading, which would forge a screen. A no-break space is text: French needs it.
"""

import re
from datetime import datetime
from typing import Final

_LETTER: Final = (
    r"[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
TEXT: Final = f"{_LETTER}*"
# ISO 8601 with an offset, as the programme's pages print it, with a colon in the offset or without;
# in a year that every zone's calendar has.
MOMENT: Final = (
    "(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    "(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])"
)
_TEXT: Final = re.compile(TEXT)
_MOMENT: Final = re.compile(MOMENT)


def is_text(value: str) -> bool:
    """Say whether this may be stored, shown and printed as it is."""
    # Half a surrogate pair is no letter: UTF-8, and so the platform and the log, cannot write it.
    is_whole = not any("\ud800" <= letter <= "\udfff" for letter in value)
    return is_whole and _TEXT.fullmatch(value) is not None


def is_moment(value: str) -> bool:
    """Say whether this is a moment: of the form, and in the calendar."""
    if _MOMENT.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
