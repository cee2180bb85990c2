"""Somebody at the office's desk, who gives miles without a sale."""

import re
from dataclasses import dataclass
from typing import Any

from django.test import Client

from backoffice.devices.models import Device
from backoffice.people.models import User
from issuance.proposals import EventProposal, EventReason
from tests.cast import COLLECTOR

NEW, SEND = "/office/events/new/", "/office/events/send/"
DRAFT = re.compile(r'name="draft" value="([^"]+)"')
KEPT = re.compile(r'name="kept" value="([^"]+)"')


@dataclass
class Desk:
    """One person at the office's desk, as a browser."""

    user: User
    client: Client

    @classmethod
    def of(cls, user: User) -> "Desk":
        client = Client(headers={"Accept-Language": user.language})
        client.force_login(user)
        return cls(user=user, client=client)

    def post(self, path: str, **fields: Any) -> tuple[int, str]:
        response = self.client.post(path, fields, follow=True)
        return response.status_code, response.content.decode()

    def get(self, path: str) -> tuple[int, str]:
        response = self.client.get(path, follow=True)
        return response.status_code, response.content.decode()

    def look(self, reason: EventReason, miles: int = 100, **changes: Any) -> str:
        """Enter miles to give and return the page to look at."""
        store = changes.pop("store", Device.objects.get(number="001", store__number="0001").store)
        fields = {
            "store": store.pk,
            "card": COLLECTOR,
            "reason": changes.pop("chosen", reason.pk),
            "miles": miles,
            "note": "The freezer broke.",
            **changes,
        }
        return self.post(NEW, **fields)[1]

    def give(self, reason: EventReason, miles: int = 100, **changes: Any) -> EventProposal:
        """Enter, look and press; return what stands then."""
        page = self.look(reason, miles, **changes)
        self.post(SEND, draft=draft_in(page))
        found = EventProposal.objects.order_by("-pk").first()
        assert found is not None
        return found

    def decide(self, proposal: EventProposal, step: str, **fields: str) -> tuple[int, str]:
        return self.post(f"/office/events/{proposal.reference}/decide/", step=step, **fields)


def draft_in(page: str) -> str:
    found = DRAFT.search(page)
    assert found, page
    return found[1]
