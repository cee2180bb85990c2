"""The connection test: one ECHO and one RECORD that is no sale, and how far each of them came.

What is sent, `amcash.pulse` and `issuance.services` say; here it is asked for and told in words.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from amcash import pulse
from amcash.client import Heard as CashHeard
from backoffice.audit import trail
from backoffice.audit.models import AuditEntry
from backoffice.devices.models import Device
from backoffice.journal import programme
from backoffice.journal.states import Product
from backoffice.office import search, story
from backoffice.office.access import OfficeRequest, office_page
from backoffice.people.models import User
from backoffice.people.scope import usable_tills, visible_stores
from backoffice.stores.models import Store
from backoffice.wire import Silence
from issuance import services
from issuance.client import Heard as IssuanceHeard

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_EVENT: Final = "connection.tested"
_MOST_TESTS: Final = 10


class Stage(StrEnum):
    """How far a request came, in order."""

    TOKEN = "token"  # noqa: S105 (the name of a stage, not a secret)
    NAME = "name"
    CONNECTION = "connection"
    ENCRYPTION = "encryption"
    ANSWER = "answer"


class Mark(StrEnum):
    """How a stage ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not_reached"
    NOT_NEEDED = "not_needed"


_NAMES: Final[dict[Stage, "StrPromise"]] = {
    Stage.TOKEN: _("Access token"),
    Stage.NAME: _("Address found"),
    Stage.CONNECTION: _("Connection made"),
    Stage.ENCRYPTION: _("Encryption agreed"),
    Stage.ANSWER: _("Answer understood"),
}
# Where a silence ended the way; every other kind came as far as waiting for the answer.
_FAILED_AT: Final = {
    "no_token": Stage.TOKEN,
    "unresolved": Stage.NAME,
    "refused": Stage.CONNECTION,
    "connect_timeout": Stage.CONNECTION,
    "tls": Stage.ENCRYPTION,
}
_TO_DO: Final[dict[Stage, "StrPromise"]] = {
    Stage.TOKEN: _(
        "Have your operator check the client, its secret, the audience and the token’s address."
    ),
    Stage.NAME: _("Have your operator check the programme’s address and the name server."),
    Stage.CONNECTION: _("Have your operator check the network and the firewall."),
    Stage.ENCRYPTION: _("Have your operator check the clock and certificates of this machine."),
    Stage.ANSWER: _("Test again in a minute. If it stays so, call the programme’s help desk."),
}
_REFUSED: Final = _(
    "The programme refused what it was told. Check the sponsor’s, store’s and till’s numbers."
)
_BUSY: Final = _("Too many requests are under way here. Test again in a minute.")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One stage of one request."""

    name: "StrPromise"
    mark: Mark


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What became of one request. `said` is the programme's own, `why` ours; empty when good."""

    is_good: bool
    steps: tuple[Step, ...]
    duration_ms: int | None = None
    http_status: int | None = None
    code: str = ""
    said: str = ""
    why: "StrPromise | str" = ""
    to_do: "StrPromise | str" = ""

    @property
    def summary(self) -> str:
        """How it ended, for the audit log: a code, a status, a kind of silence."""
        return self.code or (str(self.http_status) if self.http_status else "")


@require_http_methods(["GET", "HEAD", "POST"])
@office_page
def connection(request: OfficeRequest) -> HttpResponseBase:
    """Show the last tests; posted, test the line of one store and show how it went."""
    tills = _tills(request.user)
    context: dict[str, Any] = {
        "section": "connection",
        "tills": tills,
        "may_test": request.user.may_decide,
    }
    if request.method == "POST":
        if not request.user.may_decide:
            raise PermissionDenied
        till = next((one for one in tills if str(one.store_id) == request.POST.get("store")), None)
        if till is None:
            # Another store's manager is told no more than a stranger.
            raise PermissionDenied
        context |= {"till": till, **_tested(request.user, till)}
    stores = list(visible_stores(request.user).select_related("sponsor"))
    context |= {
        "breaker": programme.standing(Product.CASH),
        "miles_breaker": programme.standing(Product.ISSUANCE),
        "zone": search.shared_zone(stores),
        "stops": story.stops(),
        "tests": _earlier(stores),
    }
    return render(request, "office/connection.html", context)


def _tills(user: User) -> list[Device]:
    """Return one till of each store, which the programme knows."""
    found: dict[int, Device] = {}
    tills = usable_tills(user).order_by("store__sponsor__code", "store__number", "number")
    for till in tills:
        found.setdefault(till.store_id, till)
    return list(found.values())


