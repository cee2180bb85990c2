"""Test partners for the programme's own samples: each sample's sponsor, with a till that may send
it. For a desk and the tests, never for production.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backoffice.devices import tokens
from backoffice.devices.models import Device, DeviceProfile
from backoffice.stores.models import Calculation, Sponsor, Store


@dataclass(frozen=True, kw_only=True)
class SamplePartner:
    """A sponsor of the programme's pages, and the store from which its samples come."""

    code: str
    store_number: str
    calculation: Calculation = Calculation.AMRP


@dataclass(frozen=True, kw_only=True)
class SampleTill:
    """A till that may send samples, and its token, seen this once."""

    device: Device
    token: str


# The numbers of the sponsor are the AM Cash samples'; the issuance samples have none.
NUMBERS: Final = {"vendor_id": "100087", "acquirer_id": "100000"}
PARTNERS: Final = (
    SamplePartner(code="LOY1", store_number="0001"),
    SamplePartner(code="KELL", store_number="1137", calculation=Calculation.PARTNER),
    SamplePartner(code="KENY", store_number="0037", calculation=Calculation.PARTNER),
    SamplePartner(code="TEST", store_number="1137"),
)
_TILL: Final = "001"


def seed_samples(*, now: datetime) -> tuple[SampleTill, ...]:
    """Create what is missing of the test partners, and give each of their tills a new token."""
    return tuple(_till(partner, now) for partner in PARTNERS)


def _till(partner: SamplePartner, now: datetime) -> SampleTill:
    named = {"name": f"Samples of {partner.code}", "calculation": partner.calculation}
    sponsor, _made = Sponsor.objects.get_or_create(code=partner.code, defaults={**NUMBERS, **named})
    place = {"name": "Samples", "city": "Toronto", "zone": "America/Toronto"}
    store, _made = Store.objects.get_or_create(
        sponsor=sponsor, number=partner.store_number, defaults=place
    )
    device, _made = Device.objects.get_or_create(
        store=store, number=_TILL, defaults={"profile": DeviceProfile.TILL}
    )
    token = tokens.renew(device, now=now, profile=DeviceProfile.TILL)
    return SampleTill(device=device, token=token)
