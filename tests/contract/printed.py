"""The samples of the programme's pages, as they are printed, and what two answers to one are
compared by: everything but what the platform makes anew for each.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from amcash.messages import REDEEM_PATH, REVERSE_PATH
from backoffice import exact
from tests.contract.peer import Peer, sample
from tests.servers.stack import Answer

SAMPLES: Final[list[dict[str, Any]]] = sample("samples")
NAMES: Final = [one["name"] for one in SAMPLES]
# Numbers and times that no two answers share; of these the form alone is compared.
_FRESH: Final = frozenset(
    {
        "confirmationNumber",
        "processedDateTime",
        "transDateTime",
        "transactionId",
        "txnConfirmationNumber",
    }
)


def tokens_of(said: str) -> dict[str, str]:
    """Return the tokens of the tills that `demo --samples` made, by sponsor."""
    return dict(re.findall(r"^ +(\w{4}) +\w+/\w+ (\S{43})$", said, re.M))


def told(body: bytes) -> Any:
    """Return what an answer says, all the way down; its numbers with their places."""
    return _told(exact.loads(body))


def _told(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _told(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_told(one) for one in value]
    if name in _FRESH:
        assert isinstance(value, str) and value, name
        return re.sub(r"[0-9A-Za-z]", "x", value)
    # A Decimal of 10 is one of 10.00, which is printed otherwise.
    return type(value).__name__, str(value)


def named(one: dict[str, Any], redeem: Callable[[dict[str, Any]], Any]) -> dict[str, str]:
    """Return the number of a redemption just made, which no page can print, for a reversal."""
    if one["path"] != REVERSE_PATH:
        return {}
    taken = redeem(next(two for two in SAMPLES if two["path"] == REDEEM_PATH))
    return {"redemptionConfirmationNumber": taken["txnConfirmationNumber"]}


def straight(peer: Peer, one: dict[str, Any]) -> Answer:
    """Return what the sandbox answers to a till that asks it without us."""
    request = one["request"] | named(one, lambda two: peer.post(two["path"], two["request"]).fields)
    return peer.post(one["path"], request)
