"""The page of what broke, which must stand whatever it is that broke."""

from django.http import HttpRequest, HttpResponseServerError
from django.template import loader
from django.views.decorators.csrf import requires_csrf_token


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponseServerError:
    """Say that it went wrong. Django's own does not know the request, nor that a till practises.

    No context processor runs: one of them would ask the database.
    """
    page = loader.get_template("500.html")
    return HttpResponseServerError(page.render({"request": request}))
