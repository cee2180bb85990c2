"""The wire: one POST to the platform, and what came back. It never decides what that means.

Names that others use are exported here; only `transport` may import `requests`.
"""

from backoffice.wire.addresses import checked_url, is_loopback
from backoffice.wire.answers import (
    MaybeAppliedKind,
    NotSentKind,
    Reply,
    Silence,
    SilenceKind,
)
from backoffice.wire.bearer import BearerSource, Platform, Send, refuses_token
from backoffice.wire.gate import Gate
from backoffice.wire.redaction import ScrubFilter, conceal, mask_collector, scrub, scrub_value
from backoffice.wire.transport import Request, Timeouts, forget_connections, send

__all__ = [
    "BearerSource",
    "Gate",
    "MaybeAppliedKind",
    "NotSentKind",
    "Platform",
    "Reply",
    "Request",
    "ScrubFilter",
    "Send",
    "Silence",
    "SilenceKind",
    "Timeouts",
    "checked_url",
    "conceal",
    "forget_connections",
    "is_loopback",
    "mask_collector",
    "refuses_token",
    "scrub",
    "scrub_value",
    "send",
]
