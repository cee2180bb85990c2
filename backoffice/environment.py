"""Reads Milepost's settings from the environment and names every fault in one message.

Nothing here knows Django's settings; `settings.py` asks for values and then calls `finish()`.
"""

import base64
import contextlib
import ipaddress
import math
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from backoffice.wire.addresses import checked_url

T = TypeVar("T")
N = TypeVar("N", int, float)

# The sandbox's id and secret.
DEMO_CLIENT = frozenset({"milepost", "sandbox"})
SHORTEST_SECRET = 50
_DATABASES = frozenset({"sqlite", "postgres", "postgresql"})
# No address in digits: the last label of a name begins with a letter.
_HOST_NAME = re.compile(r"(?:[a-z0-9-]{1,63}\.)*[a-z][a-z0-9-]{0,62}")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


@dataclass(kw_only=True)
class Environment:
    """The process environment, with the faults found so far."""

    values: Mapping[str, str]
    faults: list[str] = field(default_factory=list)

    @property
    def is_production(self) -> bool:
        """True unless MILEPOST_ENV says `development`: to forget it is never the lax choice."""
        name = self.values.get("MILEPOST_ENV", "production")
        if name not in {"production", "development"}:
            self._fault(f"MILEPOST_ENV is {name!r}; it must be `production` or `development`.")
        return name != "development"

    def text(self, name: str, *, default: str | None = None) -> str:
        """Return the value, the default outside production, or note that it is missing."""
        value = self.values.get(name, "").strip()
        if value:
            return value
        if default is not None and not self.is_production:
            return default
        self._fault(f"{name} is not set.")
        return ""

    def optional(self, name: str, default: str) -> str:
        """Return the value, or the default in every environment."""
        return self.values.get(name, "").strip() or default

    def number(self, name: str, default: str, kind: Callable[[str], N]) -> N:
        """Return the value read by `kind`, or note that it is malformed or not above zero."""
        value = self.optional(name, default)
        try:
            number = kind(value)
            # float() also reads "nan" and "inf", with which no wait ever ends.
            if not math.isfinite(number):
                raise ValueError(value)
        except (ValueError, OverflowError):
            self._fault(f"{name} is {value!r}, which is not a number.")
            return kind(default)
        if number <= 0:
            # Each of them is a time or a count: with none of it a sweep would never rest.
            self._fault(f"{name} is {value!r}; it must be more than zero.")
            return kind(default)
        return number

    def platform_url(self, name: str, *, default: str) -> str:
        """Return an address of the programme: https in production, and never this machine."""
        url = self.text(name, default=default)
        if not url:
            return url
        try:
            parts = urlsplit(url)
            host = parts.hostname if parts.port != 0 else None
        except ValueError:
            host = None
        if host is None or parts.scheme not in {"http", "https"}:
            self._fault(f"{name} is not a web address.")
        elif self.is_production and _is_this_machine(host):
            self._fault(f"{name} points at this machine, which production refuses.")
        elif self.is_production and parts.scheme != "https":
            self._fault(f"{name} must be an https address.")
        else:
            # What the wire would refuse at the first call is refused here.
            self.checked(
                name, url, lambda value: checked_url(value, what="It", allow_loopback=True)
            )
        return url.rstrip("/")

    def training_url(self, name: str, *, programme_url: str) -> str:
        """Return the address of the training sandbox, or empty where nobody practises.

        It is ours, so it may be on this machine; the programme's own platform it never is.
        """
        url = self.optional(name, "")
        self.checked(name, url, lambda value: checked_url(value, what="It", allow_loopback=True))
        place = _place_of(url)
        if place is not None and place == _place_of(programme_url):
            self._fault(f"{name} is the programme's platform; training needs a sandbox of its own.")
        return url.rstrip("/")

    def origin(self, name: str, *, default: str) -> str:
        """Return an address of ours as a browser tells it (scheme, host, port); empty is allowed.

        Browsers keep passkeys for host names alone, and over http for `localhost` alone.
        """
        value = self.optional(name, default).rstrip("/").casefold()
        if not value:
            return value
        try:
            parts = urlsplit(value)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            host, port = "", None
        told = f"{parts.scheme}://{host}" + (f":{port}" if port else "") if host else ""
        usual = {"https": 443, "http": 80}
        if told != value or usual.get(parts.scheme, port) == port or not _HOST_NAME.fullmatch(host):
            self._fault(f"{name} is {value!r}; it must be like https://milepost.example.")
        elif parts.scheme != "https" and (host != "localhost" or self.is_production):
            self._fault(f"{name} must be an https address.")
        return value

    def credential(self, name: str, *, default: str) -> str:
        """Return the programme's client id or secret; production refuses the sandbox's own."""
        value = self.text(name, default=default)
        if self.is_production and value.casefold() in DEMO_CLIENT:
            self._fault(f"{name} is the sandbox's demo client, which production refuses.")
        return value

    def secret(self, name: str) -> str:
        """Return a secret of ours, which nobody must be able to guess."""
        value = self.text(name)
        if value and len(value) < SHORTEST_SECRET:
            self._fault(f"{name} is too short; it needs {SHORTEST_SECRET} characters or more.")
        return value

    def database(self, default: str) -> dict[str, Any]:
        """Return Django's database settings for DATABASE_URL."""
        url = self.optional("DATABASE_URL", default)
        try:
            # Of a scheme it does not know, the parser warns with the whole address, password too.
            is_known = url.partition("://")[0] in _DATABASES
            parsed = environ.Env.db_url_config(url) if is_known else {}
        except (ValueError, ImproperlyConfigured):
            parsed = {}
        engine = str(parsed.get("ENGINE", ""))
        if not engine.endswith(("sqlite3", "postgresql")):
            self._fault("DATABASE_URL must name a sqlite:// or postgres:// database.")
        return dict(parsed) or {"ENGINE": engine}

    def checked(self, name: str, value: T, check: Callable[[T], object]) -> T:
        """Return the value, noting what `check` has against it (a ValueError's sentence)."""
        if value:
            try:
                check(value)
            except ValueError as error:
                self._fault(f"{name}: {error}")
        return value

    def finish(self) -> None:
        """Stop the start-up with one message that names every fault, or do nothing."""
        if self.faults:
            raise ImproperlyConfigured("Milepost cannot start: " + " ".join(self.faults))

    def _fault(self, sentence: str) -> None:
        if sentence not in self.faults:
            self.faults.append(sentence)


def _place_of(url: str) -> tuple[str, int] | None:
    """Return the host and port that an address leads to; None where it is no web address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    usual = {"https": 443, "http": 80}
    return (host.rstrip("."), port or usual.get(parts.scheme, 0)) if host else None


def _is_this_machine(host: str) -> bool:
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        # Resolvers read a name of numbers and dots as an address: 127.1, 0, 0x7f000001.
        return all(_NUMBER.fullmatch(part) for part in name.split("."))
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def development_secret(data: Path, name: str, make: Callable[[], str]) -> str:
    """Return a secret made once for this data folder, so that a second start reads its own data."""
    path = data / "development" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Several processes start at once: linking a finished file lets exactly one of them decide.
        draft = path.with_name(f"{name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()


def new_secret_key() -> str:
    """Return a fresh Django secret key."""
    return base64.urlsafe_b64encode(secrets.token_bytes(48)).decode()
