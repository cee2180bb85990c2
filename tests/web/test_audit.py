"""bin/audit: it lists what is known, and never passes where it could not ask."""

import json
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

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


def audited(folder: Path, url: str, lock: str = LOCK, index: str = "") -> tuple[int, str]:
    """Run the audit and return its exit code and what it said."""
    path = folder / "requirements.txt"
    path.write_text(lock)
    done = subprocess.run(
        [sys.executable, ROOT / "tests/web/advisories.py", path],
        env={"OSV_URL": url, "NO_PROXY": "*", "AUDIT_INDEX_URL": index},
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
                length = int(self.headers.get("Content-Length", "0"))
                asked = json.loads(self.rfile.read(length) or b"{}")
                # A page that is looked at, and with which credentials.
                asked |= {"path": self.path, "who": self.headers.get("Authorization", "")}
                body = answers(asked)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                self.do_POST()

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


# --- The index, where nobody else answers ---------------------------------------------------------

NOBODY = "http://127.0.0.1:9"


def page_of(path: str, *known: dict[str, object]) -> bytes:
    """A release's page as an index serves it."""
    name, version = path.split("/")[-3:-1]
    info = {"name": name.title().replace("-", "_"), "version": version}
    return json.dumps({"info": info, "vulnerabilities": known}).encode()


def asked_of_index(folder: Path, answers: Answers, *, who: str = "") -> tuple[int, str]:
    with _Source(answers) as url:
        index = url.replace("http://", f"http://{who}") + "/simple/"
        return audited(folder, NOBODY, index=index)


def test_where_osv_cannot_be_reached_the_index_is_asked_of_each_release(tmp_path: Path) -> None:
    asked: list[object] = []

    def told(fields: dict[str, object]) -> bytes:
        asked.append(fields["path"])
        return page_of(str(fields["path"]))

    status, said = asked_of_index(tmp_path, told)
    assert status == 0 and "asked about 2 libraries" in said
    assert "so the index was asked" in said and "/simple/ (where libraries are" in said
    assert asked == ["/pypi/django/5.2.19/json", "/pypi/old-thing/1.0/json"]


def test_what_the_index_knows_is_listed_but_for_what_was_withdrawn(tmp_path: Path) -> None:
    known = {"id": "PYSEC-2026-1", "withdrawn": None, "aliases": ["CVE-1"]}
    withdrawn = {"id": "PYSEC-2026-2", "withdrawn": "2026-01-01T00:00:00Z"}
    for weak, status in ((known, 1), (withdrawn, 0)):

        def told(fields: dict[str, object], weak: Any = weak) -> bytes:
            path = str(fields["path"])
            return page_of(path, weak) if "old-thing" in path else page_of(path)

        found, said = asked_of_index(tmp_path, told)
        assert found == status and ("old-thing 1.0: PYSEC-2026-1" in said) is (status == 1)
        assert "PYSEC-2026-2" not in said


def test_the_password_of_an_index_is_sent_and_not_said(tmp_path: Path) -> None:
    whose: list[object] = []

    def told(fields: dict[str, object]) -> bytes:
        whose.append(fields["who"])
        return page_of(str(fields["path"]))

    status, said = asked_of_index(tmp_path, told, who="ada:s%40cret@")
    assert status == 0 and set(whose) == {"Basic YWRhOnNAY3JldA=="}
    assert "s%40cret" not in said and "s@cret" not in said and "ada" not in said


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"{}",
        b'{"info": {"name": "django", "version": "5.2.19"}}',
        b'{"info": {"name": "django", "version": "5.2.20"}, "vulnerabilities": []}',
        b'{"info": {"name": "django", "version": "5.2.19"}, "vulnerabilities": [7]}',
        b'{"info": null, "vulnerabilities": []}',
    ],
)
def test_a_page_that_tells_nothing_is_no_answer_and_nothing_else_is_asked(
    tmp_path: Path, answer: bytes
) -> None:
    asked: list[object] = []

    def told(fields: dict[str, object]) -> bytes:
        asked.append(fields["path"])
        return answer

    status, said = asked_of_index(tmp_path, told)
    assert status == 75 and "NOT AUDITED" in said and len(asked) == 1


def test_an_index_that_tells_of_some_only_is_no_answer(tmp_path: Path) -> None:
    def told(fields: dict[str, object]) -> bytes:
        path = str(fields["path"])
        return b"" if "old-thing" in path else page_of(path)

    status, said = asked_of_index(tmp_path, told)
    assert status == 75 and "NOT AUDITED" in said


@pytest.mark.parametrize("index", ["", "file:///opt/wheels", NOBODY])
def test_where_there_is_no_index_either_nothing_passes(tmp_path: Path, index: str) -> None:
    status, said = audited(tmp_path, NOBODY, index=index)
    assert status == 75 and "NOT AUDITED" in said


def test_continuous_integration_fails_on_a_weakness_and_tells_what_was_not_asked() -> None:
    text = (ROOT / "bin/ci").read_text()
    assert '"$root/bin/audit"' in text and "NOT AUDITED" in text
