"""Tills by bearer token: a good one is its device, everybody else learns nothing."""

from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.audit.models import AuditEntry
from backoffice.devices import strangers, tokens
from backoffice.devices.bearer import DeviceBearer
from tests.cast import Cast

pytestmark = pytest.mark.django_db


class Door(APIView):
    authentication_classes = (DeviceBearer,)
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        return Response({"device": str(request.user)})


def ask(authorization: str = "", **headers: str) -> HttpResponse:
    headers |= {"Authorization": authorization} if authorization else {}
    request = RequestFactory().get("/checkout/amcash/echo", headers=headers)
    response = Door.as_view()(request)
    assert isinstance(response, Response)
    rendered: HttpResponse = response.render()
    return rendered


def test_a_good_token_is_its_device(cast: Cast) -> None:
    token = tokens.issue(cast.till, now=timezone.now(), profile="till")
    assert ask(f"Bearer {token}").status_code == 200
    assert ask(f"bearer  {token} ").content == b'{"device":"0001/001"}'
    assert not AuditEntry.objects.filter(event="device.refused").exists()


def test_every_stranger_is_refused_alike_and_noted(cast: Cast) -> None:
    token = tokens.issue(cast.till, now=timezone.now(), profile="till")
    tokens.revoke(cast.till, by="manager", now=timezone.now())
    answers = {
        (response.status_code, response["WWW-Authenticate"], response.content)
        for response in map(ask, ("", "Bearer", f"Bearer {token}", f"Basic {token}", "Bearer x"))
    }
    assert len(answers) == 1
    status, scheme, body = answers.pop()
    assert (status, scheme) == (401, "Bearer")
    assert b"001" not in body and b"revoked" not in body.lower()
    entries = AuditEntry.objects.filter(event="device.refused")
    assert entries.count() == strangers.NOTED_OF_ONE
    assert entries[0].details == {"path": "/checkout/amcash/echo"} and entries[0].store == ""
    assert token not in str(list(AuditEntry.objects.values()))


def test_a_flood_of_strangers_leaves_few_entries(cast: Cast) -> None:
    for _number in range(strangers.NOTED_OF_ONE + 3):
        ask("Bearer x")
    assert AuditEntry.objects.filter(event="device.refused").count() == strangers.NOTED_OF_ONE


def test_strangers_everywhere_leave_a_bounded_number_of_entries(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "NOTED_OF_ALL", 3)
    for number in range(6):
        request = RequestFactory().get("/checkout/amcash/echo", REMOTE_ADDR=f"192.0.2.{number}")
        Door.as_view()(request)
    assert AuditEntry.objects.filter(event="device.refused").count() == 3


@override_settings(MILEPOST_PRODUCTION=True)
def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(cast: Cast) -> None:
    ask(**{"X-Forwarded-For": "203.0.113.9, 192.0.2.7"})
    ask(**{"X-Forwarded-For": "rubbish"})
    subjects = set(AuditEntry.objects.values_list("subject", flat=True))
    assert subjects == {"address:192.0.2.7", "address:"}


def test_a_till_says_its_version_in_a_header(cast: Cast) -> None:
    token = tokens.issue(cast.till, now=timezone.now() - timedelta(days=1), profile="till")
    ask(f"Bearer {token}", **{"Till-Version": "pos 4.1"})
    cast.till.refresh_from_db()
    assert cast.till.version == "pos 4.1"
    ask(f"Bearer {token}", **{"Till-Version": "p\u00f6s"})
    cast.till.refresh_from_db()
    assert cast.till.version == "pos 4.1"
