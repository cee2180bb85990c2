"""What load balancers and the supervisor ask: is the process alive, and may it serve."""

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from backoffice.devices.middleware import needs_no_device
from backoffice.journal import safety


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
    """Answer 200 when the database is there and money may be moved; 503 with a sentence if not."""
    try:
        # A connection that stood before says nothing of now, so the database is really asked.
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        why = safety.refusal()
    except Error:
        why = "The database does not answer."
    return JsonResponse({"status": why or "ok"}, status=503 if why else 200)
