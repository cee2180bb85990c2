"""What comes back when the platform is asked: a Reply, or a Silence. Values only; what either one
means for a transaction is decided by the products, never here.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

# Why there is no reply. The first group proves that no byte of the request left this machine.
NotSentKind = Literal[
    "refused",  # the port is closed
    "unresolved",  # the host has no address
    "connect_timeout",  # no connection in time
    "late",  # the right to send had passed before the first byte
    "busy",  # all places for calls to the platform were taken
    "no_token",  # no bearer token to send with
]
MaybeAppliedKind = Literal[
    "read_timeout",  # no (whole) answer in time
    "write_timeout",  # the request may not have left as a whole
    "closed",  # accepted, then closed without an answer
    "reset",  # accepted, then reset
    "cut",  # half an answer
    "garbled",  # something that is not HTTP
    "tls",  # the encrypted connection failed
    "encoded",  # compressed, which we asked it not to be
    "too_large",  # more than any answer of the platform can be
    "other",
]
SilenceKind = NotSentKind | MaybeAppliedKind


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A whole HTTP answer, of any status. It may be a proxy's page: parse before believing."""

    status: int
    # Holds collector numbers and balances, so it stays out of every traceback and log line.
    body: bytes = field(repr=False)
    duration_ms: int
    # The platform's own clock at the answer, where it tells; clocks that drift apart are an alarm.
    date: datetime | None = None
    content_type: str = ""


@dataclass(frozen=True, kw_only=True)
class Silence:
    """No answer. Only `maybe_applied` decides: if true, the platform may have acted on the request.

    `detail` names what was seen (an exception's class, a status), never any content.
    """

    kind: SilenceKind
    maybe_applied: bool
    duration_ms: int
    detail: str = ""
