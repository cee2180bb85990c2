"""A till of store North that speaks the programme's own API."""

import pytest

from tests.cast import Cast
from tests.switch.till import Till


@pytest.fixture
def till(cast: Cast) -> Till:
    """North's first till with a token for every call."""
    return Till.of(cast.till)
