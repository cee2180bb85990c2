"""What people decide about a transaction that waits for them: its forms and its words.

Who may, and how many it takes, `people` and `journal.rulings` say; here they are only asked.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from backoffice import clock
from backoffice.journal import entries, rulings
from backoffice.journal.choices import NeedsPerson, Step
from backoffice.journal.entries import Conflict
from backoffice.journal.models import Decision, Transaction
from backoffice.journal.rulings import Ruling
from backoffice.journal.states import GRANTED, TAKING_BACK, Operation, State
from backoffice.office.forms import FocusedForm
from backoffice.people.models import User
from backoffice.units import parse_cents
from backoffice.wire import scrub

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

# What an outcome means to whoever must choose one.
_OUTCOMES: Final[dict[tuple[Operation, State], "StrPromise"]] = {
    (Operation.REDEEM, State.DONE): _("It went through, and the customer got the discount"),
    (Operation.REDEEM, State.APPROVED): _("It went through, but the customer got no discount"),
    (Operation.REDEEM, State.DECLINED): _("It did not go through; no miles were taken"),
    (Operation.REVERSE, State.APPROVED): _("It worked; the miles are back"),
    (Operation.REVERSE, State.DECLINED): _("It did not work; the miles stay used"),
    (Operation.REVERSE, State.EXPIRED): _("It came too late; the miles stay used"),
    (Operation.RECORD, State.DONE): _("The programme has recorded it"),
    (Operation.RECORD, State.REJECTED): _("The programme has not recorded it"),
}
_OF_MILES_GIVEN: Final[dict[State, "StrPromise"]] = {
    State.CONFIRMED: _("It went through; the customer has the miles"),
    State.PARTIAL: _("Only a part of the miles was given"),
    State.REJECTED: _("It did not go through; no miles were given"),
}
_OF_MILES_TAKEN: Final[dict[State, "StrPromise"]] = {
    State.CONFIRMED: _("It went through; the miles were taken back"),
    State.PARTIAL: _("Only a part of the miles was taken back"),
    State.REJECTED: _("It did not go through; no miles were taken back"),
    State.NOT_SENT: _("It is not sent; a new return takes back what is right"),
}
REFUSALS: Final[dict[Conflict, "StrPromise"]] = {
    Conflict.STATE_CHANGED: _("Something changed in the meantime. Look again before you decide."),
    Conflict.SAME_PERSON: _("Whoever proposed it cannot confirm it. Ask somebody else."),
    Conflict.IMPOSSIBLE: _(
        "That amount or number of miles cannot be right: it is nothing, or more than was asked for."
    ),
    Conflict.ANSWER_CAME: _(
        "The programme has answered since this was proposed. Read its answer, then propose anew."
    ),
}


class NoteForm(FocusedForm):
    """Why: a sentence that others will read, with no card number in it."""

    note = forms.CharField(
        label=_("What you found out, and from whom"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write what you found out.")},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        options["auto_id"] = "decision_%s"
        super().__init__(*args, **options)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.RadioSelect):
                field.widget.attrs["class"] = "input"

    def clean(self) -> dict[str, Any]:
        """Refuse a card number wherever it was typed."""
        found = super().clean() or self.cleaned_data
        for name, value in list(found.items()):
            if isinstance(value, str) and scrub(value) != value:
                self.add_error(name, _("Leave card numbers out; the last four digits are enough."))
        return found


class ProposalForm(NoteForm):
    """What the programme's help desk said; only what this transaction lacks is asked for."""

    outcome = forms.ChoiceField(
        label=_("What happened"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what happened.")},
    )
    help_desk_ref = forms.CharField(
        label=_("Help desk’s reference"),
        max_length=60,
        error_messages={"required": _("Type the reference that the help desk gave you.")},
    )
    confirmation_number = forms.RegexField(
        r"^[A-Za-z0-9-]{1,40}$",
        label=_("Confirmation number, if it went through"),
        required=False,
        error_messages={"invalid": _("The number has letters, digits and hyphens only.")},
    )
    miles = forms.IntegerField(
        label=_("Miles, if it went through"),
        min_value=1,
        max_value=rulings.MOST_MILES,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    amount = forms.CharField(
        label=_("Amount taken off, if it went through"), max_length=12, required=False
    )
    field_order = ("outcome", "help_desk_ref", "confirmation_number", "amount", "miles", "note")

    def __init__(self, *args: Any, row: Transaction, now: datetime, **options: Any) -> None:
        super().__init__(*args, **options)
        operation = Operation(row.operation)
        self.most_cents = row.asked_cents
        lawful = entries.case_of(row, now=now).outcomes
        choices = [(one.value, _meaning(operation, one)) for one in lawful]
        outcome = self.fields["outcome"]
        assert isinstance(outcome, forms.ChoiceField)
        outcome.choices = choices
        is_redemption = bool(lawful) and operation is Operation.REDEEM
        is_of_miles = State.CONFIRMED in lawful
        has_number = bool(row.confirmation_number)
        lacks = {
            "outcome": bool(lawful),
            "confirmation_number": (is_redemption or is_of_miles) and not has_number,
            "amount": is_redemption and row.amount_cents is None,
            "miles": is_of_miles and not row.offers.exists(),
        }
        for name, is_lacking in lacks.items():
            if not is_lacking:
                del self.fields[name]
        if "amount" in self.fields and row.asked_cents is not None:
            self.fields["amount"].initial = typed_cents(row.asked_cents)

    def clean_amount(self) -> int | None:
        """Return the cents, or None where nothing was typed."""
        text = re.sub(r"[\s\u00a0\u202f$]", "", self.cleaned_data["amount"]).replace(",", ".")
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{2})?", text):
            raise ValidationError(_("Type an amount such as 40.00."))
        return parse_cents(text)

    def clean(self) -> dict[str, Any]:
        """Refuse an amount that the programme cannot have taken off."""
        found = super().clean()
        cents, most = found.get("amount"), self.most_cents
        if found.get("outcome") in GRANTED and cents is not None:
            if cents < 1:
                self.add_error("amount", _("Type more than nothing, or leave it empty."))
            elif most is not None and cents > most:
                said = _("No more than %(most)s was asked for.") % {"most": typed_cents(most)}
                self.add_error("amount", said)
        return found

    def ruling(self) -> Ruling:
        """Return what was said."""
        found = self.cleaned_data
        outcome = State(found["outcome"]) if found.get("outcome") else None
        # All are asked for in case it went through, and one stands there before it is asked.
        went_through = outcome in GRANTED
        return Ruling(
            note=found["note"],
            outcome=outcome,
            help_desk_ref=found["help_desk_ref"],
            confirmation_number=found.get("confirmation_number") or "" if went_through else "",
            amount_cents=found.get("amount") if went_through else None,
            miles=found.get("miles") if went_through else None,
        )


@dataclass(frozen=True, kw_only=True)
class Said:
    """One decision, in words."""

    decision: Decision
    outcome: "StrPromise | str"


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a transaction's page shows of its task. `form` is None where this reader may not act."""

    is_open: bool
    # Whether it is still asked for, and people may end that.
    is_unfinished: bool
    name: "StrPromise | str"
    # Whether its miles can no longer be given back, whatever is decided.
    is_too_late: bool
    takes_two: bool
    said: tuple[Said, ...]
    proposal: Said | None
    is_own: bool
    form: NoteForm | None


def task_of(row: Transaction, user: User, form: NoteForm | None = None, *, now: datetime) -> Task:
    """Return the task of a transaction as `user` may see and do it."""
    case = entries.case_of(row, now=now)
    is_open, takes_two = bool(case.task), case.needs_two
    proposal = entries.proposal_of(row) if is_open else None
    if form is None and is_open and user.may_decide:
        form = ProposalForm(row=row, now=now) if takes_two and proposal is None else NoteForm()
    is_own = proposal is not None and proposal.person_id == user.pk
    if form is not None and is_own:
        form.fields["note"].label = _("Why you take it back")
    said = [_said(row, one) for one in row.decisions.select_related("person").order_by("id")]
    return Task(
        is_open=is_open,
        is_unfinished=case.is_unfinished,
        name=NeedsPerson(case.task).label if case.task else "",
        is_too_late=row.operation == Operation.REDEEM
        and State.APPROVED in case.outcomes
        and clock.is_too_late(now, row.deadline_at),
        takes_two=takes_two,
        said=tuple(said),
        proposal=_said(row, proposal) if proposal else None,
        is_own=is_own,
        form=form if user.may_decide else None,
    )


def typed_cents(cents: int) -> str:
    """Return an amount as a person types it: ``40.00``, ``40,00`` in French."""
    point = "," if (get_language() or "en").startswith("fr") else "."
    return f"{cents // 100}{point}{cents % 100:02d}"


def form_of(row: Transaction, step: str, data: QueryDict, *, now: datetime) -> NoteForm:
    """Return the form that was sent for this step."""
    if step == Step.PROPOSED:
        return ProposalForm(data, row=row, now=now)
    return NoteForm(data)


def _said(row: Transaction, decision: Decision) -> Said:
    outcome: StrPromise | str = ""
    if decision.outcome:
        outcome = _meaning(Operation(row.operation), State(decision.outcome))
    return Said(decision=decision, outcome=outcome)


def _meaning(operation: Operation, outcome: State) -> "StrPromise | str":
    of_miles = _OF_MILES_TAKEN if operation in TAKING_BACK else _OF_MILES_GIVEN
    return _OUTCOMES.get((operation, outcome), of_miles.get(outcome, outcome.value))
