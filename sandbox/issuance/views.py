"""The eight doors of issuance: read the message, let the engine decide, write the answer."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from sandbox import wire
from sandbox.access.authentication import BearerAuthentication
from sandbox.answers import engine as answers
from sandbox.answers.reply import respond
from sandbox.conditions import switches as conditions
from sandbox.issuance import engine, serializers
from sandbox.issuance.busy import Busy, floor
from sandbox.issuance.codes import EVENTS, NEVER_REMEMBERED, Call, Status
from sandbox.issuance.engine import Moment
from sandbox.issuance.models import Transaction
from sandbox.issuance.orders import Asked, Order, Refused

MAX_KEY_LENGTH = 255


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request under the conditions it met: what every step of its answer needs."""

    call: Call
    identity: answers.Request
    moment: Moment

    def refusal(self, refused: Refused) -> answers.Answer:
        """Return the answer to a request that is refused as a whole."""
        errors = [serializers.error(refused.code, reason) for reason in refused.reasons or ("",)]
        return answers.Answer(
            status=500 if refused.code == "InternalError" else 400,
            code=refused.code,
            body=wire.write({"errors": errors}),
            is_remembered=(
                self.moment.switches.remember_declines and refused.code not in NEVER_REMEMBERED
            ),
        )

    def plain(self, fields: dict[str, Any], transaction_id: str, code: str) -> answers.Answer:
        """Return the answer to a request that moves nothing."""
        body = wire.write(fields | {"transactionId": transaction_id})
        return answers.Answer(status=200, code=code, body=body, is_remembered=True)

    def looked(self) -> answers.Answer:
        """Return the answer to a request whose transaction had not come to its end."""
        transaction, has_ended = engine.look(self.identity, self.moment)
        answer = self.outcome(transaction, is_first=False)
        return replace(answer, has_effect=answer.has_effect and has_ended)

    def outcome(self, transaction: Transaction, *, is_first: bool) -> answers.Answer:
        """Return the answer that tells what became of a transaction so far."""
        switches = self.moment.switches
        items = list(transaction.items.all())
        is_event = is_first and self.call in EVENTS and switches.event_answers == "pending"
        fields = wire.read_back(bytes(transaction.mirror))
        issuances = [
            named | serializers.item_fields(item, is_shown_pending=is_event)
            for named, item in zip(fields.pop("issuances", []), items, strict=True)
        ]
        statuses = [issuance["status"] for issuance in issuances]
        if issuances or switches.empty_issuances == "sent":
            fields["issuances"] = issuances
        is_refused = bool(items) and set(statuses) == {Status.REJECTED}
        status = 200
        if transaction.is_pending:
            status = 202
        elif is_refused:
            status = switches.all_rejected_status
        return answers.Answer(
            status=status,
            code=_summary(statuses),
            body=wire.write(fields | {"transactionId": transaction.transaction_id}),
            has_effect=Status.CONFIRMED in {item.status for item in items},
            is_remembered=switches.remember_declines or not is_refused,
            is_final=Status.PENDING not in statuses,
        )


class IssuanceView(APIView):
    """A door of issuance. A subclass says which call it serves and how it is decided."""

    authentication_classes = (BearerAuthentication,)
    call: ClassVar[Call]

    def post(self, request: Request) -> HttpResponse:
        visit = _visit(self.call, request)
        try:
            answer = self.answer(visit, _order(visit, request._request.body))
        except Refused as refused:
            answer = visit.refusal(refused)
        return respond(request, answer)

    def answer(self, visit: Visit, order: Order) -> answers.Answer:
        """Return the answer to a request that reads well."""
        return self.once(visit, order, by_content=False)

    def once(self, visit: Visit, order: Order, *, by_content: bool) -> answers.Answer:
        """Return the remembered answer of a request, or decide and remember."""
        if len(visit.identity.key) > MAX_KEY_LENGTH:
            raise Refused("InvalidField", ("Idempotency-Key: longer than 255 characters",))
        try:
            return answers.once(
                visit.identity,
                lambda: self.decided(visit, order),
                now=visit.moment.now,
                memory=timedelta(seconds=visit.moment.switches.key_memory_s),
                by_content=by_content,
                look=lambda _: visit.looked(),
            )
        except answers.KeyReused:
            raise Refused("IdempotencyKeyReused") from None

    def decided(self, visit: Visit, order: Order) -> answers.Answer:
        # A refusal is an answer here, so that what was counted on the way is kept.
        try:
            engine.check_stumble(order, visit.identity)
            return self.decide(visit, order)
        except Refused as refused:
            return visit.refusal(refused)

    def decide(self, visit: Visit, order: Order) -> answers.Answer:
        """Do what is asked and return the answer."""
        raise AssertionError("every door decides for itself")


