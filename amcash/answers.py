"""Reads one answer, or its absence, as a finding about an operation (RELIABILITY 4.3). Pure."""

from amcash import codes, messages
from amcash.codes import Reading
from backoffice.journal.decisions import Finding, Verdict
from backoffice.journal.states import Operation
from backoffice.units import units_miles, units_value
from backoffice.wire.answers import Reply, Silence

# What the journal's columns hold, with room for the product of two.
LONGEST_CONFIRMATION = 40
MOST = 10**9

_VERDICTS = {
    Reading.APPROVED: Verdict.APPROVED,
    Reading.DECLINED: Verdict.DECLINED,
    Reading.DECLINED_AFTER_DOUBT: Verdict.DECLINED_AFTER_DOUBT,
    Reading.EXPIRED: Verdict.EXPIRED,
    Reading.MANUAL: Verdict.UNCLEAR,
    Reading.UNAVAILABLE: Verdict.NOT_EXECUTED,
    Reading.UNKNOWN: Verdict.UNKNOWN,
}


def finding_of(operation: Operation, answer: Reply | Silence, *, earlier_unknown: bool) -> Finding:
    """Return what an answer says of a redemption or a reversal.

    `earlier_unknown` says that an earlier send of the same operation has no known outcome. The
    code decides, never the HTTP status alone: a redirect, a page, a cut or an unknown answer is
    neither an approval nor a decline.
    """
    if isinstance(answer, Silence):
        verdict = Verdict.UNKNOWN if answer.maybe_applied else Verdict.NOT_SENT
        return Finding(verdict=verdict, silence=answer.kind, duration_ms=answer.duration_ms)
    code = messages.response_code(answer.body)
    if answer.status == 401 and not code:
        # The token, renewed once already: nothing was executed.
        return _finding(Verdict.NOT_EXECUTED, answer, "")
    reading = codes.read(code, earlier_unknown=earlier_unknown)
    if not _is_documented(code, operation) or 300 <= answer.status < 400:
        reading = Reading.UNKNOWN
    if reading is Reading.APPROVED:
        return _approval(operation, answer)
    verdict = _VERDICTS[reading]
    return _finding(verdict, answer, code, kept=_kept(answer.body))


def _is_documented(code: str, operation: Operation) -> bool:
    # 0005 and 0006 are successes of an inquiry; on a redemption they would approve nothing.
    known = codes.find(code)
    return known is not None and operation.value in known.endpoints


def _approval(operation: Operation, answer: Reply) -> Finding:
    try:
        parsed = messages.parse(answer.body)
    except messages.Unreadable:
        return _finding(Verdict.UNKNOWN, answer, "")
    if not 200 <= answer.status < 300:
        return _finding(Verdict.UNKNOWN, answer, parsed.code)
    if not _is_storable(parsed):
        return _finding(Verdict.INCOMPLETE, answer, parsed.code, kept=parsed.kept)
    if operation is Operation.REVERSE:
        return _finding(
            Verdict.APPROVED,
            answer,
            parsed.code,
            kept=parsed.kept,
            confirmation_number=parsed.confirmation_number,
        )
    if not (parsed.confirmation_number and parsed.units and parsed.unit_cents):
        return _finding(Verdict.INCOMPLETE, answer, parsed.code, kept=parsed.kept)
    return Finding(
        verdict=Verdict.APPROVED,
        http_status=answer.status,
        response_code=parsed.code,
        duration_ms=answer.duration_ms,
        confirmation_number=parsed.confirmation_number,
        units=parsed.units,
        # What the platform granted is what counts, whatever was asked (PRODUCT 4).
        amount_cents=units_value(parsed.units, parsed.unit_cents),
        miles=units_miles(parsed.units, parsed.unit_miles) if parsed.unit_miles else None,
        unit_cents=parsed.unit_cents,
        unit_miles=parsed.unit_miles,
        answer=parsed.kept,
    )


def _is_storable(parsed: messages.Answer) -> bool:
    # The number's format is not documented. An approval must never be lost because a column is
    # too narrow for it: such a one is a person's.
    number = parsed.confirmation_number
    values = (parsed.units or 0, parsed.unit_cents or 0, parsed.unit_miles or 0)
    return len(number) <= LONGEST_CONFIRMATION and number.isprintable() and max(values) <= MOST


def _is_outage(code: str, answer: Reply) -> bool:
    # Also after a doubt, when it proves nothing of the operation itself.
    known = codes.find(code)
    is_platform = not 300 <= answer.status < 400
    return is_platform and known is not None and known.reading is Reading.UNAVAILABLE


def _kept(body: bytes) -> bytes | None:
    try:
        return messages.parse(body).kept
    except messages.Unreadable:
        return None


def _finding(
    verdict: Verdict,
    answer: Reply,
    code: str,
    *,
    kept: bytes | None = None,
    confirmation_number: str = "",
) -> Finding:
    return Finding(
        verdict=verdict,
        http_status=answer.status,
        # A code is four digits; anything longer is not one, and is not worth a database error.
        response_code=code[:8],
        is_outage=_is_outage(code, answer),
        duration_ms=answer.duration_ms,
        confirmation_number=confirmation_number,
        answer=kept,
    )
