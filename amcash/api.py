"""The doors of AM Cash for tills that speak the programme's own API (PRODUCT 2, the switch)."""

from typing import ClassVar

import structlog
from django.db import DatabaseError
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from amcash import client, relay, schema, tills
from amcash.tills import BadField, Call
from backoffice.journal.states import Operation
from backoffice.switch.access import actor_of, device_of
from backoffice.switch.doors import Envelope, SwitchView, Told, written

log = structlog.get_logger(__name__)

_MOVES_VALUE = frozenset({Call.REDEEM, Call.REVERSE})


class AmCashView(SwitchView):
    """A door of AM Cash. A subclass says which call it serves and how it is answered."""

    message: ClassVar[Call]

    def tell(self, request: Request, envelope: Envelope) -> Told:
        """Read the till's message; what is wrong with it is said, and nothing is sent."""
        try:
            read = tills.read(self.message, envelope.raw, client.terminal_of(device_of(request)))
        except BadField as error:
            return self.unacceptable(request, error.name)
        return self.answer(read, envelope, request)

    def answer(self, read: tills.Request, envelope: Envelope, request: Request) -> Told:
        """Answer a request that reads well."""
        raise AssertionError("every door answers for itself")

    def unacceptable(self, request: Request, what: str) -> Told:
        """Name what is wrong with a request (0035)."""
        return relay.said(
            "0035",
            device=device_of(request),
            now=timezone.now(),
            is_french=_wants_french(request),
            field=what,
        )

    def in_training(self, request: Request) -> Told:
        """Say that no requests can be sent; the sale goes on without miles."""
        return relay.said(
            "0092",
            device=device_of(request),
            now=timezone.now(),
            is_french=_wants_french(request),
        )

    def out_of_order(self) -> Told:
        """Say what is true without a database. Nothing is sent; but what moves value may have been
        sent before, by the same request, and nobody can look."""
        if self.message in _MOVES_VALUE:
            return _plain(408, "0008", "Transaction timeout")
        return _plain(503, "0092", "Scheduled outage")

    def broken(self) -> Told:
        """Say that something went wrong here; the same request sent again is told how it stands."""
        return _plain(500, "0096", "Server error or no response")


@extend_schema_view(post=extend_schema(**schema.of(Call.ECHO)))
class EchoView(AmCashView):
    """PLATFORM 2.3: is the platform up?"""

    call = "amcash.echo"
    message = Call.ECHO

    def begins(self, envelope: Envelope) -> bool:
        """It moves nothing."""
        return False

    def answer(self, read: tills.Request, envelope: Envelope, request: Request) -> Told:
        """Pass it on."""
        return relay.echo(read, device=device_of(request), now=timezone.now())


@extend_schema_view(post=extend_schema(**schema.of(Call.INQUIRE)))
class InquireView(AmCashView):
    """PLATFORM 2.4: what may this collector redeem on this basket?"""

    call = "amcash.inquire"
    message = Call.INQUIRE

    def answer(self, read: tills.Request, envelope: Envelope, request: Request) -> Told:
        """Pass it on."""
        return relay.inquire(read, actor=actor_of(request), now=timezone.now())


@extend_schema_view(post=extend_schema(**schema.of(Call.REDEEM)))
class RedeemView(AmCashView):
    """PLATFORM 2.5: take dollars off a sale."""

    call = "amcash.redeem"
    message = Call.REDEEM

    def answer(self, read: tills.Request, envelope: Envelope, request: Request) -> Told:
        """Redeem once, however often it is asked."""
        actor = actor_of(request)
        try:
            return relay.redeem(read, envelope, actor=actor, now=timezone.now())
        except DatabaseError as error:
            return _doubtful(error, Operation.REDEEM, read, envelope, request)


@extend_schema_view(post=extend_schema(**schema.of(Call.REVERSE)))
class ReverseView(AmCashView):
    """PLATFORM 2.6: give a redemption back."""

    call = "amcash.reverse"
    message = Call.REVERSE

    def begins(self, envelope: Envelope) -> bool:
        """It gives back what was real before anybody practised."""
        return False

    def answer(self, read: tills.Request, envelope: Envelope, request: Request) -> Told:
        """Give back once, however often it is asked."""
        actor = actor_of(request)
        try:
            return relay.reverse(read, envelope, actor=actor, now=timezone.now())
        except DatabaseError as error:
            return _doubtful(error, Operation.REVERSE, read, envelope, request)


def _doubtful(
    error: DatabaseError,
    operation: Operation,
    read: tills.Request,
    envelope: Envelope,
    request: Request,
) -> Told:
    """Say whether nothing was sent when the database failed: it is so if nothing was committed."""
    log.error("switch.database_failed", exc_info=error)
    code = "0092" if relay.is_known_unsent(operation, envelope) else "0008"
    return relay.said(code, device=device_of(request), now=timezone.now(), request=read)


def _wants_french(request: Request) -> bool:
    # A body that was too long to be read says nothing.
    body = getattr(request._request, "_body", b"")
    return tills.wants_french(body)


def _plain(status: int, code: str, message: str) -> Told:
    return Told(status=status, body=written({"message": message, "responseCode": code}))