class MovingView(IssuanceView):
    """A door that moves miles: one transaction of a collector at a time, each once only."""

    def answer(self, visit: Visit, order: Order) -> answers.Answer:
        try:
            with floor.turn(order.collector, visit.identity):
                if visit.moment.switches.issuance_takes_s:
                    time.sleep(visit.moment.switches.issuance_takes_s)
                return self.once(visit, order, by_content=visit.moment.switches.content_duplicates)
        except Busy:
            raise Refused("TransactionInProgress") from None

    def decide(self, visit: Visit, order: Order) -> answers.Answer:
        transaction = engine.carry_out(
            order, visit.identity, visit.moment, lambda asked: _mirror(order, asked)
        )
        return visit.outcome(transaction, is_first=True)


class PostView(MovingView):
    """PLATFORM 2.9: give the miles that the partner worked out for a basket."""

    call = Call.POST


class PostEventView(MovingView):
    """PLATFORM 2.9: give miles without a basket."""

    call = Call.POST_EVENT


class ReverseView(MovingView):
    """PLATFORM 2.9: take back the miles that the partner states."""

    call = Call.REVERSE


class ReverseEventView(MovingView):
    """PLATFORM 2.9: take back miles without a basket."""

    call = Call.REVERSE_EVENT


class IssueView(MovingView):
    """PLATFORM 2.9: work out what a basket earns, and give it."""

    call = Call.ISSUE


class ReturnView(MovingView):
    """PLATFORM 2.9: work out what returned goods had earned, and take it back."""

    call = Call.RETURN


class CalculateView(IssuanceView):
    """PLATFORM 2.9: work out what a basket earns, and give nothing."""

    call = Call.CALCULATE

    def decide(self, visit: Visit, order: Order) -> answers.Answer:
        asked = engine.calculate(order, visit.moment)
        fields = wire.read_back(_mirror(order, asked))
        if not asked and visit.moment.switches.empty_issuances == "sent":
            fields["issuances"] = []
        return visit.plain(fields, engine.new_id(), "CALCULATED")


class RecordView(IssuanceView):
    """PLATFORM 2.9: keep a log of a sale. It takes no key: each is a record of its own."""

    call = Call.RECORD

    def decide(self, visit: Visit, order: Order) -> answers.Answer:
        mirror = dict(order.mirror)
        transaction = engine.log_only(order, visit.identity, visit.moment.now, wire.write(mirror))
        return visit.plain(mirror, transaction.transaction_id, "RECORDED")


def _visit(call: Call, request: Request) -> Visit:
    switches = conditions.load()
    real_now = conditions.real_now()
    key = request.headers.get("Idempotency-Key", "").strip()
    return Visit(
        call=call,
        identity=answers.Request(
            path=request.path,
            key="" if call is Call.RECORD else key,
            body_sha256=hashlib.sha256(request._request.body).hexdigest(),
        ),
        moment=Moment(now=switches.now(real_now), real_now=real_now, switches=switches),
    )


def _order(visit: Visit, raw: bytes) -> Order:
    try:
        body = wire.read_object(raw, is_exact=True)
    except wire.Unreadable as unreadable:
        raise Refused("InvalidRequest", (f"{unreadable}",)) from None
    try:
        return serializers.read_order(visit.call, body, visit.moment.switches)
    except serializers.Invalid as invalid:
        raise Refused("InvalidField", invalid.problems) from None


def _mirror(order: Order, asked: Sequence[Asked]) -> bytes:
    """Return the answer's fields as the request had them, with the items that were worked out."""
    fields = dict(order.mirror)
    if "issuances" not in fields and asked:
        fields["issuances"] = [serializers.issuance_fields(one) for one in asked]
    return wire.write(fields)


def _summary(statuses: Sequence[str]) -> str:
    """Return one word for the log of exchanges."""
    found = set(statuses)
    if Status.PENDING in found:
        return "PENDING"
    if found == {Status.CONFIRMED, Status.REJECTED}:
        return "PARTIAL"
    return next(iter(found), "CONFIRMED")
