"""What the control plane accepts. Every mistake is answered with a sentence that names it."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rest_framework import serializers

from sandbox.control.faults import DEFAULT_SECONDS, DEFAULT_WHEN, Fault, Kind, Match, When
from sandbox.issuance import offers
from sandbox.issuance.models import CatalogueOffer
from sandbox.members.models import Member
from sandbox.redemption.codes import CODES

MALFORMED_BODY = '{"responseCode": "0000", "message": "Appro'
PROXY_PAGE = "<html><head><title>Bad gateway</title></head><body>Bad gateway</body></html>"


class Wrong(ValueError):
    """The input cannot be used; the message is a sentence for the person who sent it."""


class Strict(serializers.Serializer[Any]):
    """Refuses names it does not know, so that a typing mistake is not a silent nothing."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError({unknown[0]: ["This name is not known."]})
        return super().to_internal_value(data)


class OfferInput(Strict):
    type = serializers.ChoiceField(["RGL", "SPL"], required=False)
    id = serializers.RegexField(r"^[0-9]{1,10}$", required=False)
    desc_en = serializers.CharField(max_length=50, required=False)
    desc_fr = serializers.CharField(max_length=50, required=False)
    unit_miles = serializers.IntegerField(min_value=1, max_value=999_999, required=False)
    unit_cents = serializers.IntegerField(min_value=1, max_value=99_999_999, required=False)
    available = serializers.BooleanField(required=False)


class MemberInput(Strict):
    collector = serializers.RegexField(r"^[0-9]{1,19}$")
    cash_miles = serializers.IntegerField(min_value=0, max_value=10**15, required=False)
    dream_miles = serializers.IntegerField(min_value=0, max_value=10**15, required=False)
    active = serializers.BooleanField(required=False)
    suppressed = serializers.BooleanField(required=False)
    locked = serializers.BooleanField(required=False)
    daily_cap_cents = serializers.IntegerField(
        min_value=0, max_value=10**9, required=False, allow_null=True
    )
    used_today_cents = serializers.IntegerField(min_value=0, max_value=10**9, required=False)
    answers_code = serializers.ChoiceField(["", *CODES], required=False)
    offer = OfferInput(required=False)


class RuleInput(Strict):
    sponsor = serializers.RegexField(r"^[A-Za-z0-9]{0,10}$", allow_blank=True)
    code = serializers.RegexField(r"^[A-Za-z0-9_.-]{1,32}$")
    offer_id = serializers.CharField(max_length=64)
    kind = serializers.ChoiceField([kind.value for kind in offers.Kind])
    miles = serializers.IntegerField(min_value=1, max_value=10_000)
    per_cents = serializers.IntegerField(min_value=0, max_value=10**9, required=False)
    match = serializers.CharField(max_length=64, required=False)
    rounding = serializers.ChoiceField(list(offers.ROUNDINGS), required=False)
    location = serializers.RegexField(r"^[A-Za-z0-9]{1,4}$", required=False)
    description = serializers.CharField(max_length=255, required=False)
    starts_on = serializers.DateField(required=False, allow_null=True)
    ends_on = serializers.DateField(required=False, allow_null=True)

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        if (fields["kind"] == offers.Kind.BASE) == ("match" in fields):
            raise serializers.ValidationError({"match": ["goes with every kind but base."]})
        return fields


class SeedInput(Strict):
    members = MemberInput(many=True, allow_empty=False, required=False)
    offers = RuleInput(many=True, allow_empty=False, required=False)

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        if not fields:
            raise serializers.ValidationError("Give members, offers or both.")
        return fields


class ClockInput(Strict):
    now = serializers.CharField(required=False)
    stopped = serializers.BooleanField(required=False)
    offset_s = serializers.FloatField(required=False, min_value=-(10**10), max_value=10**10)


