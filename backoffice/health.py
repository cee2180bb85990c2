"""What load balancers and the supervisor ask: is the process alive, and may it serve."""

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from backoffice.devices.middleware import needs_no_device
from backoffice.journal import health, safety


@needs_no_device
@login_not_required
@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process serves at all."""
    return JsonResponse({"status": "ok"})


@needs_no_device
@login_not_required
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database is there and money may be moved; 503 with a sentence if not.

    `detail` is what stops nothing and somebody should see to.
    """
    try:
        # A connection that stood before says nothing of now, so the database is really asked.
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        why, detail = safety.refusal(), health.programme_clock()
    except Error:
        why, detail = "The database does not answer.", ""
    said = {"status": why or "ok"} | ({"detail": detail} if detail else {})
    return JsonResponse(said, status=503 if why else 200)
