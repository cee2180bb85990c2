"""What load balancers ask: alive, and ready to move value."""

import pytest
from django.db import OperationalError, connection
from django.test import Client

from backoffice import health
from backoffice.journal import safety
from tests.cast import Cast

pytestmark = pytest.mark.django_db


class OpenButDead:
    """A connection that stood before the database went away."""

    def ensure_connection(self) -> None:
        """Find it standing: nobody has used it since."""

    def cursor(self) -> None:
        raise OperationalError("the server closed the connection unexpectedly")


def test_a_place_that_may_move_value_is_ready() -> None:
    response = Client().get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_a_database_that_went_away_is_not_ready_though_it_was_a_moment_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Client().get("/readyz").status_code == 200
    monkeypatch.setattr(health, "connection", OpenButDead())
    response = Client().get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "The database does not answer."}
    assert Client().get("/healthz").status_code == 200


def test_without_a_database_even_who_is_signed_in_learns_how_it_stands(cast: Cast) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("the server closed the connection unexpectedly")

    client = Client()
    client.force_login(cast.cashier)
    with connection.execute_wrapper(refuse):
        alive, ready = client.get("/healthz"), client.get("/readyz")
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert ready.json() == {"status": "The database does not answer."}


def test_where_nothing_may_be_armed_nothing_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "refusal", lambda: "The rules are out of date.")
    response = Client().get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "The rules are out of date."}
