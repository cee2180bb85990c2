"""API tokens: who is believed, for how long, of which stores, and what ends one."""

import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.devices import tokens
from backoffice.people import api_tokens
from backoffice.people.api_tokens import Standing
from backoffice.people.models import ApiScope, ApiToken, Role
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def make(cast: Cast, **changes: Any) -> tuple[ApiToken, str]:
    fields: dict[str, Any] = {
        "scopes": ["stores:read"],
        "stores": None,
        "expires_at": None,
        "by": cast.administrator,
        "now": NOW,
    }
    return api_tokens.make("Warehouse", **{**fields, **changes})


def test_a_token_is_believed_and_kept_nowhere(cast: Cast) -> None:
    row, secret = make(cast)
    assert api_tokens.found(secret, now=NOW) == row
    assert len(secret) == 43 and secret not in str(vars(ApiToken.objects.get()))
    assert secret not in str(list(AuditEntry.objects.values()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest FROM people_apitoken")
        assert cursor.fetchone()[0] not in {tokens.digest(secret), secret}


@pytest.mark.parametrize("secret", ["", "x", "x" * 43, "é" * 43, "\0" * 43, "x" * 100_000])
def test_what_is_no_token_is_not_believed(cast: Cast, secret: str) -> None:
    make(cast)
    assert api_tokens.found(secret, now=NOW) is None


def test_a_token_of_a_device_is_none_of_the_api_nor_the_other_way(cast: Cast) -> None:
    _row, secret = make(cast)
    assert tokens.found(secret, now=NOW) is None
    assert api_tokens.found(tokens.issue(cast.till, now=NOW), now=NOW) is None


def test_the_end_of_a_token_is_its_end(cast: Cast) -> None:
    row, secret = make(cast, expires_at=NOW + DAY)
    assert api_tokens.found(secret, now=NOW + DAY - SECOND) == row
    assert api_tokens.found(secret, now=NOW + DAY) is None
    assert api_tokens.standing(row, now=NOW + DAY) is Standing.ENDED


def test_its_last_day_ends_at_midnight_by_the_programmes_clock(cast: Cast) -> None:
    assert api_tokens.end_of(NOW.date()) == datetime(2026, 11, 21, 5, tzinfo=UTC)


def test_a_revocation_holds_from_the_next_request_and_is_told_once(cast: Cast) -> None:
    row, secret = make(cast)
    assert api_tokens.revoke(row, by="administrator", now=NOW)
    assert not api_tokens.revoke(row, by="administrator", now=NOW + SECOND)
    assert api_tokens.found(secret, now=NOW) is None
    assert ApiToken.objects.get().revoked_at == NOW
    (entry,) = AuditEntry.objects.filter(event="api_token.revoked")
    assert (entry.actor, entry.subject) == ("administrator", f"api_token:{row.pk}")


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.MANAGER}])
def test_a_token_is_good_for_no_more_than_who_made_it(cast: Cast, change: dict[str, Any]) -> None:
    row, secret = make(cast)
    for name, value in change.items():
        setattr(cast.administrator, name, value)
    cast.administrator.save()
    assert api_tokens.found(secret, now=NOW) is None
    row = ApiToken.objects.get()
    assert api_tokens.standing(row, now=NOW) is Standing.UNBACKED
    cast.administrator.is_active, cast.administrator.role = True, Role.ADMINISTRATOR
    cast.administrator.save()
    assert api_tokens.found(secret, now=NOW) == row


def test_nobody_else_makes_one(cast: Cast) -> None:
    for person in (cast.manager, cast.auditor, cast.cashier):
        with pytest.raises(AssertionError):
            make(cast, by=person)
    with pytest.raises(AssertionError):
        make(cast, scopes=[])
    with pytest.raises(ValueError, match="money:write"):
        make(cast, scopes=["money:write"])
    assert not ApiToken.objects.exists()


