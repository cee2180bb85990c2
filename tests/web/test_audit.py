"""bin/audit: it lists what is known, and never passes where it could not ask."""

import json
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.house.sources import ROOT

LOCK = "django==5.2.19 \\\n    --hash=sha256:00\nold-thing==1.0 ; python_version < '4' \\\n"
Answers = Callable[[dict[str, object]], bytes]


@pytest.fixture
def audit(tmp_path: Path) -> Callable[[Answers], tuple[int, str]]:
    """Run the audit of two libraries against a source that answers like this."""

    def run(answers: Answers) -> tuple[int, str]:
        with _Source(answers) as url:
            return audited(tmp_path, url)

    return run


def audited(folder: Path, url: str, lock: str = LOCK) -> tuple[int, str]:
    """Run the audit and return its exit code and what it said."""
    path = folder / "requirements.txt"
    path.write_text(lock)
    done = subprocess.run(
        [sys.executable, ROOT / "tests/web/advisories.py", path],
        env={"OSV_URL": url, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout


class _Source:
    def __init__(self, answers: Answers) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                body = answers(asked)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_it_asks_about_every_pinned_library_and_passes_where_none_is_known(
    audit: Callable[[Answers], tuple[int, str]],
) -> None:
    asked: list[object] = []

    def none_known(fields: dict[str, object]) -> bytes:
        asked.append(fields)
        return b'{"results": [{}, {}]}'

    status, said = audit(none_known)
    assert status == 0 and "asked about 2 libraries" in said
    names = [
        (one["package"]["name"], one["package"]["ecosystem"], one["version"])
        for one in asked[0]["queries"]  # type: ignore[index]
    ]
    assert names == [("django", "PyPI", "5.2.19"), ("old-thing", "PyPI", "1.0")]


def test_a_known_weakness_is_listed_and_fails(audit: Callable[[Answers], tuple[int, str]]) -> None:
    status, said = audit(lambda _: b'{"results": [{}, {"vulns": [{"id": "PYSEC-2026-1"}]}]}')
    assert status == 1 and "old-thing 1.0: PYSEC-2026-1" in said


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b"[]", b"{}", b'{"results": [{}]}', b'{"results": null}']
)
def test_half_an_answer_is_none(audit: Callable[[Answers], tuple[int, str]], answer: bytes) -> None:
    status, said = audit(lambda _: answer)
    assert status == 75 and "NOT AUDITED" in said


def test_where_nobody_answers_it_says_so_and_does_not_pass(tmp_path: Path) -> None:
    status, said = audited(tmp_path, "http://127.0.0.1:9")
    assert status == 75 and "NOT AUDITED" in said


def test_a_lock_with_nothing_pinned_is_no_pass(tmp_path: Path) -> None:
    status, said = audited(tmp_path, "http://127.0.0.1:9", lock="django>=5\n")
    assert status == 75 and "NOT AUDITED" in said


def test_continuous_integration_fails_on_a_weakness_and_tells_what_was_not_asked() -> None:
    text = (ROOT / "bin/ci").read_text()
    assert '"$root/bin/audit"' in text and "NOT AUDITED" in text
