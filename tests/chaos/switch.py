"""The judge of the switch: what each till was told is what the log and the programme's ledger say.
Pure; `checker` asks it. What a person holds is left to that person.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.evidence import Effect, Evidence, Kind, Row, Violation
from tests.chaos.told import (
    APPROVED,
    BROKEN,
    CASH_CALLS,
    IN_DOUBT,
    NO_SUCH,
    NOTHING_SENT,
    OPERATIONS,
    OTHER_BODY,
    Asked,
    Word,
)

GRANTED = frozenset({"approved", "done"})
_DOOR = "switch"
# A till that speaks well, with its own token, is never a stranger and never at fault.
_STRANGER = frozenset({401, 403, 404, 405})
_ACCEPTED = range(200, 300)
_BAD_REQUEST = "0035"
_INVALID = "InvalidField"


@dataclass(frozen=True, kw_only=True)
class _Books:
    """The evidence, by what the rules look things up with."""

    rows: Mapping[str, Row]
    by_number: Mapping[tuple[str, str], Sequence[Row]]
    effects: Mapping[str, Sequence[Effect]]
    by_confirmation: Mapping[str, Sequence[Effect]]

    def undone(self, row: Row) -> list[Row]:
        """Return the reversals of a redemption."""
        return [one for one in self.rows.values() if one.reverses == row.reference]

    def miles_of(self, row: Row) -> int:
        """Return what a redemption and its reversals have moved at the programme."""
        keys = [row.key, *(one.key for one in self.undone(row))]
        return sum(effect.miles for key in keys for effect in self.effects.get(key, ()))

    def is_with_people(self, row: Row) -> bool:
        """Whether a person holds it, or a reversal of it."""
        return row.is_with_a_person or any(one.is_with_a_person for one in self.undone(row))


def told_is_so(evidence: Evidence) -> Iterator[Violation]:
    """Every word that a till of the switch heard is true, and its last word stays so."""
    books = _books(evidence)
    for asked in evidence.asked:
        for name, rule in _RULES.items():
            for what in rule(asked, books):
                yield Violation(rule=name, kind=Kind.MISTOLD, what=f"{_name(asked)} {what}")
    yield from _one_row_of_a_request(evidence)


def _one_row_of_a_request(evidence: Evidence) -> Iterator[Violation]:
    """A till uses a number for one request, so the log has one operation of it (S1)."""
    of_the_switch = [row for row in evidence.rows if row.channel == _DOOR]
    for (operation, number), count in Counter(
        (row.operation, row.number) for row in of_the_switch
    ).items():
        if count > 1:
            what = f"{operation} {number} of a till became {count} operations"
            yield Violation(rule="S1", kind=Kind.DOUBLED, what=what)


def _names_its_row(asked: Asked, books: _Books) -> Iterator[str]:
    """S1: each answer that names a transaction names the one that it is about; whatever tells of
    something done, or taken on, names one."""
    for word in asked.words:
        if word.status in _ACCEPTED and not word.reference:
            yield f"was told {_said(word)}, and of no transaction"
    named = {word.reference for word in asked.words if word.reference}
    own = OPERATIONS[asked.call]
    for reference in sorted(named):
        row = books.rows.get(reference)
        if row is None:
            yield f"was told of {reference}, which is not in the log"
            continue
        # A void is told of the redemption until there is a reversal, whoever has begun that one.
        is_own = row.operation == own and (row.number == asked.number or asked.is_void)
        is_voided = asked.is_void and row.operation == "redeem" and row.number == asked.voids
        if not is_own and not is_voided:
            yield f"was told of {row.operation} {reference}, which is another one"
    own_rows = {one for one in named if one in books.rows and books.rows[one].operation == own}
    if len(own_rows) > 1:
        yield f"was told of {len(own_rows)} operations"


def _ends_once(asked: Asked, _books: _Books) -> Iterator[str]:
    """S2: what told a till how a request ended is told it ever after, byte for byte."""
    end = asked.end
    if end is None or asked.is_key_reused:
        return
    for word in asked.in_order():
        is_later = word.asked_at > end.got_at
        if asked.is_end(word):
            is_so = word.lasting == end.lasting
        else:
            # Asked beside it, it may only have been longer on its way.
            is_so = not is_later or _says_nothing(asked, word)
        if not is_so:
            yield f"was told {_said(end)} and {'later ' if is_later else ''}{_said(word)}"


def _says_nothing(asked: Asked, word: Word) -> bool:
    """Say whether a word only tells that Milepost cannot look just now."""
    if word.is_silence:
        return True
    if asked.call in CASH_CALLS:
        return word.code == BROKEN or (word.code == IN_DOUBT and not word.reference)
    return word.status >= 500 and not word.reference


def _approval_is_one_effect(asked: Asked, books: _Books) -> Iterator[str]:
    """S3: 0000 is one effect, of this card, of what the till was told; a decline is none."""
    end = asked.end
    if end is None or asked.call not in CASH_CALLS or asked.is_key_reused:
        return
    row = books.rows.get(end.reference)
    if row is None or books.is_with_people(row):
        return
    mine = books.effects.get(row.key, ())
    if end.code not in APPROVED:
        if mine and row.operation == asked.call:
            yield f"was told {_said(end)}, and the programme did it"
        return
    if row.state not in GRANTED:
        yield f"was told {_said(end)}, and {row.reference} is {row.state}"
    if [one.kind for one in mine] != [asked.call] or mine[0].collector != asked.card:
        yield f"was told {_said(end)}, and the programme did {len(mine)} of it"
    elif asked.call == "redeem":
        told = int(end.fields["unitsRedeemed"]) * int(end.fields["unitValueAMCash"])
        number = str(end.fields["txnConfirmationNumber"])
        is_same = (row.confirmation, -mine[0].miles) == (number, told)
        if not is_same or len(books.by_confirmation.get(number, ())) != 1:
            yield f"was told of {told} miles as {number}, the programme moved {mine[0].miles}"


def _void_holds(asked: Asked, books: _Books) -> Iterator[str]:
    """S4: a void that was told 0057 is right: nothing was taken, and nothing is afterwards."""
    if not any(asked.is_end(word) and word.code == NO_SUCH for word in asked.words):
        return
    for row in books.by_number.get(("redeem", asked.voids), ()) if asked.is_void else ():
        if books.effects.get(row.key) and not books.is_with_people(row):
            yield f"was told 0057, and the miles of {row.reference} were taken"


def _nothing_sent_is_so(asked: Asked, books: _Books) -> Iterator[str]:
    """S5: a till whose last word is 0092, and which was left without no answer, has lost no miles;
    and none is told 0092 once they are taken, but to be given back.

    A sending without an answer may still be on its way; such a till voids.
    """
    if asked.call != "redeem":
        return
    outages = [word for word in asked.words if word.code == NOTHING_SENT]
    for row in books.by_number.get(("redeem", asked.number), ()):
        if not books.miles_of(row) or books.is_with_people(row):
            continue
        taken_at = min(effect.at for effect in books.effects[row.key])
        if any(word.asked_at > taken_at for word in outages):
            yield f"was told 0092 after the miles of {row.reference} were taken"
        elif outages and _is_left_alone(asked):
            yield f"was told 0092 at last, and the miles of {row.reference} are gone"


def _is_left_alone(asked: Asked) -> bool:
    """Say whether 0092 is the last word for a request of which no sending can be on its way."""
    last = asked.last
    if last is None or last.code != NOTHING_SENT or any(one.is_silence for one in asked.words):
        return False
    return all(word is last or word.got_at <= last.asked_at for word in asked.words)


def _key_is_one_requests(asked: Asked, _books: _Books) -> Iterator[str]:
    """S6: other bytes under a known key are refused, and only these."""
    for word in asked.words:
        if asked.is_key_reused and word.reference:
            yield f"was sent under a used key and told of {word.reference}"
        elif not asked.is_key_reused and word.status == OTHER_BODY:
            yield "was told that its key is another request's"


def _is_let_in(asked: Asked, _books: _Books) -> Iterator[str]:
    """S7: a till that speaks well is not told that it does not."""
    for word in asked.words:
        is_strange = word.status in _STRANGER or word.code == _BAD_REQUEST
        errors = [str(one.get("errorCode", "")) for one in word.fields.get("errors", ())]
        if (is_strange and word.status != OTHER_BODY) or _INVALID in errors:
            yield f"was refused as no till's: {word.status} {word.body[:200]!r}"


def _miles_are_the_programmes(asked: Asked, books: _Books) -> Iterator[str]:
    """S8: what a till was told of miles ends in what the programme did, offer by offer."""
    if asked.call in CASH_CALLS or asked.is_key_reused:
        return
    row = next(
        (books.rows[one.reference] for one in asked.words if one.reference in books.rows), None
    )
    if row is None or row.is_with_a_person:
        return
    end = asked.end
    if end is None:
        if row.state not in {"queued", "armed", "doubt", "pending"}:
            yield f"was never told how it ended: {row.reference} is {row.state}"
        return
    theirs = {one.confirmation: abs(one.miles) for one in books.effects.get(row.key, ())}
    told = {
        str(one.get("confirmationNumber")): int(one["milesAmount"])
        for one in end.offers
        if str(one.get("status", "")).upper() == "CONFIRMED"
    }
    if told != theirs:
        yield f"was told {end.status} with {told}, and the programme moved {theirs}"
    number = str(end.fields.get("transactionId", ""))
    if number and number != row.confirmation:
        yield f"was told of transaction {number}, and {row.reference} has {row.confirmation}"


_RULES: Mapping[str, Callable[[Asked, _Books], Iterator[str]]] = {
    "S1": _names_its_row,
    "S2": _ends_once,
    "S3": _approval_is_one_effect,
    "S4": _void_holds,
    "S5": _nothing_sent_is_so,
    "S6": _key_is_one_requests,
    "S7": _is_let_in,
    "S8": _miles_are_the_programmes,
}


def _books(evidence: Evidence) -> _Books:
    by_number = defaultdict(list)
    for row in evidence.rows:
        if row.channel == _DOOR:
            by_number[row.operation, row.number].append(row)
    effects, by_confirmation = defaultdict(list), defaultdict(list)
    for effect in evidence.effects:
        effects[effect.key].append(effect)
        by_confirmation[effect.confirmation].append(effect)
    return _Books(
        rows={row.reference: row for row in evidence.rows},
        by_number=by_number,
        effects=effects,
        by_confirmation=by_confirmation,
    )


def _name(asked: Asked) -> str:
    return f"{'void' if asked.is_void else asked.call} {asked.number} of till {asked.till}"


def _said(word: Word) -> str:
    return f"{word.status}/{word.code or word.body[:80].decode('utf-8', 'replace')}"
