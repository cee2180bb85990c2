"""Stores, devices and offers over the API."""

import pytest
from django.utils import timezone

from backoffice.devices import tokens
from backoffice.stores.models import Sponsor, Store
from issuance.models import Offer
from tests.api.program import Program
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def offers(cast: Cast) -> dict[str, Offer]:
    """One offer of every store, one of North's, one of both, and another sponsor's."""
    other = Sponsor.objects.create(code="OTHR", name="Other", vendor_id="1", acquirer_id="1")
    Store.objects.create(sponsor=other, number="0001", name="X", city="Y", zone="America/Regina")

    def offer(number: str, *stores: Store, sponsor: Sponsor = cast.sponsor) -> Offer:
        made = Offer.objects.create(
            sponsor=sponsor,
            offer_id=number,
            code="STANDARD",
            kind="base",
            description_en="A mile",
            miles=1,
            per_cents=2000,
            items="B, A",
            left_out_departments="9",
        )
        made.stores.set(stores)
        return made

    return {
        "every": offer("100"),
        "north": offer("101", cast.north),
        "both": offer("102", cast.north, cast.south),
        "other": offer("103", sponsor=other),
    }


def test_a_store(cast: Cast, program: Program) -> None:
    assert program.read(f"stores/{cast.south.pk}") == {
        "id": cast.south.pk,
        "sponsor_code": "LOY1",
        "number": "0002",
        "name": "South",
        "name_fr": None,
        "city": "St. John's",
        "zone": "America/St_Johns",
        "language": "en",
        "is_active": True,
    }


def test_a_device_says_when_it_was_seen_and_how_it_stands(cast: Cast, program: Program) -> None:
    now = timezone.now()
    token = tokens.issue(cast.till, now=now, profile="till")
    assert tokens.device_of(token, now=now, version="Lane 4.2")
    told = program.read(f"devices/{cast.till.pk}")
    seen_at = now.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert told == {
        "id": cast.till.pk,
        "store": {"id": cast.north.pk, "sponsor_code": "LOY1", "number": "0001"},
        "number": "001",
        "name": None,
        "profile": "tablet",
        "standing": "in_use",
        "is_active": True,
        "last_seen_at": seen_at,
        "version": "Lane 4.2",
        "revoked_at": None,
    }
    tokens.revoke(cast.till, by="manager", now=now)
    told = program.read(f"devices/{cast.till.pk}")
    assert (told["standing"], told["revoked_at"]) == ("revoked", seen_at)


def test_an_offer(cast: Cast, program: Program, offers: dict[str, Offer]) -> None:
    told = program.read(f"offers/{offers['both'].pk}")
    assert told["offer_id"] == "102" and told["offer_code"] == "STANDARD"
    assert (told["miles"], told["per_cents"], told["per_quantity"]) == (1, 2000, None)
    assert told["items"] == ["A", "B"] and told["left_out_departments"] == ["9"]
    assert told["is_of_every_store"] is False
    assert told["store_ids"] == [cast.north.pk, cast.south.pk]
    every = program.read(f"offers/{offers['every'].pk}")
    assert every["is_of_every_store"] is True and every["store_ids"] == []


def test_each_token_sees_its_own(
    cast: Cast, program: Program, of_south: Program, offers: dict[str, Offer]
) -> None:
    def ids(who: Program, name: str, query: str = "") -> list[int]:
        return [one["id"] for one in who.read(f"{name}{query}")[name]]

    assert ids(of_south, "stores") == [cast.south.pk]
    assert ids(of_south, "devices") == [cast.south_till.pk]
    assert ids(of_south, "offers") == [offers["every"].pk, offers["both"].pk]
    both = of_south.read(f"offers/{offers['both'].pk}")
    assert both["store_ids"] == [cast.south.pk] and not both["is_of_every_store"]
    for name, not_theirs in (
        ("stores", cast.north),
        ("devices", cast.till),
        ("offers", offers["north"]),
        ("offers", offers["other"]),
    ):
        assert program.get(f"{name}/{not_theirs.pk}").status == 200
        others, nobodys = of_south.get(f"{name}/{not_theirs.pk}"), of_south.get(f"{name}/99999")
        assert others.status == nobodys.status == 404 and others.body == nobodys.body
    assert ids(program, "devices", f"?store={cast.south.pk}") == [cast.south_till.pk]
    heard = of_south.get(f"devices?store={cast.north.pk}")
    assert heard.status == 400 and heard.problem["parameter"] == "store"


@pytest.mark.parametrize("name", ["stores", "devices", "offers"])
def test_a_list_is_read_to_its_end_page_by_page(
    cast: Cast, program: Program, offers: dict[str, Offer], name: str
) -> None:
    whole = program.read(name)
    assert whole["next"] is None and len(whole[name]) > 2
    seen, path = [], f"/api/v1/{name}?limit=1"
    while path:
        page = program.read(path)
        assert len(page[name]) == 1
        seen += page[name]
        path = page["next"]
    assert seen == whole[name]


@pytest.mark.parametrize("name", ["stores", "devices", "offers"])
@pytest.mark.parametrize(
    ("query", "parameter"),
    [("city=x", "city"), ("limit=0", "limit"), ("after=1", "after"), ("after=bG9nOjE", "after")],
)
def test_what_is_wrong_is_named(program: Program, name: str, query: str, parameter: str) -> None:
    heard = program.get(f"{name}?{query}")
    assert heard.status == 400 and heard.problem["parameter"] == parameter


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30])
def test_a_number_of_nothing_is_not_found(program: Program, number: str) -> None:
    for name in ("stores", "devices", "offers"):
        heard = program.get(f"{name}/{number}")
        assert heard.status == 404 and heard.problem["kind"] == "not-found"


@pytest.mark.parametrize("address", ["nowhere", "stores/", "transactions/x/y", "stores/1/2"])
def test_an_address_that_there_is_not_is_a_problem_and_no_page(
    program: Program, address: str
) -> None:
    heard = program.get(address)
    assert heard.status == 404 and heard.problem["kind"] == "not-found"
