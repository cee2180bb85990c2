"""The door of Transaction History: read the query, look, write the page."""

from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from sandbox import wire
from sandbox.access.authentication import BearerAuthentication
from sandbox.answers import engine as answers
from sandbox.conditions import switches as conditions
from sandbox.history import engine, serializers
from sandbox.issuance.engine import Moment

LANGUAGES = {"", "EN", "FR"}


class SponsorsView(APIView):
    """PLATFORM 2.10: what a collector did at some sponsors, in at most two years."""

    authentication_classes = (BearerAuthentication,)

    def get(self, request: Request) -> HttpResponse:
        if not request.headers.get("Channel-Code"):
            return _refused(400, "Channel-Code: this header is required")
        if request.headers.get("Accept-Language", "").upper() not in LANGUAGES:
            return _refused(400, "Accept-Language: EN or FR")
        query = request.query_params
        try:
            search = serializers.read_search(query.dict(), query.getlist("sort"))
            # What is due is ended before anybody looks, so this may write.
            with answers.write_lock, transaction.atomic(durable=True):
                found = engine.find(search, _moment())
        except serializers.Invalid as invalid:
            return _refused(400, str(invalid))
        except engine.UnknownCollector:
            return _refused(401, "The Collector number is invalid.")
        except engine.InactiveCollector:
            return _refused(401, "The Collector account is not active.")
        address = request.build_absolute_uri()
        body = wire.write(serializers.page_fields(search, found, address))
        return HttpResponse(body, content_type=wire.JSON_TYPE)


def _moment() -> Moment:
    switches, real_now = conditions.load(), conditions.real_now()
    return Moment(now=switches.now(real_now), real_now=real_now, switches=switches)


def _refused(status: int, message: str) -> HttpResponse:
    return HttpResponse(
        wire.write({"message": message}), status=status, content_type=wire.JSON_TYPE
    )
