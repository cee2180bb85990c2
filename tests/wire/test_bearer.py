"""The bearer token: fetched once for all threads, renewed in time, and shown to nobody."""

import json
import threading
import time
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest

from backoffice.wire import BearerSource, Silence
from tests.wire.calls import SLACK_S, until
from tests.wire.peers import free_port, serving
from tests.wire.site import TIMEOUTS, Site, source


class Queue:
    """A lock that knows how many have asked for it."""

    def __init__(self, lock: threading.Lock) -> None:
        self.asked: list[int] = []
        self._lock = lock

    def acquire(self, *, timeout: float) -> bool:
        self.asked.append(threading.get_ident())
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        self._lock.release()


def together(site: Site, to: BearerSource, call: Callable[[], object], people: int) -> list[object]:
    """Have so many threads make a call; none gets its token before all have asked for one."""
    queue = Queue(to._lock)
    to._lock = queue  # type: ignore[assignment]
    site.gives_tokens.clear()
    results: list[object] = []
    threads = [threading.Thread(target=lambda: results.append(call())) for _ in range(people)]
    for thread in threads:
        thread.start()
    until(lambda: len(queue.asked) == people)
    site.gives_tokens.set()
    for thread in threads:
        thread.join()
    return results


def test_the_token_is_asked_for_with_client_credentials_in_json() -> None:
    site = Site()
    with serving(site) as peer:
        assert source(peer).token() == "t1"

    assert site.fetches[0].headers["content-type"] == "application/json"
    assert json.loads(site.fetches[0].body) == {
        "grant_type": "client_credentials",
        "client_id": "milepost",
        "client_secret": "s3cret",
        "audience": "https://audience",
    }


def test_the_token_is_asked_for_as_a_form_where_that_is_wanted() -> None:
    site = Site()
    with serving(site) as peer:
        assert source(peer, body_format="form").token() == "t1"

    assert site.fetches[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(site.fetches[0].body.decode())["client_secret"] == ["s3cret"]


def test_no_audience_is_asked_for_where_there_is_none() -> None:
    site = Site()
    with serving(site) as peer:
        BearerSource(
            f"{peer.url}/oauth/token", "milepost", "x", "", TIMEOUTS, allow_loopback=True
        ).token()

    assert "audience" not in json.loads(site.fetches[0].body)


def test_concurrent_threads_fetch_one_token() -> None:
    site = Site()
    with serving(site) as peer:
        to = source(peer)
        tokens = together(site, to, to.token, people=6)

    assert tokens == ["t1"] * 6
    assert len(site.fetches) == 1


def test_threads_that_waited_for_a_token_share_the_failure() -> None:
    site = Site()
    site.token_status = "503 Service Unavailable"
    with serving(site) as peer:
        to = source(peer)
        answers = together(site, to, to.token, people=6)

    assert len(site.fetches) == 1
    assert all(isinstance(one, Silence) and one.kind == "no_token" for one in answers)


def test_a_failure_is_not_remembered_for_the_next_call() -> None:
    site = Site()
    site.token_status = "503 Service Unavailable"
    with serving(site) as peer:
        to = source(peer)
        assert isinstance(to.token(), Silence)
        site.token_status = "200 OK"
        assert to.token() == "t2"


@pytest.mark.parametrize(
    ("expires_in", "good_for_s"),
    [(86400, 86340), ("3600", 3540), (100, 90), (None, 270), ("soon", 270), (0, 270), (-5, 270)],
)
def test_a_token_is_renewed_shortly_before_it_expires(
    expires_in: object, good_for_s: float
) -> None:
    now = [1000.0]
    site = Site()
    site.token_fields["expires_in"] = expires_in
    with serving(site) as peer:
        to = source(peer, monotonic=lambda: now[0])
        assert to.token() == "t1"
        now[0] += good_for_s - 0.1
        assert to.token() == "t1"
        now[0] += 0.2
        assert to.token() == "t2"


def test_a_life_that_is_no_number_at_all_is_the_usual_one() -> None:
    now = [0.0]
    site = Site()
    site.token_fields["expires_in"] = float("nan")
    with serving(site) as peer:
        to = source(peer, monotonic=lambda: now[0])
        assert to.token() == "t1"
        now[0] = 299
        assert to.token() == "t2"


def test_a_token_that_another_thread_renewed_is_not_renewed_again() -> None:
    site = Site()
    with serving(site) as peer:
        to = source(peer)
        assert to.token() == "t1"
        assert to.renew("t1") == "t2"
        assert to.renew("t1") == "t2"

    assert len(site.fetches) == 2


def test_threads_whose_token_was_refused_together_renew_it_once() -> None:
    site = Site()
    with serving(site) as peer:
        to = source(peer)
        to.token()
        tokens = together(site, to, lambda: to.renew("t1"), people=4)

    assert tokens == ["t2"] * 4


@pytest.mark.parametrize(
    "fields",
    [
        {"access_token": ""},
        {"access_token": None},
        {"access_token": 7},
        {"access_token": "two words"},
        {"access_token": "line\r\nX-Injected: 1"},
        {"access_token": "x" * 9000},
        {"token_type": "mac"},
    ],
)
def test_an_answer_that_is_no_bearer_token_is_none(fields: dict[str, object]) -> None:
    site = Site()
    site.token_fields |= fields
    with serving(site) as peer:
        answer = source(peer).token()

    assert isinstance(answer, Silence)
    assert answer.kind == "no_token"


def test_a_token_endpoint_that_is_down_means_that_nothing_was_sent() -> None:
    url = f"http://127.0.0.1:{free_port()}/oauth/token"
    answer = BearerSource(url, "a", "b", "", TIMEOUTS, allow_loopback=True).token()

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.detail) == ("no_token", "token endpoint: refused")


def test_waiting_for_the_lock_ends_with_the_time() -> None:
    site = Site()
    site.gives_tokens.clear()
    with serving(site) as peer:
        to = source(peer)
        thread = threading.Thread(target=to.token)
        thread.start()
        until(lambda: bool(peer.heard))
        started = time.monotonic()
        answer = to.renew("t0", within_s=0.1)
        took_s = time.monotonic() - started
        site.gives_tokens.set()
        thread.join()

    assert isinstance(answer, Silence)
    assert answer.kind == "no_token"
    assert took_s < SLACK_S
    assert len(site.fetches) == 1


@pytest.mark.parametrize("within_s", [0, -1, 1e-9])
def test_no_time_is_no_token(within_s: float) -> None:
    with serving(Site()) as peer:
        answer = source(peer).renew("t0", within_s=within_s)

    assert isinstance(answer, Silence)
    assert answer.kind == "no_token"


@pytest.mark.parametrize(
    "url",
    [
        "http://airmilesapis.ca",
        "ftp://127.0.0.1/",
        "https://user:password@airmilesapis.ca",
        "https://airmilesapis.ca/?x=1",
        "https://airmilesapis.ca/a/../b",
        "https:///path",
        "airmilesapis.ca",
        "http://localhost.airmilesapis.ca",
        "http://127.0.0.1.example.ca",
    ],
)
def test_an_unsafe_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^The (base|token) URL must"):
        BearerSource(url, "a", "b", "", TIMEOUTS, allow_loopback=True)
