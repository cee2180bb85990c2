"""A sale that is open when the tablet locks: kept, sealed as it was, for the one whose it is.

What is kept is what the screen's own form would have sent to show it again: a sealed text and
what was typed, never a card. A manager may go on with it too; for anybody else it is gone.
"""

from dataclasses import asdict, dataclass, field
from typing import Final, Self

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from backoffice.devices.models import Device
from backoffice.people import sessions
from backoffice.people.models import User
from cashier.forms import without_card

_LOCKED: Final = "kept"
_OWN: Final = "kept_for_me"
# The addresses that show the step of an open sale again.
_STEPS: Final = ("cashier:resume", "cashier:give_basket", "cashier:give_resume")
_NOT_KEPT: Final = frozenset({"csrfmiddlewaretoken", "keep", "next"})
_MOST_FIELDS, _LONGEST_FIELD = 20, 16_384


@dataclass(frozen=True, kw_only=True)
class KeptSale:
    """An open sale between two people at one tablet."""

    owner: int
    owner_name: str
    device: int
    sale_key: str
    url: str
    fields: dict[str, str] = field(default_factory=dict)

    def may_be_taken_by(self, user: User, device: Device) -> bool:
        """Whether this person may go on with it at this device."""
        return device.pk == self.device and (user.pk == self.owner or user.may_decide)

    @classmethod
    def of(cls, request: HttpRequest, device: Device) -> Self | None:
        """Return the sale that a locking screen sends along, or None."""
        url = request.POST.get("keep", "")
        user = request.user
        if url not in {reverse(name) for name in _STEPS} or not isinstance(user, User):
            return None
        fields = _fields_of(request.POST)
        if not fields.get("sale"):
            return None
        return cls(
            owner=user.pk,
            owner_name=user.shown_name,
            device=device.pk,
            sale_key=sessions.sale_key_of(request.session),
            url=url,
            fields=fields,
        )


def put_aside(session: SessionBase, kept: KeptSale) -> None:
    """Keep a sale in the locked tablet's session, which is nobody's."""
    session[_LOCKED] = asdict(kept)


def put_aside_in(session: SessionBase) -> KeptSale | None:
    """Return the sale that is kept at a locked tablet."""
    return _read(session.get(_LOCKED))


def hand_over(session: SessionBase, kept: KeptSale | None) -> None:
    """Leave the kept sale to whoever has just signed in, or nothing of it."""
    session.pop(_LOCKED, None)
    if kept is not None:
        session[_OWN] = asdict(kept)


def taken_from(session: SessionBase) -> KeptSale | None:
    """Return the sale that was kept for this person, once."""
    return _read(session.pop(_OWN, None))


def _read(kept: object) -> KeptSale | None:
    return KeptSale(**kept) if isinstance(kept, dict) else None


def _fields_of(posted: QueryDict) -> dict[str, str]:
    sent = [(name, str(value)) for name, value in posted.items() if name not in _NOT_KEPT]
    return {
        name: value
        for name, value in sent[:_MOST_FIELDS]
        # A scanner types into whatever has the focus; a seal is no card.
        if len(value) <= _LONGEST_FIELD and (name == "sale" or without_card(value))
    }
