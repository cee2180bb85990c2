#!/usr/bin/env python3
"""A till written from the programme's own pages: it inquires, redeems, and shows what a till shows.

    python docs/till.py http://127.0.0.1:8000 TOKEN 80000010001 43.35 10

It knows one thing about lost answers, and that is on the programme's pages too: when no answer
comes, or the code is 0008, the very same request is sent again.
"""

import datetime
import json
import random
import sys
import time
import urllib.error
import urllib.request
import uuid
from decimal import Decimal

PATIENCE_S = 25  # For one answer: a platform behind Milepost is asked twice within 20 s.
ATTEMPTS = 60  # Then a person calls the help desk, as the escalation guide says.
PAUSE_S = 2.0

Answer = tuple[int, dict[str, str]]


class Till:
    """One lane: its base URL and its bearer token."""

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url, self.token = base_url, token

    def ask(self, call: str, fields: dict[str, str], key: str = "") -> Answer | None:
        """Send one request and return its status and fields, or None when no answer came."""
        body = json.dumps(fields, sort_keys=True).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        url = f"{self.base_url}/checkout/amcash/{call}"
        request = urllib.request.Request(url, body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except (OSError, ValueError):
            # Refused, reset, timed out, cut in the middle: nobody knows what became of it.
            return None

    def ask_until_told(self, call: str, fields: dict[str, str]) -> Answer:
        """Send a request that moves value; the same one, under one key, until it is told."""
        key = str(uuid.uuid4())
        for _ in range(ATTEMPTS):
            answer = self.ask(call, fields, key)
            if answer is not None and answer[1].get("responseCode") not in {"0008", "0096"}:
                return answer
            say("No answer yet. Asking again, with the same request.")
            time.sleep(PAUSE_S)
        raise SystemExit("Not confirmed. Call the help desk; give no discount.")


def message(card: str, basket: str, **more: str) -> dict[str, str]:
    """Return the fields that every request about a card has. A trace is used for one request."""
    now = datetime.datetime.now().astimezone()
    return {
        "cardEntryMode": "SCAN",
        "collectorNumber": card,
        "dateTime": now.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "instantMessage": "en-CA",
        "postTaxBasketAmount": basket,
        "traceId": f"{random.randrange(10**12):012d}",  # noqa: S311
        **more,
    }


def say(text: str) -> None:
    """Show a line to the cashier."""
    print(text, flush=True)  # noqa: T201


def main(base_url: str, token: str, card: str, basket: str, dollars: str) -> None:
    """Redeem once and print the receipt's line."""
    till = Till(base_url, token)
    told = till.ask("inquire", message(card, basket))
    if told is not None and "availableOfferUnits" not in told[1]:
        raise SystemExit(f"No offer: {told[1].get('message', told[0])}")
    asked = message(card, basket, dollarRedeemRequest=dollars)
    status, fields = till.ask_until_told("redeem", asked)
    if fields.get("responseCode") not in {"0000", "0001"}:
        raise SystemExit(f"Not redeemed: {fields.get('message', status)}")
    off = int(fields["unitsRedeemed"]) * Decimal(fields["unitValueDollars"])
    say(f"{fields['message']}: ${off:.2f} off, confirmation {fields['txnConfirmationNumber']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