class PendingInput(Strict):
    mode = serializers.ChoiceField(["at_once", "looks", "seconds", "never"])
    looks = serializers.IntegerField(min_value=1, max_value=10**6, required=False)
    seconds = serializers.FloatField(min_value=0, max_value=10**9, required=False)
    ends = serializers.ChoiceField(["confirmed", "rejected"], required=False)
    collector = serializers.RegexField(r"^[0-9]{1,19}$", required=False)
    settle = serializers.BooleanField(required=False)

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        for name in ("looks", "seconds"):
            if (fields["mode"] == name) != (name in fields):
                raise serializers.ValidationError({name: [f"goes with the mode {name}."]})
        return fields


class MatchInput(Strict):
    path = serializers.CharField(required=False)
    collector = serializers.CharField(required=False)
    key = serializers.CharField(required=False)


class FaultInput(Strict):
    kind = serializers.ChoiceField([kind.value for kind in Kind])
    match = MatchInput(required=False)
    times = serializers.IntegerField(min_value=1, max_value=10**9, required=False, allow_null=True)
    skip = serializers.IntegerField(min_value=0, max_value=10**9, required=False)
    when = serializers.ChoiceField([when.value for when in When], required=False)
    seconds = serializers.FloatField(min_value=0, max_value=86_400, required=False)
    status = serializers.IntegerField(min_value=200, max_value=599, required=False)
    body = serializers.JSONField(required=False)
    content_type = serializers.RegexField(r"^[ -~]+$", required=False)
    location = serializers.RegexField(r"^[!-~]+$", required=False)
    reset = serializers.BooleanField(required=False)


