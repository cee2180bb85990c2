"""The token endpoint, and the 401 that bears no code."""

import json
from urllib.parse import urlencode

import pytest

from sandbox.tests.till import Till, request_of

CLIENT = {
    "grant_type": "client_credentials",
    "client_id": "milepost",
    "client_secret": "sandbox",
}


@pytest.mark.parametrize("call", ["echo", "inquire", "redeem", "reverse"])
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer a.b.c",
        "Basic {token}",
        "{token}",
        "Bearer {token}x",
    ],
)
def test_without_a_good_token_there_is_a_401_without_code(
    till: Till, call: str, authorization: str | None
) -> None:
    headers = {}
    if authorization is not None:
        headers["Authorization"] = authorization.format(token=till.token)
    raw = json.dumps(request_of(call)).encode()
    answer = till.post(f"/checkout/amcash/{call}", raw, headers)
    assert answer.status == 401
    assert "responseCode" not in answer.body
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_bad_collector_is_a_401_with_a_code(till: Till) -> None:
    answer = till.ask("inquire", collectorNumber="89999999999")
    assert (answer.status, answer.code) == (401, "0025")


def test_a_token_is_given_for_json_and_for_a_form(till: Till) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for answer in (
        till.post("/oauth/token", json.dumps(CLIENT).encode(), {}),
        till.post("/oauth/token", urlencode(CLIENT | {"audience": "x"}).encode(), form),
    ):
        assert answer.status == 200
        assert set(answer.body) == {"access_token", "token_type", "expires_in"}
        assert (answer.body["token_type"], answer.body["expires_in"]) == ("Bearer", 86_400)
        till.token = answer.body["access_token"]
        assert till.ask("echo").code == "0000"


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
    ],
)
def test_a_wrong_client_gets_an_oauth_error(
    till: Till, changes: dict[str, str], status: int, error: str
) -> None:
    answer = till.ask_token(**changes)
    assert (answer.status, answer.body["error"]) == (status, error)
    assert "access_token" not in answer.body


def test_a_token_request_that_is_neither_json_nor_form_is_refused(till: Till) -> None:
    assert till.post("/oauth/token", b"\xff", {}).body["error"] == "invalid_request"


def test_a_token_expires(till: Till) -> None:
    till.control("settings", token_lifetime_s=0)
    answer = till.ask_token()
    assert answer.body["expires_in"] == 0
    # The lifetime is written into the token: one given before the change is still good.
    assert till.ask("echo").status == 200
    till.token = answer.body["access_token"]
    assert till.ask("echo").status == 401


def test_every_token_can_be_ended_and_a_reset_revives_none(till: Till) -> None:
    till.control("tokens/expire")
    assert till.ask("echo").status == 401
    till.control("reset")
    assert till.ask("echo").status == 401
    till.log_in()
    till.control("reset")
    assert till.ask("echo").status == 200


def test_a_token_outlives_a_change_of_the_sandboxes_clock(till: Till) -> None:
    till.control("clock", now="2031-01-01T00:00:00Z")
    assert till.ask("echo").status == 200
