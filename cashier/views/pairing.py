"""A tablet becomes a till: somebody types the code that a manager is shown in the office.

No sign-in is needed, for nobody can sign in at a tablet that is none yet. A guess learns nothing.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from backoffice.devices import enrolment, pairing
from backoffice.devices.addresses import client_address
from cashier.frames import SeeOther, show


@sensitive_post_parameters("code")
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pair(request: HttpRequest) -> HttpResponse:
    """Ask for a code and, with a good one, make this browser the device it was made for."""
    problem = ""
    if request.method == "POST":
        try:
            paired = pairing.pair(
                request.POST.get("code", ""),
                address=client_address(request),
                now=timezone.now(),
            )
        except pairing.Wrong:
            problem = "wrong"
        except pairing.TooMany:
            problem = "many"
        else:
            # Whoever was signed in here was so at another device, or at none.
            request.session.flush()
            response = SeeOther(reverse("cashier:home"))
            enrolment.set_cookie(response, paired.token)
            return response
    context = {"problem": problem, "device": enrolment.tablet_for(request)}
    page = show(request, None, "cashier/pair.html", context)
    page.status_code = {"wrong": 400, "many": 429}.get(problem, page.status_code)
    return page