class SwitchInput(Strict):
    token_lifetime_s = serializers.FloatField(min_value=0, max_value=10**9, required=False)
    zone = serializers.CharField(required=False)
    daily_cap_cents = serializers.IntegerField(min_value=0, max_value=10**9, required=False)
    outage = serializers.ChoiceField(["", "0008", "0092", "0096"], required=False)
    manual_inquire = serializers.ChoiceField(["no_offer", "0009"], required=False)
    inquire_without_miles = serializers.ChoiceField(["no_offer", "0051"], required=False)
    send_suppressed_balances = serializers.BooleanField(required=False)
    redeem_beyond = serializers.ChoiceField(["adjust", "decline"], required=False)
    key_memory_s = serializers.FloatField(min_value=0, max_value=10**9, required=False)
    content_duplicates = serializers.BooleanField(required=False)
    remember_declines = serializers.BooleanField(required=False)
    window_before_key = serializers.BooleanField(required=False)
    confirmation_field = serializers.ChoiceField(
        ["txnConfirmationNumber", "txtConfirmationNumber"], required=False
    )
    echo_datetime = serializers.ChoiceField(["verbatim", "rerendered"], required=False)
    all_rejected_status = serializers.ChoiceField([200, 400], required=False)
    event_answers = serializers.ChoiceField(["pending", "confirmed"], required=False)
    empty_issuances = serializers.ChoiceField(["sent", "omitted"], required=False)
    pending_blocks = serializers.BooleanField(required=False)
    earned_into = serializers.ChoiceField(["cash", "dream"], required=False)
    unknown_offers = serializers.ChoiceField(["accept", "reject"], required=False)
    issuance_takes_s = serializers.FloatField(min_value=0, max_value=600, required=False)

    def validate_zone(self, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise serializers.ValidationError("This is not a time zone.") from None
        return zone


def checked(kind: type[Strict], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an input says, or raise `Wrong` with a sentence."""
    serializer = kind(data=dict(data))
    if not serializer.is_valid():
        raise Wrong(_sentence(serializer.errors))
    return dict(serializer.validated_data)


def clock_changes(fields: Mapping[str, Any]) -> tuple[datetime | None, bool, float]:
    """Return the moment wanted (if one is), whether it stands still, and the offset otherwise."""
    if "now" in fields and "offset_s" in fields:
        raise Wrong("Give now or offset_s, not both.")
    if "now" not in fields:
        if "stopped" in fields:
            raise Wrong("stopped goes with now.")
        return None, False, fields.get("offset_s", 0.0)
    try:
        moment = datetime.fromisoformat(fields["now"])
    except ValueError:
        raise Wrong(f"now: {fields['now']!r} is not an ISO 8601 moment.") from None
    if moment.tzinfo is None:
        raise Wrong("now: the moment needs an offset, such as Z or -05:00.")
    return moment, fields.get("stopped", False), 0.0


def member_of(fields: Mapping[str, Any], today: date) -> Member:
    """Return the account an input describes, unsaved."""
    member = Member(
        collector=fields["collector"],
        cash_miles=fields.get("cash_miles", 0),
        dream_miles=fields.get("dream_miles", 0),
        is_active=fields.get("active", True),
        is_suppressed=fields.get("suppressed", False),
        may_redeem=not fields.get("locked", False),
        daily_cap_cents=fields.get("daily_cap_cents"),
        used_cents=fields.get("used_today_cents", 0),
        used_on=today,
        answers_code=fields.get("answers_code", ""),
    )
    for name, value in fields.get("offer", {}).items():
        if name == "available":
            member.offer_is_available = value
        else:
            setattr(member, name if name.startswith("unit_") else f"offer_{name}", value)
    return member


def offer_of(fields: Mapping[str, Any]) -> CatalogueOffer:
    """Return the offer an input describes, unsaved."""
    return CatalogueOffer(**fields)


def pending_rule(fields: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Return the switches that an input sets; what it leaves out has its default."""
    return {
        "pending_mode": fields["mode"],
        "pending_looks": fields.get("looks", 0),
        "pending_seconds": fields.get("seconds", 0.0),
        "pending_ends": fields.get("ends", "confirmed"),
        "pending_collector": fields.get("collector", ""),
    }


def fault_of(fields: Mapping[str, Any]) -> Fault:
    """Return the fault an input asks for, with what it leaves out filled in."""
    kind = Kind(fields["kind"])
    when = When(fields.get("when", DEFAULT_WHEN[kind]))
    if when is not DEFAULT_WHEN[kind] and kind in {
        Kind.DROP_BEFORE,
        Kind.DROP_AFTER,
        Kind.CUT,
        Kind.DRIP,
    }:
        raise Wrong(f"when: {kind} always comes {DEFAULT_WHEN[kind]}.")
    if kind is Kind.REDIRECT and "location" not in fields:
        raise Wrong("location: a redirect needs one.")
    status, body, content_type = _replacement(kind, fields)
    return Fault(
        kind=kind,
        when=when,
        match=Match(**fields.get("match", {})),
        left=fields.get("times", 1),
        skip=fields.get("skip", 0),
        seconds=fields.get("seconds", DEFAULT_SECONDS.get(kind, 0.0)),
        status=status,
        body=body,
        content_type=content_type,
        location=fields.get("location", ""),
        is_reset=fields.get("reset", False),
    )


def _replacement(kind: Kind, fields: Mapping[str, Any]) -> tuple[int, str, str]:
    """Return status, body and content type of an answer that takes the true one's place."""
    statuses = {Kind.STATUS: 502, Kind.MALFORMED: 200, Kind.REDIRECT: 302}
    bodies = {Kind.STATUS: PROXY_PAGE, Kind.MALFORMED: MALFORMED_BODY}
    body = fields.get("body", bodies.get(kind, ""))
    is_page = isinstance(body, str) and kind is not Kind.MALFORMED
    content_type = "text/html; charset=utf-8" if is_page else "application/json;charset=UTF-8"
    return (
        fields.get("status", statuses.get(kind, 0)),
        body if isinstance(body, str) else json.dumps(body, ensure_ascii=False),
        fields.get("content_type", content_type),
    )


def _sentence(errors: Any, name: str = "") -> str:
    """Return the first of a serializer's errors as `where: what`."""
    if isinstance(errors, Mapping):
        first = next(iter(errors))
        if isinstance(first, int):
            return _sentence(errors[first], f"{name}[{first}]")
        inner = "" if first == "non_field_errors" else str(first)
        return _sentence(errors[first], ".".join(part for part in (name, inner) if part))
    words = " ".join(str(error) for error in errors)
    return f"{name}: {words}" if name else words
