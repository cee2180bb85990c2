"""Where a request came from, as far as the proxy in front of us can be believed."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def client_address(request: HttpRequest) -> str:
    """Return the browser's or till's address as text; empty when nobody said a usable one.

    In production only the proxy reaches us (docs/operator.md); it adds the address that it saw
    behind whatever its client claimed, so the last one counts.
    """
    claimed = str(request.META.get("REMOTE_ADDR", ""))
    if settings.MILEPOST_PRODUCTION:
        forwarded = request.headers.get("X-Forwarded-For", "")
        claimed = forwarded.rpartition(",")[2].strip() or claimed
    try:
        return str(ipaddress.ip_address(claimed))
    except ValueError:
        return ""


def is_on_this_machine(request: HttpRequest) -> bool:
    """Whether the browser is on this desk: by its address, or by the name that it asked for.

    The name can be made up; ask this only where nothing is at stake, which is in development.
    """
    address = client_address(request)
    if address and ipaddress.ip_address(address).is_loopback:
        return True
    # In containers a browser on this machine comes from the network's gateway.
    return request.get_host().rpartition(":")[0] in _LOCAL_NAMES
