"""Reads one answer, or its absence, as a finding about an operation (RELIABILITY 4.3). Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from backoffice.journal.decisions import Finding, OfferFinding, Verdict
from backoffice.wire.answers import Reply, Silence
from issuance import codes, messages
from issuance.codes import Message, Reading, Status
from issuance.lines import Answer, OfferAnswer

# What the journal's columns hold.
LONGEST_NUMBER = 40
LONGEST_ID = 64
LONGEST_TEXT = 200
LONGEST_LOCATION = 8
MOST_MILES = 10**9

_VERDICTS = {
    Reading.CONFIRMED: Verdict.CONFIRMED,
    Reading.PENDING: Verdict.PENDING,
    Reading.PARTIAL: Verdict.PARTIAL,
    Reading.REJECTED: Verdict.REJECTED,
    Reading.DONE: Verdict.DONE,
    Reading.BUSY: Verdict.BUSY,
    Reading.MANUAL: Verdict.UNCLEAR,
    Reading.NOT_EXECUTED: Verdict.NOT_EXECUTED,
    Reading.UNKNOWN: Verdict.UNKNOWN,
}
_FINAL = frozenset({Verdict.CONFIRMED, Verdict.PARTIAL, Verdict.REJECTED})


class _NotKeepable(ValueError):
    """An answer that decides, with a number or an id that the log cannot hold."""


def finding_of(
    message: Message,
    answer: Reply | Silence,
    *,
    earlier_unknown: bool,
    is_acknowledged: bool = False,
) -> Finding:
    """Return what an answer says of one message.

    `earlier_unknown` says that an earlier send of the same operation has no known outcome,
    `is_acknowledged` that an earlier answer was that it is not finished (`codes.read`).
    """
    if isinstance(answer, Silence):
        verdict = Verdict.UNKNOWN if answer.maybe_applied else Verdict.NOT_SENT
        return Finding(verdict=verdict, silence=answer.kind, duration_ms=answer.duration_ms)
    error_codes = messages.error_codes(answer.body)
    parsed = _parsed(answer)
    statuses = parsed.statuses if parsed is not None else None
    if statuses is None and answer.status == 400 and error_codes is not None:
        # What a bad request's body looks like is documented nowhere; that it is one is enough.
        statuses = ()
    if statuses == () and answer.status == 200 and not _may_say_nothing_earned(message, parsed):
        statuses = None
    reading = codes.read(
        message,
        answer.status,
        statuses,
        error_codes=error_codes or (),
        earlier_unknown=earlier_unknown,
        is_acknowledged=is_acknowledged,
    )
    finding = Finding(
        verdict=_VERDICTS[reading],
        http_status=answer.status,
        duration_ms=answer.duration_ms,
        answer=answer.body if reading not in {Reading.UNKNOWN, Reading.NOT_EXECUTED} else None,
    )
    if reading in {Reading.UNKNOWN, Reading.NOT_EXECUTED, Reading.BUSY}:
        return finding
    return _told(finding, message, parsed or Answer(), error_codes or ())


def whole(finding: Finding, *, asked_offers: int) -> Finding:
    """Return the finding, for a person if it decides fewer offers than were asked for."""
    told = [offer for offer in finding.offers if offer.offer_id]
    is_short = finding.verdict in {Verdict.CONFIRMED, Verdict.PARTIAL} and len(told) != asked_offers
    return replace(finding, verdict=Verdict.INCOMPLETE) if is_short else finding


def _may_say_nothing_earned(message: Message, parsed: Answer | None) -> bool:
    """Say whether an answer without offers may be the programme's word that nothing was earned.

    A proxy's page has none either. The programme's answer names its transaction.
    """
    if not codes.FORMS[message].may_earn_nothing:
        return True
    return parsed is not None and bool(parsed.transaction_id)


def _parsed(answer: Reply) -> Answer | None:
    try:
        return messages.parse(answer.body)
    except messages.Unreadable:
        return None


def _told(
    finding: Finding, message: Message, parsed: Answer, error_codes: tuple[str, ...]
) -> Finding:
    try:
        number = _fitting(parsed.transaction_id, LONGEST_NUMBER)
        if not codes.FORMS[message].earns_by_offer:
            return replace(finding, confirmation_number=number)
        offers = tuple(_offers(parsed))
    except _NotKeepable:
        # Pending, it is asked again; final, its miles must not be lost for a narrow column.
        is_final = finding.verdict in _FINAL
        return replace(finding, verdict=Verdict.INCOMPLETE) if is_final else finding
    if finding.verdict is Verdict.REJECTED and not offers and error_codes:
        offers = (_refusal_of_the_whole(parsed, error_codes),)
    confirmed = [offer.miles for offer in offers if offer.status == "confirmed"]
    return replace(
        finding,
        confirmation_number=number,
        offers=offers,
        miles=sum(confirmed) if finding.verdict in _FINAL else None,
    )


def _offers(parsed: Answer) -> Iterator[OfferFinding]:
    for offer in parsed.offers:
        status = codes.status_of(offer.status)
        if status is not None:
            yield _offer(offer, status)


def _offer(offer: OfferAnswer, status: Status) -> OfferFinding:
    error_code, error_reason = offer.errors[0] if offer.errors else ("", "")
    return OfferFinding(
        offer_id=_fitting(offer.offer_id, LONGEST_ID),
        offer_code=_fitting(offer.offer_code, LONGEST_ID),
        miles=_whole_miles(offer.miles),
        status=status.lower(),
        location_code=_fitting(offer.location_code, LONGEST_LOCATION),
        description=_shown(offer.description),
        confirmation_number=_fitting(offer.confirmation_number, LONGEST_NUMBER),
        processed_at=_moment(offer.processed_at),
        error_code=error_code[:LONGEST_ID],
        error_reason=_shown(error_reason),
    )


def _refusal_of_the_whole(parsed: Answer, error_codes: tuple[str, ...]) -> OfferFinding:
    reasons = dict(parsed.errors)
    return OfferFinding(
        offer_id="",
        offer_code="",
        miles=0,
        status="rejected",
        error_code=error_codes[0][:LONGEST_ID],
        error_reason=_shown(reasons.get(error_codes[0], "")),
    )


def _fitting(text: str, longest: int) -> str:
    if len(text) > longest:
        raise _NotKeepable
    return text


def _whole_miles(number: Decimal) -> int:
    if number != number.to_integral_value() or not 0 <= number <= MOST_MILES:
        raise _NotKeepable
    return int(number)


def _shown(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LONGEST_TEXT]


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