def _tested(user: User, till: Device) -> dict[str, Any]:
    echo = _echo(pulse.feel(till))
    # A good ECHO has just closed the breaker; otherwise nothing new is sent, not even this.
    heard = services.try_record(till, now=timezone.now())
    record = _record(heard) if heard is not None else None
    trail.record(
        _EVENT,
        subject=_subject(till.store),
        actor=user.username,
        channel="office",
        store=till.store.number,
        device=till.number,
        details={
            "echo": echo.summary,
            "echo_ms": echo.duration_ms,
            "record": record.summary if record else "not_sent",
            "record_ms": record.duration_ms if record else None,
            "is_good": echo.is_good and record is not None and record.is_good,
        },
    )
    return {"echo": echo, "record": record}


def _subject(store: Store) -> str:
    return f"connection:{store.sponsor.code}/{store.number}"


def _earlier(stores: list[Store]) -> list[AuditEntry]:
    subjects = [_subject(store) for store in stores]
    found = AuditEntry.objects.filter(subject__in=subjects, event=_EVENT)
    return list(found.order_by("-id")[:_MOST_TESTS])


def _echo(heard: CashHeard) -> Probe:
    if heard.silence is not None:
        return _silent(heard.silence)
    code = heard.answer.code if heard.answer is not None else ""
    is_good = code == "0000"
    return _answered(
        http_status=heard.http_status,
        duration_ms=heard.duration_ms,
        is_good=is_good,
        is_read=heard.answer is not None,
        code=code,
        # Of a refused field the message names it (0035); an ECHO names nobody.
        said=heard.answer.message if heard.answer is not None and not is_good else "",
        is_refused=bool(code) and not is_good and heard.http_status == 400,
    )


def _record(heard: IssuanceHeard) -> Probe:
    if heard.silence is not None:
        return _silent(heard.silence)
    errors = heard.answer.errors if heard.answer is not None else ()
    return _answered(
        http_status=heard.http_status,
        duration_ms=heard.duration_ms,
        is_good=heard.http_status == 200 and heard.answer is not None,
        is_read=heard.answer is not None,
        code=errors[0][0] if errors else "",
        said=errors[0][1] if errors else "",
        is_refused=heard.http_status == 400,
    )


def _answered(
    *,
    http_status: int | None,
    duration_ms: int,
    is_good: bool,
    is_read: bool,
    code: str,
    said: str,
    is_refused: bool,
) -> Probe:
    # A 401 without a code is about the token, which was renewed once already.
    failed_at = Stage.TOKEN if http_status == 401 and not code else Stage.ANSWER
    why: StrPromise | str = ""
    to_do: StrPromise | str = ""
    if not is_good:
        why = _("It is not an answer of the programme’s")
        if failed_at is Stage.TOKEN:
            why = _("The programme refused the access token")
        elif is_read:
            why = _("The programme answered that it cannot")
        to_do = _REFUSED if is_refused else _TO_DO[failed_at]
    return Probe(
        is_good=is_good,
        steps=_steps(None if is_good else failed_at),
        duration_ms=duration_ms,
        http_status=http_status,
        code=code,
        said=said,
        why=why,
        to_do=to_do,
    )


def _silent(silence: Silence) -> Probe:
    is_held_here = silence.kind == "busy"
    failed_at = _FAILED_AT.get(silence.kind, Stage.ANSWER)
    return Probe(
        is_good=False,
        steps=() if is_held_here else _steps(failed_at),
        duration_ms=silence.duration_ms,
        code=silence.kind,
        said=silence.detail,
        why=story.silence(silence.kind),
        to_do=_BUSY if is_held_here else _TO_DO[failed_at],
    )


def _steps(failed_at: Stage | None) -> tuple[Step, ...]:
    order = list(Stage)
    # The encryption is agreed upon with the address, so without one of https there is none.
    is_encrypted = settings.AIRMILES_BASE_URL.startswith("https:")
    end = order.index(failed_at) if failed_at is not None else len(order)
    steps = []
    for place, stage in enumerate(order):
        mark = Mark.PASSED if place < end else Mark.NOT_REACHED
        if place == end:
            mark = Mark.FAILED
        elif stage is Stage.ENCRYPTION and not is_encrypted and place < end:
            mark = Mark.NOT_NEEDED
        steps.append(Step(name=_NAMES[stage], mark=mark))
    return tuple(steps)
