"""A shop for each case, on the database that this run of the suite is for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.cases.shop import Place, Shop, place_prepared, shop_open


@pytest.fixture(scope="session")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    server = os.environ["DATABASE_URL"] if connection.vendor == "postgresql" else ""
    with place_prepared(tmp_path_factory.mktemp("cases") / "prepared", server) as place:
        yield place


@pytest.fixture
def shop(_place: Place, tmp_path: Path) -> Iterator[Shop]:
    """A shop that no other case has been in; the case itself starts what it needs."""
    with shop_open(_place, tmp_path, {}) as open_shop:
        yield open_shop
