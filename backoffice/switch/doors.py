"""What every door of the switch does: read the bytes, know a repeated request, answer in JSON.

Decides nothing about money, and knows no message.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import structlog
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    NotAuthenticated,
    PermissionDenied,
)
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from backoffice import exact
from backoffice.devices.bearer import DeviceBearer
from backoffice.devices.middleware import needs_no_device
from backoffice.journal import payloads
from backoffice.journal.models import Transaction
from backoffice.switch.access import MayCall, device_of

# As every sample of the programme's pages has it.
JSON_TYPE = "application/json;charset=UTF-8"
# Of printable ASCII, as header fields are. An empty one is refused: the web server leaves nothing
# of a key that is no ASCII, and its till would believe that two requests are told apart by it.
KEY = "[!-~][ -~]{0,254}"
# A basket of some hundred lines; Django itself reads no more than its own limit.
LONGEST_BODY = 128 * 1024
REFERENCE_HEADER = "Milepost-Transaction"

_KEY = re.compile(KEY)

log = structlog.get_logger(__name__)


class Unacceptable(ValueError):
    """A request of which nothing was read: `what` names its bad part."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a till is told. `reference` names the transaction of ours that the answer is about."""

    status: int
    body: bytes = field(repr=False)
    reference: str = ""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A till's request around its message.

    `client_ref` is the same for the same request of the same device: a keyed hash of the path and
    the Idempotency-Key or, without one, the exact body.
    """

    raw: bytes = field(repr=False)
    client_ref: str

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 in it is no JSON and was refused before."""
        return self.raw.decode("utf-8", "replace")


class _AnyRepresentation(BaseContentNegotiation):
    """The programme answers JSON, whatever a till says that it accepts."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return None

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return next(iter(renderers)), "application/json"


class SwitchView(APIView):
    """A door of the switch. A subclass says which call it serves and how a request is told."""

    authentication_classes = (DeviceBearer,)
    permission_classes = (MayCall,)
    http_method_names = ["post"]
    content_negotiation_class = _AnyRepresentation
    call: ClassVar[str]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view; no tablet's cookie is looked up for it."""
        return needs_no_device(super().as_view(**initkwargs))

    def post(self, request: Request) -> HttpResponse:
        """Answer a till."""
        try:
            envelope = envelope_of(request)
            # A till of the switch prints its own receipts, which would not say TRAINING.
            is_refused = device_of(request).is_training and self.begins(envelope)
            told = self.in_training(request) if is_refused else self.tell(request, envelope)
        except Unacceptable as error:
            told = self.unacceptable(request, error.what)
        return _response(told)

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        """Answer what was refused before the message was read, and what broke."""
        if isinstance(exc, AuthenticationFailed | NotAuthenticated):
            refused = _response(_said(401, "Missing or invalid bearer token"))
            refused["WWW-Authenticate"] = "Bearer"
            return refused
        if isinstance(exc, PermissionDenied):
            return _response(_said(403, "This device may not make this call"))
        if isinstance(exc, APIException):
            return _response(_said(exc.status_code, str(exc.detail)))
        if isinstance(exc, DatabaseError):
            log.error("switch.no_database", exc_info=exc)
            return _response(self.out_of_order())
        log.error("switch.broken", exc_info=exc)
        return _response(self.broken())

    def tell(self, request: Request, envelope: Envelope) -> Told:
        """Do what is asked and return what the till is told."""
        raise AssertionError("every door answers for itself")

    def unacceptable(self, request: Request, what: str) -> Told:
        """Return the answer to a request of which nothing could be read."""
        raise AssertionError("every door answers for itself")

    def begins(self, envelope: Envelope) -> bool:
        """Say whether a request begins something new: what was asked before is told how it
        stands."""
        return not Transaction.objects.filter(client_ref=envelope.client_ref).exists()

    def in_training(self, request: Request) -> Told:
        """Return the answer to what a till would begin while its device practises at its console:
        nothing is sent."""
        raise AssertionError("every door answers for itself")

    def out_of_order(self) -> Told:
        """Return the answer of a Milepost that cannot reach its database: it sends nothing."""
        raise AssertionError("every door answers for itself")

    def broken(self) -> Told:
        """Return the answer to a request whose end is not known."""
        raise AssertionError("every door answers for itself")


@csrf_exempt
@needs_no_device
@login_not_required
def nowhere(request: HttpRequest) -> HttpResponse:
    """Tell a till whose address is wrong, by whatever method, in a form that it can read."""
    return _response(_said(404, "There is no such call; addresses end without a slash"))


def envelope_of(request: Request) -> Envelope:
    """Return a request's exact body and what it is known by. Raises Unacceptable."""
    try:
        raw = request._request.body
    except RequestDataTooBig as error:
        raise Unacceptable("request body") from error
    if len(raw) > LONGEST_BODY:
        raise Unacceptable("request body")
    # Spaces around a header's value are no part of it, and no others than HTTP's own.
    key = request.headers.get("Idempotency-Key", "").strip(" \t")
    if "Idempotency-Key" in request.headers and _KEY.fullmatch(key) is None:
        raise Unacceptable("Idempotency-Key")
    device = device_of(request)
    kind, value = ("key", key.encode()) if key else ("body", raw)
    known_by = f"{device.pk}\n{request.path}\n{kind}\n".encode() + value
    mac = payloads.vault().mac(known_by, purpose="switch")
    return Envelope(raw=raw, client_ref=f"switch:{mac}"[:64])


def written(fields: dict[str, Any]) -> bytes:
    """Write an answer of our own as the platform does: what is empty is left out."""
    return exact.dumps({name: value for name, value in fields.items() if value not in (None, "")})


def _said(status: int, message: str) -> Told:
    return Told(status=status, body=written({"message": message}))


def _response(told: Told) -> HttpResponse:
    response = HttpResponse(told.body, status=told.status, content_type=JSON_TYPE)
    response["Cache-Control"] = "no-store"
    if told.reference:
        response[REFERENCE_HEADER] = told.reference
    return response
