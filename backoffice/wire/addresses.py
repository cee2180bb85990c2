"""Where a token or a secret may be sent: https, or close by where that is allowed."""

import ipaddress
import re
from urllib.parse import urlsplit

_ONE_LABEL = re.compile(r"[a-z][a-z0-9-]*")
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")


def checked_url(url: str, *, what: str, allow_loopback: bool) -> str:
    """The URL without a trailing slash; a ValueError with a sentence when it is not safe to use.

    Plain http is only for this machine or a neighbour in its private network, and only where
    `allow_loopback` says so.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"{what} must be a URL such as https://host/path.")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{what} must not carry a user name or a password.")
    if parts.query or parts.fragment or (parts.path.strip("/") and not _PATH.fullmatch(parts.path)):
        raise ValueError(f"{what} must be a plain URL: no query, no fragment, no dots in the path.")
    if parts.scheme == "http" and not (allow_loopback and _is_private(host)):
        raise ValueError(f"{what} must begin with https://.")

    return url.rstrip("/")


def checked_path(path: str) -> str:
    """The path of one of the platform's messages; a ValueError when it could lead elsewhere."""
    if not _PATH.fullmatch(path):
        raise ValueError("A message's path begins with a slash and has plain words in it.")

    return path


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    # A name without a dot is nobody's in public; containers call each other by such names.
    return is_loopback(host) or _ONE_LABEL.fullmatch(host) is not None
