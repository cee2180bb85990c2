"""The doors of issuance for tills that speak the programme's own API (PRODUCT 2, the switch)."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from backoffice.devices.models import Device
from backoffice.switch.access import actor_of, device_of
from backoffice.switch.doors import Envelope, SwitchView, Told
from issuance import relay, schema, tills
from issuance.codes import Message
from issuance.tills import BadFields, Caller


class IssuanceView(SwitchView):
    """A door of issuance. A subclass says which message it serves."""

    message: ClassVar[Message]

    def tell(self, request: Request, envelope: Envelope) -> Told:
        """Read the till's message; every fault of it is named, and then nothing is sent."""
        try:
            read = tills.read(self.message, envelope.raw, _caller(device_of(request)))
        except BadFields as error:
            return relay.refusal(400, *(("InvalidField", problem) for problem in error.problems))
        return relay.answer(read, envelope, actor=actor_of(request), now=timezone.now())

    def unacceptable(self, request: Request, what: str) -> Told:
        """Name what cannot be read of a request."""
        return relay.refusal(400, ("InvalidField", f"{what}: cannot be read"))

    def in_training(self, request: Request) -> Told:
        """Say that nothing was kept; the till sends it again when training is over."""
        return relay.refusal(500, ("InTraining", "This till is in training: nothing was sent."))

    def out_of_order(self) -> Told:
        """Say that it went wrong; the same request sent again is told how it stands."""
        return relay.refusal(500, ("OutOfOrder", "Send the same request again."))

    broken = out_of_order


@extend_schema_view(post=extend_schema(**schema.of(Message.POST)))
class PostView(IssuanceView):
    """PLATFORM 2.9: give the miles that the retailer worked out for a basket."""

    call = "issuance.post"
    message = Message.POST


@extend_schema_view(post=extend_schema(**schema.of(Message.POST_EVENT)))
class PostEventView(IssuanceView):
    """PLATFORM 2.9: give miles without a basket."""

    call = "issuance.post_event"
    message = Message.POST_EVENT


@extend_schema_view(post=extend_schema(**schema.of(Message.REVERSE)))
class ReverseView(IssuanceView):
    """PLATFORM 2.9: take back the miles that the retailer states."""

    call = "issuance.reverse"
    message = Message.REVERSE


@extend_schema_view(post=extend_schema(**schema.of(Message.REVERSE_EVENT)))
class ReverseEventView(IssuanceView):
    """PLATFORM 2.9: take back miles without a basket."""

    call = "issuance.reverse_event"
    message = Message.REVERSE_EVENT


@extend_schema_view(post=extend_schema(**schema.of(Message.RECORD)))
class RecordView(IssuanceView):
    """PLATFORM 2.9: log a sale that earned nothing."""

    call = "issuance.record"
    message = Message.RECORD


@extend_schema_view(post=extend_schema(**schema.of(Message.CALCULATE)))
class CalculateView(IssuanceView):
    """PLATFORM 2.9: what would a basket earn?"""

    call = "issuance.calculate"
    message = Message.CALCULATE


@extend_schema_view(post=extend_schema(**schema.of(Message.ISSUE)))
class IssueView(IssuanceView):
    """PLATFORM 2.9: have the programme work out what a basket earns, and give it."""

    call = "issuance.issue"
    message = Message.ISSUE


@extend_schema_view(post=extend_schema(**schema.of(Message.RETURN)))
class ReturnView(IssuanceView):
    """PLATFORM 2.9: have the programme work out what returned goods had earned, and take it."""

    call = "issuance.return"
    message = Message.RETURN


def _caller(device: Device) -> Caller:
    return Caller(
        sponsor_code=device.store.sponsor.code,
        store_number=device.store.number,
        device_number=device.number,
    )
