"""The control plane's doors. No token; loopback only. No imitated call is served here."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from sandbox import wire
from sandbox.conditions import switches as conditions
from sandbox.control import engine, serializers
from sandbox.control.exchanges import log
from sandbox.control.faults import book
from sandbox.control.serializers import Wrong, checked
from sandbox.issuance.busy import floor

MAX_LISTED = 100_000


class ControlView(APIView):
    """A door of the control plane: JSON in, JSON out, a sentence where the input is wrong."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if not ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback:
            return JsonResponse(
                {"error": "The control plane answers to loopback only."}, status=403
            )
        try:
            return super().dispatch(request, *args, **kwargs)
        except Wrong as wrong:
            return JsonResponse({"error": str(wrong)}, status=400)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, Wrong):
            raise exc
        return super().handle_exception(exc)


class IndexView(ControlView):
    """What can be done here."""

    def get(self, request: Request) -> HttpResponse:
        return JsonResponse(
            {
                "service": "AIR MILES Real-Time Checkout sandbox",
                "imitates": [
                    "/oauth/token",
                    "/checkout/amcash/{echo,inquire,redeem,reverse}",
                    "/checkout/issuance/{post,post/event,reverse,reverse/event,record}",
                    "/checkout/issuance/{calculate,issue,return}",
                    "/transaction-history/sponsors",
                ],
                "control": {
                    "POST reset": "cards, switches, clock, faults and logs as on the first morning",
                    "POST seed": "{members: [{collector, ...}], offers: [{sponsor, code, ...}]}",
                    "POST pending": "{mode, looks, seconds, ends, collector, settle}",
                    "POST clock": "{now, stopped} or {offset_s} or {} for real time",
                    "POST settings": "any of what GET settings shows",
                    "POST tokens/expire": "every token so far becomes invalid",
                    "POST faults": "{kind, match: {path, collector, key}, times, skip, when, ...}",
                    "DELETE faults": "all of them, or ?id= one",
                    "GET exchanges": "?path= &key= &after= &limit=",
                    "GET ledger": "?collector=",
                    "GET transactions": "?collector= : what issuance was asked, with its items",
                    "GET codes": "the response codes of AM Cash and the errors of issuance",
                },
            }
        )


class ResetView(ControlView):
    def post(self, request: Request) -> HttpResponse:
        _body(request)
        engine.reset()
        return JsonResponse({"reset": True})


class SeedView(ControlView):
    def post(self, request: Request) -> HttpResponse:
        fields = checked(serializers.SeedInput, _body(request))
        today = engine.today()
        accounts = [serializers.member_of(member, today) for member in fields.get("members", ())]
        offers = [serializers.offer_of(offer) for offer in fields.get("offers", ())]
        numbers = [account.collector for account in accounts]
        if len(set(numbers)) != len(numbers):
            raise Wrong("members: a collector occurs twice.")
        if len({(offer.sponsor, offer.offer_id) for offer in offers}) != len(offers):
            raise Wrong("offers: an offer_id of a sponsor occurs twice.")
        engine.seed(accounts, offers)
        return JsonResponse({"seeded": [*numbers, *(offer.offer_id for offer in offers)]})


class PendingView(ControlView):
    def post(self, request: Request) -> HttpResponse:
        fields = checked(serializers.PendingInput, _body(request))
        rule = serializers.pending_rule(fields)
        ended = engine.set_pending(rule, is_settling=fields.get("settle", False))
        return JsonResponse({**rule, "settled": ended})


class ClockView(ControlView):
    def get(self, request: Request) -> HttpResponse:
        return _clock()

    def post(self, request: Request) -> HttpResponse:
        fields = checked(serializers.ClockInput, _body(request))
        moment, is_stopped, offset_s = serializers.clock_changes(fields)
        engine.set_clock(moment, is_stopped=is_stopped, offset_s=offset_s)
        return _clock()


class SettingsView(ControlView):
    def get(self, request: Request) -> HttpResponse:
        return JsonResponse(conditions.shown(conditions.load()))

    def post(self, request: Request) -> HttpResponse:
        changes = checked(serializers.SwitchInput, _body(request))
        return JsonResponse(conditions.shown(conditions.store(changes)))


class ExpireTokensView(ControlView):
    def post(self, request: Request) -> HttpResponse:
        engine.expire_tokens()
        return JsonResponse({"expired": True})


class FaultsView(ControlView):
    def get(self, request: Request) -> HttpResponse:
        return JsonResponse({"faults": book.listed()})

    def post(self, request: Request) -> HttpResponse:
        fault = serializers.fault_of(checked(serializers.FaultInput, _body(request)))
        return JsonResponse(book.add(fault).shown(), status=201)

    def delete(self, request: Request) -> HttpResponse:
        number = _number(request, "id", None)
        return JsonResponse({"cleared": book.clear(number)})


class ExchangesView(ControlView):
    def get(self, request: Request) -> HttpResponse:
        filters = {name: request.query_params.get(name, "") for name in ("path", "key")}
        after = _number(request, "after", 0) or 0
        limit = min(_number(request, "limit", MAX_LISTED) or 0, MAX_LISTED)
        listed = log().listed(filters, after=after, limit=limit)
        return JsonResponse({"exchanges": listed})


class LedgerView(ControlView):
    def get(self, request: Request) -> HttpResponse:
        return JsonResponse(engine.ledger(request.query_params.get("collector", "")))


class TransactionsView(ControlView):
    def get(self, request: Request) -> HttpResponse:
        listed = engine.transactions(request.query_params.get("collector", ""))
        return JsonResponse({"transactions": listed, "under_way": floor.served()})


class CodesView(ControlView):
    def get(self, request: Request) -> HttpResponse:
        return JsonResponse({"codes": engine.codes(), "issuance_errors": engine.issuance_errors()})


def _clock() -> HttpResponse:
    switches = conditions.load()
    now = switches.now(conditions.real_now())
    return JsonResponse(
        {
            "now": now.isoformat(),
            "local": now.astimezone(switches.tz).isoformat(),
            "zone": switches.zone,
            "offset_s": switches.clock_offset_s,
            "stopped": bool(switches.clock_stopped_at),
        }
    )


def _body(request: Request) -> Mapping[str, Any]:
    raw = request._request.body
    if not raw.strip():
        return {}
    try:
        return wire.read_object(raw)
    except wire.Unreadable as unreadable:
        raise Wrong(f"{unreadable}.") from None


def _number(request: Request, name: str, default: int | None) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise Wrong(f"{name}: {text!r} is not a number.")
    return int(text)
