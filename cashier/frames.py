"""What stands around every screen of the till: who, where, in which language; and how it is sent.

A view gets a Frame or the request never reaches it: no till, no screen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails

from backoffice.clock import business_day, settlement_day_starts
from backoffice.devices import training
from backoffice.devices.enrolment import tablet_for
from backoffice.devices.models import Device
from backoffice.journal import selectors
from backoffice.people import sessions
from backoffice.people.actors import Actor, Channel
from backoffice.people.models import User
from backoffice.people.scope import may_use
from backoffice.stores.models import Sponsor, Store, Word
from cashier.templatetags.milepost import seconds

P = ParamSpec("P")


class SeeOther(HttpResponseRedirect):
    """After a POST: look there, with a GET."""

    status_code = 303


@dataclass(frozen=True)
class Frame:
    """The till, the person and the moment of one request."""

    till: Device
    user: User
    session_key: str
    now: datetime
    proof: sessions.Proof = sessions.Proof.PASSWORD
    # Whether an enrolled tablet asks: it can be locked, for there are PINs to open it with.
    is_tablet: bool = False

    @property
    def store(self) -> Store:
        """The shop this till stands in."""
        return self.till.store

    @property
    def sponsor(self) -> Sponsor:
        """The partner whose words and numbers count."""
        return self.till.store.sponsor

    @property
    def is_training(self) -> bool:
        """Whether this till practises: nothing that is done at it is real."""
        return self.till.is_training

    @property
    def may_practise(self) -> bool:
        """Whether training can be begun here, with a manager's word."""
        return training.is_set_up() and not self.is_training

    @property
    def actor(self) -> Actor:
        """Who asks the services."""
        return Actor(
            user=self.user,
            device=self.till,
            channel=Channel.CONSOLE,
            is_training=self.is_training,
        )

    @property
    def idle_s(self) -> int:
        """After how long without a touch the tablet locks itself; 0 when it is no tablet."""
        return int(sessions.IDLE.total_seconds()) if self.is_tablet else 0

    @property
    def warned_s(self) -> int:
        """How long before that it warns."""
        return int(sessions.WARNED_BEFORE.total_seconds())

    @property
    def bound_to(self) -> str:
        """What a sealed sale is bound to: this session at this till, and whether it is real."""
        kind = "training" if self.is_training else "sale"
        return f"{kind}:{self.session_key}:{self.till.pk}"

    @property
    def language(self) -> str:
        """The language of the screen, which the receipt follows."""
        return language()

    @property
    def today_starts(self) -> datetime:
        """Midnight of the trading day that is on; what was sold since is today's at the till."""
        zone = self.store.tzinfo
        return settlement_day_starts(business_day(self.now, zone), zone)

    @property
    def store_name(self) -> str:
        """The store's name in the language of the screen."""
        return self.store.name_in(self.language)

    @cached_property
    def words(self) -> Mapping[str, str]:
        """The sponsor's own words in the active language."""
        return words_of(self.sponsor)

    @cached_property
    def programme(self) -> selectors.ProgrammeView:
        """How the programme answers just now; in training it is not asked, and nothing is away."""
        if self.is_training:
            return selectors.ProgrammeView(word=selectors.ProgrammeWord.UP, answer_ms=None)
        return selectors.programme_state(now=self.now)

    @property
    def answer_s(self) -> str:
        """How long the programme's last answer took: ``0.6``."""
        if self.programme.answer_ms is None:
            return ""
        return seconds(self.programme.answer_ms)

    @cached_property
    def open_count(self) -> int:
        """How many of this till's latest operations still owe an outcome."""
        rows = selectors.latest(self.user, device=self.till, is_training=self.is_training, limit=20)
        return sum(row.state in _OPEN for row in rows)


_WORDS: tuple[Word, ...] = ("cash", "dream", "miles", "programme", "advice", "escalation")
_OPEN = frozenset({"queued", "armed", "doubt", "pending"})


def language() -> str:
    """The active language as two letters."""
    return "fr" if (get_language() or "en").startswith("fr") else "en"


def words_of(sponsor: Sponsor) -> Mapping[str, str]:
    """The sponsor's own words in the active language."""
    return {name: sponsor.word(name, language()) for name in _WORDS}


TillView = Callable[Concatenate[HttpRequest, Frame, P], HttpResponse]


def at_till(view: TillView[P]) -> Callable[..., HttpResponse]:
    """Give the view its Frame, or send the person to pick a till first."""

    @wraps(view)
    def framed(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        now = timezone.now()
        if sessions.has_idled(request.session, now=now):
            logout(request)
            return to(request, reverse("cashier:unlock"))
        till = picked_till(request)
        if till is None:
            return to(request, reverse("cashier:till"))
        if _is_asked_by_a_person(request):
            sessions.note_activity(request.session, now=now)
        frame = Frame(
            till=till,
            user=cast(User, request.user),
            session_key=sessions.sale_key_of(request.session),
            now=now,
            proof=sessions.proof_of(request.session),
            is_tablet=tablet_for(request) is not None,
        )
        response = view(request, frame, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    return framed


def posted(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let only a POST act; a GET (a reload, a sign-in on the way) leads to where to look."""

    @wraps(view)
    @require_http_methods(["GET", "HEAD", "POST"])
    def acting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            return view(request, *args, **kwargs)
        if "reference" in kwargs:
            return SeeOther(reverse("cashier:sale", args=[kwargs["reference"]]))
        return SeeOther(reverse("cashier:home"))

    return acting


def home_of(user: User) -> str:
    """Return where a person begins."""
    return reverse("cashier:home") if user.may_use_till else reverse("office:home")


def _is_asked_by_a_person(request: HttpRequest) -> bool:
    # A screen that waits for an answer asks by itself, whoever is there to see it.
    return request.resolver_match is None or request.resolver_match.url_name != "status"


def picked_till(request: HttpRequest) -> Device | None:
    """Return the till that this tablet is enrolled as, if this person may use it."""
    tablet = tablet_for(request)
    if tablet is None or not may_use(cast(User, request.user), tablet):
        return None
    return tablet


def details_of(request: HttpRequest) -> HtmxDetails:
    """Return what htmx says of the request; false in itself when it did not ask."""
    return cast(HtmxDetails, request.htmx)  # type: ignore[attr-defined]


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for the screen alone."""
    details = details_of(request)
    return bool(details) and not details.history_restore_request


def to(request: HttpRequest, url: str) -> HttpResponse:
    """Send the browser to another page as a whole, from a form or from htmx alike."""
    if is_fragment(request):
        return HttpResponse(headers={"HX-Redirect": url})
    return SeeOther(url)


def show(
    request: HttpRequest,
    frame: Frame | None,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    section: str = "redeem",
) -> HttpResponse:
    """Answer with a screen: the whole page, or its fragment when htmx asks.

    Without a frame there is no till's screen to replace, so htmx loads the page as a whole.
    """
    fragment = is_fragment(request)
    if fragment and frame is None:
        return to(request, request.get_full_path())
    shell = "cashier/_bare.html" if fragment else "base.html"
    screen = {"shell": shell, "frame": frame, "section": section, **(context or {})}
    response = render(request, template, screen)
    if fragment:
        # The steps of a sale have no address of their own; a reload leads to the resting screen.
        step = request.get_full_path() if request.method == "GET" else reverse("cashier:home")
        if details_of(request).current_url_abs_path != step:
            response["HX-Push-Url"] = step
    patch_vary_headers(response, ["HX-Request"])
    return response
