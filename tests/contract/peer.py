"""A bare client of the platform for the tests: it posts what it is given, under a real token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.stack import Answer, ask

SAMPLES = Path(__file__).parent.parent / "samples"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Somebody with a token."""

    url: str
    token: str

    @classmethod
    def signed_in(
        cls, url: str, *, token_url: str, client_id: str, client_secret: str, audience: str
    ) -> "Peer":
        """Get a token with the client's credentials (PLATFORM 3)."""
        wanted = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
            "audience": audience,
        }
        headers = {"Content-Type": "application/json"}
        answer = ask("POST", token_url, json.dumps(wanted).encode(), headers)
        assert answer.status == 200, answer.body
        return cls(url=url, token=str(answer.fields["access_token"]))

    def post(self, path: str, fields: Mapping[str, Any], *, key: str = "") -> Answer:
        """Post these fields, under a key if one is given."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        if key:
            headers["Idempotency-Key"] = key
        return ask("POST", self.url + path, json.dumps(fields).encode(), headers)


def sample(name: str) -> Any:
    """Return a file of recorded samples."""
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
