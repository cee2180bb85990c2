"""How miles follow from what counts for an offer, at the sale and again at a return. Pure: whole
cents, whole miles and exact decimals.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from backoffice.units import Cents, Miles
from issuance.orders import Item

_WHOLE: Final = r"[1-9][0-9]{0,9}"
_WRITTEN: Final = re.compile(
    rf"miles=(?P<miles>{_WHOLE})"
    rf"(?: per_cents=(?P<per_cents>{_WHOLE}))?"
    rf"(?: per_quantity=(?P<per_quantity>{_WHOLE}))?"
    rf"(?: at_most=(?P<at_most>{_WHOLE}))?"
    r" times=(?P<times>[0-9]{1,9}(?:\.[0-9]{1,4})?)"
)


@dataclass(frozen=True, kw_only=True)
class Share:
    """What the items that count add up to."""

    amount_cents: Cents
    quantity: Decimal

    @classmethod
    def of(cls, items: Iterable[Item]) -> "Share":
        """Add items up. What was given away at no price is a piece without an amount."""
        return cls.total(
            cls(amount_cents=item.final_cents, quantity=item.quantity) for item in items
        )

    @classmethod
    def total(cls, shares: Iterable["Share"]) -> "Share":
        """Add shares up."""
        found = list(shares)
        return cls(
            amount_cents=Cents(sum(share.amount_cents for share in found)),
            quantity=sum((share.quantity for share in found), Decimal(0)),
        )


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How miles follow from what counts: `miles` for each full step, a step being an amount, a
    number of pieces, or neither: then once per sale. `times` is what a multiplier adds: 2 for
    three times the base miles.
    """

    miles: Miles
    per_cents: Cents | None = None
    per_quantity: int | None = None
    at_most: int | None = None
    times: Decimal = Decimal(1)

    def text(self) -> str:
        """Write the terms for keeping with an award; `read` reads them."""
        return " ".join(
            f"{name}={value}"
            for name, value in (
                ("miles", self.miles),
                ("per_cents", self.per_cents),
                ("per_quantity", self.per_quantity),
                ("at_most", self.at_most),
                ("times", self.times),
            )
            if value is not None
        )

    @classmethod
    def read(cls, text: str) -> "Terms":
        """Read what `text` wrote; a ValueError for anything else."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError("These are no terms.")
        per_cents, per_quantity, at_most = (
            None if found[name] is None else int(found[name])
            for name in ("per_cents", "per_quantity", "at_most")
        )
        return cls(
            miles=Miles(int(found["miles"])),
            per_cents=None if per_cents is None else Cents(per_cents),
            per_quantity=per_quantity,
            at_most=at_most,
            times=Decimal(found["times"]),
        )

    def earned(self, share: Share) -> Miles:
        """Return the miles of a share: full steps only, and rounded down at the end."""
        steps = self._steps(share)
        if self.at_most is not None:
            steps = min(steps, self.at_most)
        exact = self.times * self.miles * steps
        return Miles(int(exact.to_integral_value(ROUND_FLOOR)))

    def _steps(self, share: Share) -> int:
        if self.per_cents is not None:
            return max(0, share.amount_cents) // self.per_cents
        if self.per_quantity is not None:
            return int(max(Decimal(0), share.quantity) // self.per_quantity)
        return 1 if share.quantity > 0 else 0