def test_a_token_reads_of_its_stores_and_no_store_is_none(cast: Cast) -> None:
    every, _secret = make(cast)
    south, _secret = make(cast, stores=[cast.south])
    none, _secret = make(cast, stores=[])
    assert set(api_tokens.visible_stores(every)) == {cast.north, cast.south}
    assert list(api_tokens.visible_stores(south)) == [cast.south]
    assert not api_tokens.visible_stores(none).exists()


def test_that_it_came_is_noted_once_a_minute(cast: Cast) -> None:
    _row, secret = make(cast)
    for seconds, seen in ((0, 0), (59, 0), (60, 60), (61, 60)):
        api_tokens.found(secret, now=NOW + timedelta(seconds=seconds))
        assert ApiToken.objects.get().last_used_at == NOW + timedelta(seconds=seen)


def test_who_made_it_for_what_is_in_the_audit_log(cast: Cast) -> None:
    make(cast, stores=[cast.south], scopes=["transactions:read", "stores:read"])
    (entry,) = AuditEntry.objects.filter(event="api_token.made")
    assert (entry.actor, entry.channel) == ("administrator", "office")
    assert entry.details == {
        "name": "Warehouse",
        "scopes": "transactions:read stores:read",
        "stores": "LOY1/0002",
        "ends": "",
    }


# From a shell.


def run(*arguments: str) -> tuple[str, str]:
    said, told = StringIO(), StringIO()
    call_command("api_token", *arguments, stdout=said, stderr=told)
    return said.getvalue(), told.getvalue()


MAKE = ("make", "--name", "Warehouse", "--by", "administrator", "--scope", "stores:read")


def test_the_command_prints_a_token_alone_on_its_line(cast: Cast) -> None:
    said, told = run(*MAKE, "--store", "0002", "--until", "2999-12-31")
    assert re.fullmatch(r"[\w-]{43}\n", said) and "shown this once" in told
    row = api_tokens.found(said.strip(), now=timezone.now())
    assert row is not None and list(row.stores.all()) == [cast.south]
    assert row.scopes == [ApiScope.STORES] and row.expires_at is not None
    assert AuditEntry.objects.get(event="api_token.made").channel == "shell"
    listed, _told = run("list")
    assert said.strip() not in listed
    assert f"{row.pk} · good · Warehouse · stores:read · LOY1/0002 · by administrator" in listed


def test_the_command_revokes(cast: Cast) -> None:
    said, _told = run(*MAKE, "--every-store")
    number = str(ApiToken.objects.get().pk)
    assert "revoked" in run("revoke", number, "--by", "administrator")[1]
    assert api_tokens.found(said.strip(), now=timezone.now()) is None
    assert "before" in run("revoke", number, "--by", "administrator")[1]
    assert "revoked" in run("list")[0]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((*MAKE, "--store", "0009"), "There is no store 0009"),
        ((*MAKE, "--every-store", "--until", "2020-01-01"), "Its last day is over"),
        (("make", "--name", " ", *MAKE[3:], "--every-store"), "A name has"),
        ((*MAKE[:4], "manager", *MAKE[5:], "--every-store"), "manager is no active administrator"),
        ((*MAKE[:4], "nobody", *MAKE[5:], "--every-store"), "nobody is no active administrator"),
        (("revoke", "1", "--by", "manager"), "manager is no active administrator"),
        (("revoke", "99999", "--by", "administrator"), "There is no API token 99999"),
        (MAKE, "required"),
        ((*MAKE, "--every-store", "--until", "soon"), "invalid"),
        ((*MAKE, "--every-store", "--until", "9999-12-31"), "too far away"),
        ((*MAKE, "--every-store", "--scope", "money:write"), "invalid choice"),
    ],
)
def test_the_command_says_what_is_wrong_and_makes_nothing(
    cast: Cast, arguments: tuple[str, ...], why: str
) -> None:
    with pytest.raises(CommandError, match=why):
        run(*arguments)
    assert not ApiToken.objects.exists()
