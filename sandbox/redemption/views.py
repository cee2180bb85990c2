"""The four doors of AM Cash: read the message, let the engine decide, write the answer."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from sandbox import wire
from sandbox.access.authentication import BearerAuthentication
from sandbox.answers import engine as answers
from sandbox.answers.reply import respond
from sandbox.conditions import switches as conditions
from sandbox.conditions.switches import Switches
from sandbox.members.engine import Cause
from sandbox.redemption import engine, serializers
from sandbox.redemption.codes import CODES, NEVER_REMEMBERED, Call
from sandbox.redemption.engine import Inquiry, Order, Redeemed, Refused, Reversed

MAX_KEY_LENGTH = 255


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request under the conditions it met: what every step of its answer needs."""

    call: Call
    raw: bytes
    body: dict[str, Any]
    identity: answers.Request
    switches: Switches
    now: datetime
    real_now: datetime

    @property
    def is_french(self) -> bool:
        return serializers.speaks_french(self.body)

    @property
    def cause(self) -> Cause:
        return Cause(
            path=self.identity.path,
            key=self.identity.key,
            body_sha256=self.identity.body_sha256,
            happened_at=self.now,
            recorded_at=self.real_now,
        )

    def refusal(self, refused: Refused) -> answers.Answer:
        fields = serializers.refusal(
            refused.code,
            refused.field,
            is_french=self.is_french,
            now=self.now,
            switches=self.switches,
        )
        return answers.Answer(
            status=CODES[refused.code].http,
            code=refused.code,
            body=wire.write(fields),
            is_remembered=(
                self.switches.remember_declines and refused.code not in NEVER_REMEMBERED
            ),
        )

    def approval(self, result: Inquiry | Redeemed | Reversed | None) -> answers.Answer:
        fields = serializers.approval(
            result, self.body, is_french=self.is_french, now=self.now, switches=self.switches
        )
        code = fields["responseCode"]
        return answers.Answer(
            status=CODES[code].http,
            code=code,
            body=wire.write(fields),
            has_effect=isinstance(result, Redeemed | Reversed),
            is_remembered=True,
        )


class AmCashView(APIView):
    """A door of AM Cash. A subclass says which call it serves and how it is decided."""

    authentication_classes = (BearerAuthentication,)
    call: ClassVar[Call]

    def post(self, request: Request) -> HttpResponse:
        visit, problem = _visit(self.call, request)
        try:
            engine.check_outage(visit.switches)
            if problem:
                raise Refused("0035", problem)
            order = _order(visit)
        except Refused as refused:
            answer = visit.refusal(refused)
        else:
            answer = self.answer(visit, order)
        return respond(request, answer)

    def answer(self, visit: Visit, order: Order) -> answers.Answer:
        """Return the answer to a request that reads well."""
        return _decided(visit, lambda: self.decide(visit, order))

    def decide(self, visit: Visit, order: Order) -> Inquiry | Redeemed | Reversed | None:
        """Do what is asked and return what came of it; nothing, where there is only an echo."""
        return None


class OnceOnlyView(AmCashView):
    """A door that honours Idempotency-Key, or the exact body where no key is sent."""

    def answer(self, visit: Visit, order: Order) -> answers.Answer:
        switches = visit.switches
        if len(visit.identity.key) > MAX_KEY_LENGTH:
            return visit.refusal(Refused("0035", "Idempotency-Key"))
        try:
            self.check_before_key(visit, order)
            return answers.once(
                visit.identity,
                lambda: super(OnceOnlyView, self).answer(visit, order),
                now=visit.now,
                memory=timedelta(seconds=switches.key_memory_s),
                by_content=switches.content_duplicates,
            )
        except Refused as refused:
            return visit.refusal(refused)
        except answers.KeyReused:
            return visit.refusal(Refused("0035", "Idempotency-Key"))

    def check_before_key(self, visit: Visit, order: Order) -> None:
        """Refuse what is refused even to a repeated request."""


class EchoView(AmCashView):
    """PLATFORM 2.3: is the platform up?"""

    call = Call.ECHO


class InquireView(AmCashView):
    """PLATFORM 2.4: what does a collector have, and what may he redeem here?"""

    call = Call.INQUIRE

    def decide(self, visit: Visit, order: Order) -> Inquiry:
        return engine.inquire(order, visit.switches, visit.now)


class RedeemView(OnceOnlyView):
    """PLATFORM 2.5: take miles off for dollars off."""

    call = Call.REDEEM

    def decide(self, visit: Visit, order: Order) -> Redeemed:
        return engine.redeem(order, visit.switches, visit.now, visit.cause)


class ReverseView(OnceOnlyView):
    """PLATFORM 2.6: give a redemption back."""

    call = Call.REVERSE

    def check_before_key(self, visit: Visit, order: Order) -> None:
        if visit.switches.window_before_key:
            engine.check_window(order, visit.switches, visit.now)

    def decide(self, visit: Visit, order: Order) -> Reversed:
        return engine.reverse(order, visit.switches, visit.now, visit.cause)


def _visit(call: Call, request: Request) -> tuple[Visit, str]:
    """Return the visit, and what is wrong with its body as a whole, if anything."""
    raw = request._request.body
    problem, body = "", {}
    try:
        body = wire.read_object(raw)
    except wire.Unreadable:
        problem = "request body"
    switches = conditions.load()
    real_now = conditions.real_now()
    visit = Visit(
        call=call,
        raw=raw,
        body=body,
        identity=answers.Request(
            path=request.path,
            key=request.headers.get("Idempotency-Key", "").strip(),
            body_sha256=hashlib.sha256(raw).hexdigest(),
        ),
        switches=switches,
        now=switches.now(real_now),
        real_now=real_now,
    )
    return visit, problem


def _order(visit: Visit) -> Order:
    try:
        return serializers.read_order(visit.call, visit.body)
    except serializers.InvalidField as invalid:
        raise Refused("0035", invalid.field) from None


def _decided(
    visit: Visit, decide: Callable[[], Inquiry | Redeemed | Reversed | None]
) -> answers.Answer:
    try:
        return visit.approval(decide())
    except Refused as refused:
        return visit.refusal(refused)
