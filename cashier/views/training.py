"""A till begins to practise, and ends it: both are a manager's to allow (CONSOLE 2.3, 2.9)."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from backoffice.devices import training as practice
from backoffice.devices.models import Device
from backoffice.journal import line, waiting
from backoffice.people.actors import Channel
from backoffice.people.models import User
from cashier import approvals
from cashier.frames import Frame, at_till, show, to
from cashier.panels import Action

_BEGIN, _END, _FRESH = "begin", "end", "fresh"


@require_http_methods(["GET", "HEAD", "POST"])
@at_till
def training(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Say what training is; begin it or end it when a manager asks or has agreed."""
    if not practice.is_set_up() and not frame.is_training:
        raise Http404
    wanted = request.POST.get("to", "")
    if wanted == _FRESH and frame.is_training:
        return _fresh(request, frame)
    is_wanted = wanted == (_END if frame.is_training else _BEGIN)
    if request.method != "POST" or not is_wanted:
        return _page(request, frame)
    if wanted == _BEGIN and waiting.is_unknown_at(frame.till):
        # In training this till could not show how it ended.
        return _page(request, frame, _("A sale of this till is not settled yet. Wait until it is."))
    try:
        manager = _manager(request, frame)
    except approvals.NotApproved as nobody:
        return approvals.ask(request, frame, _to_approve(wanted), nobody)
    if manager is None:
        return approvals.ask(request, frame, _to_approve(wanted))
    _change(frame, wanted, manager)
    # The whole page anew: what stands around the screen changes with it.
    return to(request, reverse("cashier:home"))


def _manager(request: HttpRequest, frame: Frame) -> User | None:
    return frame.user if frame.user.may_decide else approvals.approver_of(request, frame)


def _change(frame: Frame, wanted: str, manager: User) -> None:
    by = frame.user.username
    approved_by = manager.username if manager != frame.user else ""
    channel = Channel.CONSOLE.value
    if wanted == _END:
        practice.end(frame.till, by=by, approved_by=approved_by, channel=channel)
        return
    if not Device.objects.filter(training_since__isnull=False).exists():
        line.give_trainees_fresh_cards()
    practice.begin(frame.till, by=by, approved_by=approved_by, channel=channel, now=frame.now)


def _fresh(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Give the training cards their miles back, which the others who practise get as well."""
    if line.give_trainees_fresh_cards():
        return _page(request, frame, said=_("The training cards have their miles back."))
    return _page(request, frame, _("The training sandbox does not answer. Try again in a minute."))


def _page(request: HttpRequest, frame: Frame, problem: str = "", *, said: str = "") -> HttpResponse:
    context = {"problem": problem, "said": said}
    return show(request, frame, "cashier/training.html", context, section="training")


def _to_approve(wanted: str) -> approvals.Asked:
    is_end = wanted == _END
    return approvals.Asked(
        title=_("End training") if is_end else _("Begin training"),
        text=_("Everything at this till is real again.")
        if is_end
        else _("Nothing at this till is real until a manager ends it."),
        url=reverse("cashier:training"),
        fields=[("to", wanted)],
        facts=[],
        back=Action(word=_("Back"), url=reverse("cashier:home")),
        section="training",
    )
