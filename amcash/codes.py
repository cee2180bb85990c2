"""The AM Cash response codes, as data (PLATFORM 2.7; the programme's API library page).

A code outside this table is unknown: doubt, neither approval nor decline.
"""

from dataclasses import dataclass
from enum import StrEnum


class Reading(StrEnum):
    """What a code says of one operation."""

    APPROVED = "approved"
    DECLINED = "declined"
    DECLINED_AFTER_DOUBT = "declined_after_doubt"
    EXPIRED = "expired"
    UNAVAILABLE = "unavailable"
    MANUAL = "manual"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Code:
    """One row of the table. `after_doubt` is the reading after a send with no known outcome."""

    code: str
    http: int
    message: str
    endpoints: frozenset[str]
    reading: Reading
    after_doubt: Reading
    retry_at_once: bool = False
    show_balances: bool = False
    may_prompt_redemption: bool = False


_E, _I, _R, _V = "echo", "inquire", "redeem", "reverse"


def _code(
    code: str,
    http: int,
    message: str,
    endpoints: tuple[str, ...],
    reading: Reading,
    after_doubt: Reading | None = None,
    *,
    retry: bool = False,
    balances: bool = False,
    prompt: bool = False,
) -> Code:
    return Code(
        code=code,
        http=http,
        message=message,
        endpoints=frozenset(endpoints),
        reading=reading,
        after_doubt=after_doubt or reading,
        retry_at_once=retry,
        show_balances=balances,
        may_prompt_redemption=prompt,
    )


_OK, _NO, _MAYBE = Reading.APPROVED, Reading.DECLINED, Reading.UNKNOWN
# Our own lost first send may have used up the balance or the limit (RELIABILITY 0.7).
_EATEN = Reading.DECLINED_AFTER_DOUBT
# The first reversal may have worked (RELIABILITY V6).
_UNCLEAR = Reading.MANUAL

# fmt: off
_TABLE = (
    _code("0000", 200, "Approved", (_E, _I, _R, _V), _OK, balances=True, prompt=True),
    _code("0001", 202, "Approved - balance suppressed", (_I, _R, _V), _OK, prompt=True),
    _code("0002", 401, "Collector account inactive", (_I, _R, _V), _NO),
    _code("0005", 202, "Balance suppressed, unable to redeem", (_I,), _OK),
    _code("0006", 202, "Unable to redeem", (_I,), _OK, balances=True),
    _code("0008", 408, "Transaction timeout", (_E, _I, _R, _V), _MAYBE, retry=True),
    _code("0009", 403, "Card not swiped or scanned", (_I, _R, _V), _NO),
    _code("0025", 401, "Invalid Collector number", (_I, _R, _V), _NO),
    _code("0035", 400, "Invalid request parameter", (_E, _I, _R, _V), _NO),
    _code("0051", 202, "Insufficient reward miles", (_I, _R), _NO, _EATEN),
    _code("0057", 400, "Invalid redemption confirmation number", (_V,), _NO, _UNCLEAR),
    _code("0065", 202, "Exceeded daily redemption limit", (_R,), _NO, _EATEN),
    _code("0066", 202, "Insufficient basket size", (_R,), _NO, _EATEN),
    _code("0067", 408, "Offer is temporarily unavailable", (_I, _R), _NO, _EATEN),
    _code("0080", 409, "Reversal window expired", (_V,), Reading.EXPIRED, _UNCLEAR),
    _code("0092", 503, "Scheduled outage", (_E, _I, _R, _V), Reading.UNAVAILABLE, _MAYBE),
    _code("0096", 500, "Server error or no response", (_E, _I, _R, _V), _MAYBE, retry=True),
)
# fmt: on
CODES: dict[str, Code] = {code.code: code for code in _TABLE}


def find(code: str) -> Code | None:
    """Return the table's row, or None for a code that the programme has not documented."""
    return CODES.get(code)


def read(code: str, *, earlier_unknown: bool) -> Reading:
    """Return what a code says of an operation; anything undocumented is UNKNOWN."""
    row = CODES.get(code)
    if row is None:
        return Reading.UNKNOWN
    return row.after_doubt if earlier_unknown else row.reading
