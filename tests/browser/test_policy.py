"""Chromium opens every address there is, under a policy that only reports as well, and nothing is
reported: no script, style, frame or address that the policy does not name.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Request, Response, Route

from tests.browser.till import Till
from tests.servers.stack import Web
from tests.web import routes

# What the enforced policy says, and no scripts or styles by any other way either.
REPORT_ONLY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-src 'self'; "
    "manifest-src 'self'; object-src 'none'; base-uri 'none'"
)
# Left by being opened, or no page.
LEAVES = {"admin/logout/", "office/log/export/"}


@pytest.fixture
def crawler(browser: Browser, web: Web) -> Iterator[Till]:
    """A browser that is told to report besides, and hears every report."""
    till = Till.open(browser, web.url)

    def with_reports(route: Route, request: Request) -> None:
        if request.resource_type != "document":
            route.continue_()
            return
        # Redirects are the browser's to follow, so that it ends at their address.
        answer = route.fetch(max_redirects=0)
        headers = {**answer.headers, "content-security-policy-report-only": REPORT_ONLY}
        route.fulfill(response=answer, headers=headers)

    till.context.route("**/*", with_reports)
    yield till
    till.close()


def parts_of(till: Till, card: str) -> dict[str, object]:
    """Make a sale and find an offer, for the addresses that name one."""
    till.redeemed(card)
    reference = till.page.url.rstrip("/").rpartition("/")[2]
    return {"uuid": reference, "int": 1, "str": "1", "path": "1", "app_label": "stores"}


def opened(till: Till, path: str) -> Response | None:
    """Open an address and let its scripts run; None where it answers without a page."""
    # Chromium shows a page of its own for an answer without one, and goes there later.
    if not till.context.request.get(till.url + path).body():
        return None
    response = till.page.goto(till.url + path)
    till.page.wait_for_load_state("load")
    return response


def reports(till: Till) -> list[str]:
    """What was reported since it was last asked; a page that is refused is none of it."""
    # Chromium tells of an answer by its status and address, which may hold the word as well.
    told = [one for one in till.complaints if not re.match(r"[45]\d\d: http", one)]
    found = [one for one in told if "policy" in one.casefold()]
    till.complaints.clear()
    return found


def test_every_screen_keeps_the_policy(crawler: Till, card: str) -> None:
    crawler.sign_in("admin", "milepost-admin")
    crawler.pick_till()
    parts = {**parts_of(crawler, card), "url": "nowhere"}
    assert reports(crawler) == []
    seen, found = 0, {}
    for written in routes.written():
        if written in LEAVES:
            continue
        response = opened(crawler, routes.filled(written, parts))
        seen += response is not None and response.status == 200
        if told := reports(crawler):
            found[written] = told
    assert found == {}
    assert seen > 40


def test_what_the_policy_forbids_is_reported(crawler: Till, web: Web) -> None:
    opened(crawler, "/sign-in/")
    assert reports(crawler) == []
    for script in (
        "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))",
        "document.body.setAttribute('style', 'color: red')",
        "document.body.append(Object.assign(document.createElement('img'),"
        " {src: 'https://elsewhere.example/x.png'}))",
    ):
        crawler.page.evaluate(script)
        crawler.page.wait_for_timeout(500)
        assert reports(crawler), script
