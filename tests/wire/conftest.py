"""What the tests of the wire share."""

from collections.abc import Iterator

import pytest

from backoffice.wire import forget_connections


@pytest.fixture(autouse=True)
def _fresh_connections() -> Iterator[None]:
    """No test inherits a connection that another one kept open."""
    forget_connections()
    yield
    forget_connections()
