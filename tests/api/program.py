"""A program of the retailer's that reads over the API, as the tests use it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.test import Client
from django.utils import timezone

from backoffice.people import api_tokens
from backoffice.people.models import ApiScope, ApiToken, User
from backoffice.stores.models import Store

V1 = "/api/v1/"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a program heard."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """The answer."""
        return json.loads(self.body)

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document that it is, whole and of its status."""
        assert self.headers["Content-Type"] == "application/problem+json"
        said: dict[str, Any] = self.json
        assert said["status"] == self.status and said["title"]
        assert said["type"].startswith("urn:milepost:problem:")
        return {**said, "kind": said["type"].rpartition(":")[2]}


@dataclass(frozen=True, kw_only=True)
class Program:
    """Somebody with an API token."""

    secret: str
    row: ApiToken | None = None

    @classmethod
    def of(
        cls,
        maker: User,
        *,
        stores: Iterable[Store] | None = None,
        scopes: Iterable[str] = tuple(ApiScope),
        expires_at: datetime | None = None,
    ) -> "Program":
        """Give a program a token."""
        row, secret = api_tokens.make(
            "Warehouse",
            scopes=scopes,
            stores=stores,
            expires_at=expires_at,
            by=maker,
            now=timezone.now(),
        )
        return cls(secret=secret, row=row)

    def get(self, address: str, *, method: str = "GET", **headers: str) -> Heard:
        """Ask for an address below the API's, or for one that an answer told."""
        path = address if address.startswith("/") else V1 + address
        named = {"Authorization": f"Bearer {self.secret}", **headers}
        client = Client(headers=named, raise_request_exception=False)
        answer = client.generic(method, path)
        return Heard(status=answer.status_code, body=answer.content, headers=answer.headers)

    def read(self, address: str) -> Any:
        """Return what is there; it must be."""
        heard = self.get(address)
        assert heard.status == 200, heard.body
        return heard.json
