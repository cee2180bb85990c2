"""Makes, lists and revokes the tokens by which programs read over `/api/v1/`."""

from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backoffice.people import api_tokens
from backoffice.people.models import ApiScope, ApiToken, User
from backoffice.stores.models import Store

_CHANNEL = "shell"


class Command(BaseCommand):
    """API tokens from a shell; who makes or revokes one is named, and stands in the audit log."""

    help = "Make, list or revoke API tokens. A token is printed alone on its line, this once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say which act, and what of it."""
        acts = parser.add_subparsers(dest="act", required=True)
        make = acts.add_parser("make", help="print a new token")
        make.add_argument("--name", required=True, help="what reads with it")
        make.add_argument("--by", required=True, help="the administrator who answers for it")
        make.add_argument(
            "--scope",
            action="append",
            choices=[scope.value for scope in ApiScope],
            required=True,
            help="what it may read; as often as needed",
        )
        limits = make.add_mutually_exclusive_group(required=True)
        limits.add_argument("--store", action="append", help="a store's number; as often as needed")
        limits.add_argument("--every-store", action="store_true", help="all, also later ones")
        make.add_argument("--sponsor", default="", help="where two sponsors have such a store")
        make.add_argument("--until", type=_day, help="its last day, as 2026-12-31; else no end")
        acts.add_parser("list", help="list all tokens")
        revoke = acts.add_parser("revoke", help="end a token at once")
        revoke.add_argument("number", type=int, help="its number in the list")
        revoke.add_argument("--by", required=True, help="the administrator who does it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        match options["act"]:
            case "make":
                self._make(options)
            case "list":
                self._list()
            case _:
                self._revoke(options)

    def _make(self, options: dict[str, Any]) -> None:
        name, now = options["name"].strip(), timezone.now()
        if not 0 < len(name) <= 60:
            raise CommandError("A name has one to sixty characters.")
        expires_at = api_tokens.end_of(options["until"]) if options["until"] else None
        if expires_at is not None and expires_at <= now:
            raise CommandError("Its last day is over.")
        stores = None if options["every_store"] else _stores(options["store"], options["sponsor"])
        row, secret = api_tokens.make(
            name,
            scopes=options["scope"],
            stores=stores,
            expires_at=expires_at,
            by=_administrator(options["by"]),
            now=now,
            channel=_CHANNEL,
        )
        self.stdout.write(secret)
        self.stderr.write(f"API token {row.pk}, {row.name}. It is shown this once.")

    def _list(self) -> None:
        now = timezone.now()
        for row in api_tokens.listed().prefetch_related("stores__sponsor"):
            numbers = [f"{one.sponsor.code}/{one.number}" for one in row.stores.all()]
            cells = [
                str(row.pk),
                api_tokens.standing(row, now=now).value,
                row.name,
                " ".join(row.scopes),
                "every store" if row.is_of_every_store else " ".join(numbers),
                f"by {row.made_by.username}",
                f"until {row.expires_at.isoformat()}" if row.expires_at else "no end",
                f"used {row.last_used_at.isoformat()}" if row.last_used_at else "never used",
            ]
            self.stdout.write(" · ".join(cells))

    def _revoke(self, options: dict[str, Any]) -> None:
        by = _administrator(options["by"])
        row = ApiToken.objects.filter(pk=options["number"]).first()
        if row is None:
            raise CommandError(f"There is no API token {options['number']}.")
        is_first = api_tokens.revoke(row, by=by.username, now=timezone.now(), channel=_CHANNEL)
        self.stderr.write(f"{row.name}: {'revoked' if is_first else 'was revoked before'}.")


def _day(text: str) -> date:
    found = date.fromisoformat(text)
    if found.year > api_tokens.LAST_YEAR:
        raise ArgumentTypeError("it is too far away")
    return found


def _administrator(username: str) -> User:
    found = User.objects.filter(username=username).first()
    if found is None or not api_tokens.is_backed(found):
        raise CommandError(f"{username} is no active administrator.")
    return found


def _stores(numbers: list[str], sponsor: str) -> list[Store]:
    found = []
    for number in dict.fromkeys(numbers):
        stores = Store.objects.select_related("sponsor").filter(number=number)
        stores = stores.filter(sponsor__code=sponsor) if sponsor else stores
        if len(stores) != 1:
            codes = ", ".join(sorted(store.sponsor.code for store in stores))
            more = f"More than one sponsor has a store {number}: --sponsor {codes}."
            raise CommandError(more if stores else f"There is no store {number}.")
        found.append(stores[0])
    return found
