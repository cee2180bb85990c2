"""What every screen says about its surroundings: the environment, the version, the programme."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from backoffice.journal import selectors


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Give templates the environment's name, the version and the programme's state.

    The state is read from the database only by a page that shows it.
    """
    return {
        "environment_name": settings.MILEPOST_ENVIRONMENT_NAME,
        "version": settings.MILEPOST_VERSION,
        "programme": SimpleLazyObject(selectors.programme_state),
    }
