"""Programs that read over the API."""

import pytest

from tests.api.program import Program
from tests.cast import Cast


@pytest.fixture
def program(cast: Cast) -> Program:
    """A program that may read all there is."""
    return Program.of(cast.administrator)


@pytest.fixture
def of_south(cast: Cast) -> Program:
    """A program that reads of store South alone."""
    return Program.of(cast.administrator, stores=[cast.south])
