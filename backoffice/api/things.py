"""What the API tells of transactions, stores, devices and offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from backoffice.api.shapes import (
    REFERENCE,
    REFERENCE_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    WHOLE,
    WHOLE_OR_NULL,
    YES_OR_NO,
    Field,
    Shape,
    day,
    exactly,
    list_of,
    moment,
    one_of,
    plain,
)
from backoffice.devices.models import Device, DeviceProfile
from backoffice.devices.selectors import Listed, Standing
from backoffice.journal import choices
from backoffice.journal.models import Attempt, OfferResult, Transaction
from backoffice.journal.said import Decision
from backoffice.journal.states import SETTLED, Operation, State, Wanted
from backoffice.stores.models import Language, Store
from issuance.models import Kind, Offer


@dataclass(frozen=True, kw_only=True)
class Told:
    """A transaction with the references of the rows that it names."""

    row: Transaction
    named: Mapping[int, UUID]

    def reference(self, key: int | None) -> str | None:
        """Return the reference of a row that it names."""
        return str(self.named[key]) if key is not None else None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An offer, and of which stores may be told that it holds there."""

    offer: Offer
    store_ids: frozenset[int] | None


def _of_store(store: Store) -> dict[str, Any]:
    return {"id": store.pk, "sponsor_code": store.sponsor.code, "number": store.number}


def _of_row(field: Field[Any]) -> Field[Told]:
    return Field(name=field.name, form=field.form, of=lambda told: field.of(told.row))


def _of_offer(field: Field[Any]) -> Field[Kept]:
    return Field(name=field.name, form=field.form, of=lambda kept: field.of(kept.offer))


_STORE_FORM: Final = exactly({"id": WHOLE, "sponsor_code": TEXT, "number": TEXT})
_DEVICE_FORM: Final = exactly({"id": WHOLE, "number": TEXT})

OFFER_RESULT: Final = Shape[OfferResult](
    fields=(
        plain("offer_id", TEXT),
        plain("nth", WHOLE),
        plain("offer_code", TEXT),
        plain("location_code", TEXT_OR_NULL),
        plain("description", TEXT_OR_NULL),
        plain("miles", WHOLE),
        plain("status", one_of(choices.OfferStatus.values)),
        plain("confirmation_number", TEXT_OR_NULL),
        moment("processed_at"),
        plain("error_code", TEXT_OR_NULL),
        plain("error_reason", TEXT_OR_NULL),
    )
)
TRANSACTION: Final = Shape[Told](
    fields=(
        Field(name="reference", form=REFERENCE, of=lambda told: str(told.row.reference)),
        *map(
            _of_row,
            (
                plain("operation", one_of([one.value for one in Operation])),
                plain("state", one_of([one.value for one in State])),
                Field(name="is_settled", form=YES_OR_NO, of=lambda row: row.state in SETTLED),
                plain("wanted", one_of([one.value for one in Wanted])),
                plain("needs_person", one_of(choices.NeedsPerson.values, or_null=True)),
                Field(name="store", form=_STORE_FORM, of=lambda row: _of_store(row.store)),
                Field(
                    name="device",
                    form=_DEVICE_FORM,
                    of=lambda row: {"id": row.device_id, "number": row.device.number},
                ),
                Field(
                    name="person",
                    form=TEXT_OR_NULL,
                    of=lambda row: getattr(row.user, "username", None),
                ),
                plain("channel", TEXT),
                plain("sale_ref", TEXT),
                plain("trace_id", TEXT),
                plain("checkout_transaction_id", TEXT_OR_NULL, "checkout_id"),
                plain("collector_last4", TEXT_OR_NULL),
                plain("card_entry_mode", TEXT_OR_NULL),
                plain("basket_cents", WHOLE_OR_NULL),
                plain("asked_cents", WHOLE_OR_NULL),
                plain("amount_cents", WHOLE_OR_NULL),
                plain("units", WHOLE_OR_NULL),
                plain("miles", WHOLE_OR_NULL),
                plain("unit_cents", WHOLE_OR_NULL),
                plain("unit_miles", WHOLE_OR_NULL),
                plain("response_code", TEXT_OR_NULL),
                plain("http_status", WHOLE_OR_NULL),
                plain("confirmation_number", TEXT_OR_NULL),
                plain("is_after_doubt", YES_OR_NO, "after_doubt"),
                plain("credit_given", one_of(choices.Credit.values, or_null=True)),
                moment("credit_given_at"),
                moment("opened_at", or_null=False),
                moment("first_sent_at"),
                moment("doubted_at"),
                moment("settled_at"),
                moment("presented_at"),
                moment("reversed_at"),
                moment("deadline_at", or_null=False),
                day("local_date", or_null=False),
                plain("zone", TEXT),
            ),
        ),
        Field(
            name="reverses",
            form=REFERENCE_OR_NULL,
            of=lambda told: told.reference(told.row.reverses_id),
        ),
        Field(
            name="corrects",
            form=REFERENCE_OR_NULL,
            of=lambda told: told.reference(told.row.corrects_id),
        ),
        Field(
            name="returns",
            form=REFERENCE_OR_NULL,
            of=lambda told: told.reference(told.row.original_id),
        ),
        Field(
            name="offers",
            form=list_of(OFFER_RESULT.form()),
            of=lambda told: [OFFER_RESULT.told(one) for one in told.row.offers.all()],
        ),
    )
)
ATTEMPT: Final = Shape[Attempt](
    fields=(
        plain("number", WHOLE, "fence"),
        moment("armed_at", or_null=False),
        moment("finished_at"),
        plain("result", one_of(choices.Result.values, or_null=True)),
        plain("http_status", WHOLE_OR_NULL),
        plain("response_code", TEXT_OR_NULL),
        plain("silence", TEXT_OR_NULL),
        plain("duration_ms", WHOLE_OR_NULL),
    )
)
# The note is free text, in which staff may name a customer: it stays in the office.
DECISION: Final = Shape[Decision](
    fields=(
        plain("step", one_of(choices.Step.values)),
        plain("outcome", one_of(choices.State.values, or_null=True)),
        plain("needs_person", TEXT),
        plain("help_desk_ref", TEXT_OR_NULL),
        plain("confirmation_number", TEXT_OR_NULL),
        plain("amount_cents", WHOLE_OR_NULL),
        plain("miles", WHOLE_OR_NULL),
        Field(name="person", form=TEXT, of=lambda one: one.person.username),
        moment("decided_at", or_null=False),
    )
)
WHOLE_TRANSACTION: Final = Shape[Told](
    fields=(
        *TRANSACTION.fields,
        Field(
            name="attempts",
            form=list_of(ATTEMPT.form()),
            of=lambda told: [ATTEMPT.told(one) for one in told.row.attempts.all()],
        ),
        Field(
            name="decisions",
            form=list_of(DECISION.form()),
            of=lambda told: [DECISION.told(one) for one in told.row.decisions.all()],
        ),
    )
)
STORE: Final = Shape[Store](
    fields=(
        plain("id", WHOLE),
        Field(name="sponsor_code", form=TEXT, of=lambda store: store.sponsor.code),
        plain("number", TEXT),
        plain("name", TEXT),
        plain("name_fr", TEXT_OR_NULL),
        plain("city", TEXT),
        plain("zone", TEXT),
        plain("language", one_of(Language.values)),
        plain("is_active", YES_OR_NO),
    )
)


