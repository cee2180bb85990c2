"""Things of store North for the table's addresses to lead to: one of each kind."""

import json
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils import timezone

from backoffice.journal import entries
from backoffice.journal.decisions import Verdict
from backoffice.journal.models import Transaction
from backoffice.people import api_tokens
from backoffice.people.models import ApiScope, ApiToken, StorePolicy, User
from issuance.models import Exclusion, Offer
from issuance.proposals import EventProposal, EventReason
from tests.cast import COLLECTOR, Cast
from tests.issuance.stories import confirmed, event, give
from tests.journal.rows import finding, intent, reversal_of
from tests.permissions.routes import Route
from tests.scripted import ScriptedPlatform

_OF_A_PERSON = ("", "-pin", "-no-pin", "-badge", "-no-badge", "-no-codes")


@dataclass(frozen=True, kw_only=True)
class World:
    """What fills the blanks of addresses, and forms that say which thing."""

    blanks: dict[str, object]
    data: dict[str, dict[str, str]]

    def address(self, route: Route) -> str:
        """Return a route's address as it leads to something of store North."""
        return route.filled(
            {
                name: self.blanks.get(f"{route.name} {name}", self.blanks[name])
                for name in route.blanks
            }
        )


def make_world(cast: Cast, scripted: ScriptedPlatform) -> World:
    """Create one thing of each kind."""
    offer, exclusion = _offer(cast), _exclusion(cast)
    reason = EventReason.objects.create(
        sponsor=cast.sponsor,
        code="GOODWILL",
        name_en="Goodwill",
        name_fr="Geste",
        may_take_back=True,
        offer_id="100",
        offer_code="STANDARD",
    )
    scripted.will(confirmed())
    of_models = {
        "people_user": cast.cashier,
        "people_storepolicy": StorePolicy.objects.create(store=cast.north),
        "devices_device": cast.till,
        "stores_sponsor": cast.sponsor,
        "stores_store": cast.north,
        "issuance_offer": offer,
        "issuance_exclusion": exclusion,
        "issuance_eventreason": reason,
    }
    return World(
        blanks={
            "reference": _redeemed(cast).reference,
            "cashier:bring_back reference": (given := give(cast)).reference,
            "office:issuance-check reference": given.reference,
            "office:issuance-correct reference": given.reference,
            "office:event reference": (proposal := _proposal(cast, reason)).reference,
            "office:event-decide reference": proposal.reference,
            "office:event-take-back reference": event(cast).reference,
            "number": cast.till.pk,
            "office:offer number": offer.pk,
            "api-v1:offer number": offer.pk,
            "api-v1:store number": cast.north.pk,
            "office:api-token number": (api_token := _api_token(cast)).pk,
            "office:api-token-revoke number": api_token.pk,
            "rest": "nowhere",
            **{f"office:person{act} number": cast.cashier.pk for act in _OF_A_PERSON},
            "id": cast.cashier.pk,
            "object_id": cast.cashier.pk,
            "content_type_id": ContentType.objects.get_for_model(User).pk,
            "app_label": "stores",
            "url": "nowhere",
            **_in_the_admin(of_models),
        },
        data={
            "office:connection": {"store": str(cast.north.pk)},
            "office:event-decide": {"step": "put_aside", "note": "Given already."},
        },
    )


def _in_the_admin(things: dict[str, Model]) -> dict[str, object]:
    return {
        name: thing.pk
        for model, thing in things.items()
        for name in (
            f"/admin/{model.replace('_', '/', 1)}/<path:object_id>/ object_id",
            *(f"admin:{model}_{act} object_id" for act in ("change", "delete", "history")),
        )
    }


def _redeemed(cast: Cast) -> Transaction:
    """A redemption as the till left it: approved and shown."""
    now = timezone.now()
    body = {
        "collectorNumber": COLLECTOR,
        "cardEntryMode": "SCAN",
        "originalPostTaxBasketAmount": "43.35",
    }
    row, _is_new = entries.open_transaction(
        intent(body=json.dumps(body).encode()),
        actor=cast.actor,
        sender="web",
        now=now,
        lease=timedelta(seconds=30),
    )
    row = entries.record(row, finding(Verdict.APPROVED), now=now, make_reversal=reversal_of)
    return entries.present(row, actor=cast.actor, now=now)


def _offer(cast: Cast) -> Offer:
    offer = Offer.objects.create(
        sponsor=cast.sponsor,
        offer_id="100",
        code="STANDARD",
        kind="base",
        description_en="A mile",
        description_fr="Un mille",
        miles=1,
        per_cents=2000,
    )
    offer.stores.add(cast.north)
    return offer


def _api_token(cast: Cast) -> ApiToken:
    row, _secret = api_tokens.make(
        "Warehouse",
        scopes=ApiScope.values,
        stores=[cast.north],
        expires_at=None,
        by=cast.administrator,
        now=timezone.now(),
    )
    return row


def _exclusion(cast: Cast) -> Exclusion:
    exclusion = Exclusion.objects.create(sponsor=cast.sponsor, name="Fuel", items="F")
    exclusion.stores.add(cast.north)
    return exclusion


def _proposal(cast: Cast, reason: EventReason) -> EventProposal:
    """Miles that a colleague wants to give and somebody else must agree to."""
    now = timezone.now()
    return EventProposal.objects.create(
        state="waiting",
        store=cast.north,
        reason=reason,
        miles=5000,
        language="en",
        collector_mac="mac",
        collector_last4="0001",
        card_entry_mode="MANUAL",
        needs_second=True,
        proposed_by=cast.french_cashier,
        proposed_at=now,
        expires_at=now + timedelta(days=7),
    )
