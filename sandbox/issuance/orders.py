"""What a request of issuance asks for, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.issuance.codes import Call
from sandbox.issuance.offers import Basket


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Miles of one offer, to be given or taken back; with an error, refused before it is tried."""

    offer_code: str
    offer_id: str
    miles: int
    location: str = ""
    description: str = ""
    contributing: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Order:
    """One request, whichever of the eight calls it is."""

    call: Call
    collector: str
    sponsor: str
    own_id: str
    location: str
    checkout_at: datetime
    asked: tuple[Asked, ...]
    basket: Basket
    original: str
    is_return: bool
    mirror: Mapping[str, Any] = field(repr=False)


class Refused(Exception):
    """The platform refuses a request as a whole, with this error, and nothing happens."""

    def __init__(self, code: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(code, *reasons)
        self.code = code
        self.reasons = reasons
