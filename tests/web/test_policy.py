"""What a browser is told it may do: the content policy, frames, caches, and htmx's own switches."""

import json
import re
from pathlib import Path

import pytest
from django.http.response import HttpResponseBase
from django.test import Client

from tests.house.sources import ROOT, files
from tests.web import routes
from tests.web.conftest import Shop

# The paper prints from a hidden frame of its own origin.
FRAMED = "sale/<uuid:reference>/receipt/"
TEMPLATES = [name for name in files() if name.suffix == ".html" and "templates" in name.parts]
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=|\bhx-on|\bjs:|javascript:|"
    r"hx-trigger=\"[^\"]*\[",
    re.I,
)


def policy(response: HttpResponseBase) -> dict[str, list[str]]:
    """Return the content policy, by directive."""
    told = response["Content-Security-Policy"]
    return {name: values for name, *values in (one.split() for one in told.split(";"))}


def test_every_answer_has_the_policy_and_its_headers(shop: Shop) -> None:
    client = shop.browser(shop.cast.administrator)
    for written in routes.written():
        response = client.get(routes.filled(written, shop.parts))
        is_framed = written == FRAMED
        assert policy(response) == {
            "default-src": ["'none'"],
            "script-src": ["'self'"],
            "style-src": ["'self'"],
            "img-src": ["'self'", "data:"],
            "font-src": ["'self'"],
            "connect-src": ["'self'"],
            "form-action": ["'self'"],
            "frame-src": ["'self'"],
            "manifest-src": ["'self'"],
            "object-src": ["'none'"],
            "base-uri": ["'none'"],
            "frame-ancestors": ["'self'" if is_framed else "'none'"],
        }, written
        told = response.headers
        assert told["X-Frame-Options"] == ("SAMEORIGIN" if is_framed else "DENY"), written
        assert told["X-Content-Type-Options"] == "nosniff"
        assert told["Referrer-Policy"] == "same-origin"
        assert told["Cross-Origin-Opener-Policy"] == "same-origin"
        assert told["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in told["Permissions-Policy"]


def test_no_page_stays_in_a_cache(shop: Shop) -> None:
    client = shop.browser(shop.cast.administrator)
    kept = []
    for written in routes.written():
        response = client.get(routes.filled(written, shop.parts))
        is_page = response.status_code == 200 and "html" in response["Content-Type"]
        if is_page and "no-store" not in response.headers.get("Cache-Control", ""):
            kept.append(written)
    assert kept == []


@pytest.mark.parametrize("name", TEMPLATES, ids=str)
def test_no_template_has_a_script_or_a_style_of_its_own(name: Path) -> None:
    text = re.sub(r"\{%.*?%\}|\{#.*?#\}", "", (ROOT / name).read_text(), flags=re.S)
    assert INLINE.findall(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<script type="module">',
        "<style>a{}</style>",
        '<p style="color:red">',
        '<a onclick="x()">',
        "<div hx-on:click='x()'>",
        "<div hx-vals='js:{a: 1}'>",
        '<div hx-trigger="click[ctrlKey]">',
    ],
)
def test_a_script_of_a_template_is_noticed(text: str) -> None:
    assert INLINE.search(text)


def test_htmx_evaluates_nothing_keeps_no_page_and_asks_nobody_else(shop: Shop) -> None:
    page = shop.browser(shop.cast.cashier).get("/").content.decode()
    found = re.search(r"<meta name=\"htmx-config\" content='([^']+)'>", page)
    assert found
    config = json.loads(found[1])
    assert config["allowEval"] is False and config["allowScriptTags"] is False
    assert config["selfRequestsOnly"] is True and config["includeIndicatorStyles"] is False
    assert config["historyCacheSize"] == 0
    assert 'hx-headers=\'{"X-CSRFToken": "' in page


def test_cookies_are_for_our_own_pages_alone(shop: Shop) -> None:
    stranger = Client()
    stranger.get("/sign-in/")
    client = shop.browser(shop.cast.cashier)
    client.post("/language/", {"language": "fr"})
    cookies = {**stranger.cookies, **client.cookies}
    assert {"sessionid", "csrftoken", "device"} <= set(cookies)
    for cookie in cookies.values():
        assert cookie["samesite"] == "Strict" and cookie["httponly"], cookie.key


def test_a_stranger_learns_nothing_of_our_software(db: None) -> None:
    response = Client().get("/nothing-here/")
    assert "Server" not in response.headers and "X-Powered-By" not in response.headers
    assert b"Django" not in response.content and b"Traceback" not in response.content