def _of_device(field: Field[Any]) -> Field[Listed]:
    return Field(name=field.name, form=field.form, of=lambda listed: field.of(listed.device))


def _store_of(device: Device) -> dict[str, Any]:
    return _of_store(device.store)


DEVICE: Final = Shape[Listed](
    fields=(
        _of_device(plain("id", WHOLE)),
        _of_device(Field(name="store", form=_STORE_FORM, of=_store_of)),
        _of_device(plain("number", TEXT)),
        _of_device(plain("name", TEXT_OR_NULL)),
        _of_device(plain("profile", one_of(DeviceProfile.values))),
        Field(
            name="standing",
            form=one_of([one.value for one in Standing]),
            of=lambda listed: listed.standing.value,
        ),
        _of_device(plain("is_active", YES_OR_NO)),
        _of_device(moment("last_seen_at")),
        _of_device(plain("version", TEXT_OR_NULL)),
        _of_device(moment("revoked_at")),
    )
)


def _codes(name: str, kind: str, part: str) -> Field[Kept]:
    def of(kept: Kept) -> Sequence[str]:
        return sorted(getattr(getattr(kept.offer, kind), part))

    return Field(name=name, form=TEXTS, of=of)


def _stores_of(kept: Kept) -> list[int]:
    found = {store.pk for store in kept.offer.stores.all()}
    return sorted(found if kept.store_ids is None else found & kept.store_ids)


OFFER: Final = Shape[Kept](
    fields=(
        *map(
            _of_offer,
            (
                plain("id", WHOLE),
                Field(name="sponsor_code", form=TEXT, of=lambda offer: offer.sponsor.code),
                plain("offer_id", TEXT),
                plain("offer_code", TEXT, "code"),
                plain("kind", one_of(Kind.values)),
                plain("description_en", TEXT),
                plain("description_fr", TEXT_OR_NULL),
                plain("location_code", TEXT_OR_NULL),
                plain("miles", WHOLE_OR_NULL),
                plain("per_cents", WHOLE_OR_NULL),
                plain("per_quantity", WHOLE_OR_NULL),
                plain("at_most", WHOLE_OR_NULL),
                plain("factor_percent", WHOLE_OR_NULL),
                plain("coupon", TEXT_OR_NULL),
                plain("tender", TEXT_OR_NULL),
                plain("group", TEXT_OR_NULL),
                day("starts_on"),
                day("ends_on"),
                plain("is_active", YES_OR_NO),
                Field(
                    name="is_of_every_store",
                    form=YES_OR_NO,
                    of=lambda offer: not offer.stores.all(),
                ),
            ),
        ),
        Field(name="store_ids", form=list_of(WHOLE), of=_stores_of),
        _codes("items", "selects", "items"),
        _codes("departments", "selects", "departments"),
        _codes("categories", "selects", "categories"),
        _codes("left_out_items", "leaves_out", "items"),
        _codes("left_out_departments", "leaves_out", "departments"),
        _codes("left_out_categories", "leaves_out", "categories"),
    )
)
