"""A till for the sandbox's own tests: speaks the wire format over any transport."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples"
REGULAR = "80000010001"

_traces = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        parsed = json.loads(self.raw)
        assert isinstance(parsed, dict)
        return parsed

    @property
    def code(self) -> str:
        return str(self.body.get("responseCode", ""))


Transport = Callable[[str, str, bytes, dict[str, str]], Answer]


def sample(name: str) -> Any:
    """Return a file of recorded samples."""
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def request_of(call: str, **changes: Any) -> dict[str, Any]:
    """Return a well-formed request of one of the four calls; None leaves a field out."""
    fields: dict[str, Any] = {
        "deviceId": "001",
        "sponsorCode": "LOY1",
        "storeId": "0001",
        "traceId": f"{next(_traces):012d}",
        "vendorId": "100087",
    }
    if call != "echo":
        fields |= {
            "acquirerId": "100000",
            "cardEntryMode": "SWIPE",
            "collectorNumber": REGULAR,
            "dateTime": "2026-07-16T13:32:00-0400",
        }
    if call in {"inquire", "redeem"}:
        fields["postTaxBasketAmount"] = "43.35"
    if call == "redeem":
        fields["dollarRedeemRequest"] = "40.00"
    if call == "reverse":
        fields["redemptionConfirmationNumber"] = "NEVERISSUED2"
    fields |= changes
    return {name: value for name, value in fields.items() if value is not None}


@dataclass(kw_only=True)
class Till:
    """A till with a token."""

    transport: Transport
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def log_in(self) -> None:
        answer = self.ask_token()
        assert answer.status == 200, answer.raw
        self.token = answer.body["access_token"]

    def ask_token(self, **changes: str) -> Answer:
        fields = {
            "grant_type": "client_credentials",
            "client_id": "milepost",
            "client_secret": "sandbox",
        } | changes
        return self.post("/oauth/token", json.dumps(fields).encode(), {})

    def post(self, path: str, raw: bytes, headers: Mapping[str, str]) -> Answer:
        return self.transport(
            "POST", path, raw, {"Content-Type": "application/json", **self.headers, **headers}
        )

    def send(self, call: str, body: Mapping[str, Any] | bytes, key: str = "") -> Answer:
        """Send a body as it is, under a key if one is given."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if key:
            headers["Idempotency-Key"] = key
        return self.post(f"/checkout/amcash/{call}", raw, headers)

    def ask(self, call: str, key: str = "", **changes: Any) -> Answer:
        """Send a well-formed request with some fields changed."""
        return self.send(call, request_of(call, **changes), key)

    def redeemed(self, **changes: Any) -> str:
        """Redeem, and return the confirmation number."""
        answer = self.ask("redeem", **changes)
        assert answer.code in {"0000", "0001"}, answer.raw
        return str(answer.body["txnConfirmationNumber"])

    def control(self, what: str, **fields: Any) -> dict[str, Any]:
        """Turn a knob of the control plane."""
        answer = self.post(f"/_control/{what}", json.dumps(fields).encode(), {})
        assert answer.status in {200, 201}, answer.raw
        return answer.body

    def look(self, what: str) -> dict[str, Any]:
        """Read from the control plane."""
        answer = self.transport("GET", f"/_control/{what}", b"", {})
        assert answer.status == 200, answer.raw
        return answer.body

    def effects(self, collector: str = "") -> list[dict[str, Any]]:
        entries = self.look(f"ledger?collector={collector}")["entries"]
        assert isinstance(entries, list)
        return entries

    def cash(self, collector: str = REGULAR) -> int:
        """Return a balance, as an inquiry tells it."""
        return int(self.ask("inquire", collectorNumber=collector).body["cashBalance"])
