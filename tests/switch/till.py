"""A till that speaks the programme's own API, as the tests of the switch use it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.utils import timezone

from backoffice.devices import tokens
from backoffice.devices.models import Device, DeviceProfile
from backoffice.journal.models import Transaction
from tests.cast import COLLECTOR

REDEEM = "/checkout/amcash/redeem"
REVERSE = "/checkout/amcash/reverse"
INQUIRE = "/checkout/amcash/inquire"
ECHO = "/checkout/amcash/echo"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a till heard."""

    status: int
    fields: dict[str, Any]
    body: bytes
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        """The response code, or nothing."""
        return str(self.fields.get("responseCode", ""))

    @property
    def row(self) -> Transaction:
        """The transaction that the answer is about."""
        return Transaction.objects.get(reference=self.headers["Milepost-Transaction"])


@dataclass(frozen=True, kw_only=True)
class Till:
    """Somebody with a device's token."""

    token: str

    @classmethod
    def of(cls, device: Device, profile: str = DeviceProfile.TILL) -> "Till":
        """Give a device a token of this profile."""
        device.profile = profile
        device.save(update_fields=["profile"])
        return cls(token=tokens.issue(device, now=timezone.now()))

    def post(self, path: str, fields: Any, *, key: str = "", **headers: str) -> Heard:
        """Post these fields, or these very bytes."""
        raw = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        named = {"Authorization": f"Bearer {self.token}", **headers}
        if key:
            named["Idempotency-Key"] = key
        answer = Client().post(path, raw, content_type="application/json", headers=named)
        return Heard(
            status=answer.status_code,
            fields=json.loads(answer.content),
            body=answer.content,
            headers=answer.headers,
        )


def inquiry(**changes: Any) -> dict[str, Any]:
    """An INQUIRE as the programme's page prints one, on a $43.35 basket."""
    fields = {
        "acquirerId": "100000",
        "cardEntryMode": "SWIPE",
        "collectorNumber": COLLECTOR,
        "dateTime": "2026-07-16T13:32:00-0400",
        "deviceId": "001",
        "instantMessage": "en-CA",
        "postTaxBasketAmount": "43.35",
        "sponsorCode": "LOY1",
        "storeId": "0001",
        "traceId": "000012345678",
        "vendorId": "100087",
    }
    return _changed(fields, changes)


def redemption(**changes: Any) -> dict[str, Any]:
    """A REDEEM of $40."""
    fields = inquiry() | {
        "dollarRedeemRequest": "40.00",
        "originalPostTaxBasketAmount": "43.35",
        "originalPreTaxAmount": "38.36",
    }
    return _changed(fields, changes)


def reversal(confirmation_number: str = "", **changes: Any) -> dict[str, Any]:
    """A REVERSE of this redemption; without a number, only what every reversal has."""
    fields = inquiry(traceId="000012345679")
    del fields["postTaxBasketAmount"]
    if confirmation_number:
        fields["redemptionConfirmationNumber"] = confirmation_number
    return _changed(fields, changes)


def _changed(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    changed = {**fields, **changes}
    return {name: value for name, value in changed.items() if value is not None}
