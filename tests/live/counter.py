"""A cashier at a browser without script: plain HTTP, cookies and forms."""

import http.client
import http.cookiejar
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

from tests.servers.pages import Form, form_to, links_in

# Longer than any page takes, also of a server that was frozen in the middle of it.
PAGE_S = 200
CASHIER = ("ana", "246810")
MANAGER = ("manager", "milepost-manager")


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a browser shows after it followed where it was sent."""

    url: str
    status: int
    text: str

    @property
    def path(self) -> str:
        """The address without its host."""
        return urllib.parse.urlsplit(self.url).path


class Counter:
    """One browser at one till."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self._cookies), urllib.request.ProxyHandler({})
        )

    @classmethod
    def opened(cls, url: str, *, till: int = 0, person: tuple[str, str] = CASHIER) -> "Counter":
        """Sign in and stand at one of the tills, of store 0001 first."""
        counter = cls(url)
        name, secret = person
        entry = form_to(counter.get("/sign-in/?name").text, "/sign-in/")
        page = counter.post(entry, username=name, password=secret)
        if page.path != "/till/":
            page = counter.get("/till/")
        tills = re.findall(r'name="till" value="(\d+)"', page.text)
        page = counter.post(form_to(page.text, "/till/"), till=tills[till])
        assert page.path == "/", page
        return counter

    def beside(self, url: str) -> "Counter":
        """Return the same browser in front of another server of the same shop."""
        other = type(self)(url)
        other._cookies = self._cookies
        other._opener = self._opener
        return other

    def move(self, url: str) -> None:
        """Go on at another server of the same shop, signed in as before."""
        self.url = url

    def get(self, path: str) -> Page:
        """Open a page."""
        return self._open(path)

    def post(self, form: Form, **typed: str) -> Page:
        """Send a form with what was typed into it."""
        return self.send(form.action, {**form.fields, **typed})

    def send(self, path: str, fields: Mapping[str, str]) -> Page:
        """Send these fields."""
        return self._open(path, urllib.parse.urlencode(fields).encode())

    def asked(self, card: str, basket: str = "43.35") -> Page:
        """Scan a card, type the basket, and return what the programme's answer looks like."""
        scan = form_to(self.get("/").text, "/card/")
        amount = self.post(scan, value=card, entry="SCAN")
        return self.post(form_to(amount.text, "/offer/"), basket=basket)

    def offered(self, card: str) -> Form:
        """Scan a card, type the basket, and return the form that redeems."""
        return form_to(self.asked(card).text, "/redeem/")

    def latest_sale(self) -> str:
        """Return the address of the newest sale under Today."""
        links = links_in(self.get("/today/").text)
        return next(link for link in links if link.startswith("/sale/"))

    def _open(self, path: str, body: bytes | None = None) -> Page:
        headers = {"Origin": self.url, "Referer": f"{self.url}/"}
        # The address is our own server's, never anything that came from outside.
        request = urllib.request.Request(self.url + path, body, headers)  # noqa: S310
        try:
            with self._opener.open(request, timeout=PAGE_S) as answer:
                return Page(url=answer.url, status=answer.status, text=answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Page(url=error.url or "", status=error.code, text=error.read().decode())


class Sending(threading.Thread):
    """A form that is on its way; its page, or that the server went away."""

    def __init__(self, counter: Counter, action: str, fields: Mapping[str, str]) -> None:
        super().__init__(daemon=True)
        self._what = (counter, action, fields)
        self.page: Page | None = None
        self.was_cut = False
        self.start()

    def run(self) -> None:
        counter, action, fields = self._what
        try:
            self.page = counter.send(action, fields)
        except (OSError, http.client.HTTPException):
            self.was_cut = True

    def ended(self) -> "Sending":
        """Wait until it has come back."""
        self.join(timeout=PAGE_S)
        assert not self.is_alive()
        return self


def heading(page: Page) -> str:
    """Return what a page says first."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    return found[1].strip() if found else ""
