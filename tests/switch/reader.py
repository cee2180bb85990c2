"""The document of the switch as one till reads it, and what the sandbox takes of it."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from amcash.tills import IDENTITY, Call

PREFIX: Final = "/checkout/"
REDEEM: Final = f"{PREFIX}amcash/{Call.REDEEM}"
REVERSE: Final = f"{PREFIX}amcash/{Call.REVERSE}"
# A day that every month has, in a year that every system has.
_MOMENT: Final = (
    "^20[12][0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):?[0-5][0-9])$"
)
# Above one unit, and mostly within the basket.
_WORTH_IT: Final = r"^([1-9][0-9]\.00|[1-9][0-9]{1,12}(\.[0-9]{1,2})?)$"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads the document: the till by its token, and the cards it has at hand."""

    token: str = field(repr=False)
    sponsor: str
    vendor: str
    acquirer: str
    store: str
    device: str
    cards: tuple[str, ...]

    def read(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the calls of the switch as they are for this till: narrower, nowhere wider."""
        read = copy.deepcopy(dict(document))
        calls = {path: one for path, one in read["paths"].items() if path.startswith(PREFIX)}
        for path, methods in calls.items():
            self._narrow(path, _form_of(methods["post"]))
        read["paths"] = calls
        return read

    def _narrow(self, path: str, form: dict[str, Any]) -> None:
        fields = form["properties"]
        if path.startswith(f"{PREFIX}amcash/"):
            own = dict(
                zip(
                    IDENTITY,
                    (self.acquirer, self.device, self.sponsor, self.store, self.vendor),
                    strict=True,
                )
            )
            # An empty one is the same as one left out.
            nothing: str | None = ""
        else:
            own = {"sponsorCode": self.sponsor, "locationCode": self.store}
            nothing = None
        for name in own.keys() & fields.keys():
            fields[name] = {"enum": [own[name], nothing]}
        for name in {"dateTime", "checkoutDateTime", "transactionDateTime"} & fields.keys():
            fields[name]["pattern"] = _MOMENT
        if "collectorNumber" in fields:
            _prefer(fields["collectorNumber"], "|".join(self.cards))


def _prefer(form: dict[str, Any], pattern: str) -> None:
    """Have a text be mostly of a pattern; an enumeration beside the form would be lost in it."""
    form["pattern"] = f"^({pattern}|{form['pattern'].strip('^$')})$"


def _content_of(operation: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    content: dict[str, Any] = found.get("application/json", {})
    return content


def _form_of(operation: dict[str, Any]) -> dict[str, Any]:
    form: dict[str, Any] = _content_of(operation)["schema"]
    return form


def of_the_sandbox(document: dict[str, Any]) -> dict[str, Any]:
    """Narrow a document to what the sandbox takes as well: it knows more of a basket than the
    programme's pages say (sandbox/FIDELITY.md), and refuses as the programme what Milepost lets by.
    """
    examples = [
        example["value"]
        for methods in document["paths"].values()
        for example in _content_of(methods.get("post", {})).get("examples", {}).values()
    ]
    items = [item for example in examples for item in example.get("items", ())]
    known = list({json.dumps(item, sort_keys=True): item for item in items}.values())
    for path, methods in document["paths"].items():
        if not path.startswith(PREFIX):
            continue
        fields = _form_of(methods["post"])["properties"]
        if "items" in fields:
            fields["items"]["items"] = {"enum": known}
        if "issuances" in fields:
            code = fields["issuances"]["items"]["properties"]["issuanceOfferCode"]
            code["pattern"] = "^[A-Za-z0-9_.-]{1,32}$"
        for name, form in fields.items():
            if name.startswith("basket"):
                form["maximum"] = 10**7
        if path == REDEEM:
            # The programme refuses what comes to less than one unit (0035).
            fields["dollarRedeemRequest"] |= {"pattern": _WORTH_IT}
            _prefer(fields["postTaxBasketAmount"], r"[1-9][0-9]{2}\.[0-9]{2}")
        if path == REVERSE:
            fields["redemptionConfirmationNumber"]["pattern"] = "^([!-~]{1,40})?$"
    return document


def links(document: Mapping[str, Any]) -> list[str]:
    """Return a document's links as `Findings.approved` takes them."""
    return [
        f"POST {path} -> [{status}] {name}"
        for path, methods in document["paths"].items()
        if path.startswith(PREFIX)
        for status, answer in methods["post"]["responses"].items()
        for name in answer.get("links", ())
    ]
