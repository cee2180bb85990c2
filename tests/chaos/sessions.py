"""Cashiers who go on whatever happens: each with a browser of its own, seeded habits, and a note
of every sale that the web gave it an address for.
"""

import contextlib
import http.client
import random
import re
import threading
import time
from collections.abc import Callable

from tests.chaos.checker import Shown
from tests.live.counter import CASHIER, Counter, Page
from tests.servers.pages import Form, form_to

_SALE = re.compile(r"^/sale/([0-9a-f-]{36})/$")
# What a browser without a server meets; a page cut in the middle is one of them.
GONE = (OSError, http.client.HTTPException)


class Cashier(threading.Thread):
    """One session: scans, redeems, reverses, doubts, presses twice, reloads."""

    def __init__(self, counter: Counter, cards: list[str], seed: str) -> None:
        super().__init__(daemon=True)
        self._counter = counter
        self._cards = cards
        self._random = random.Random(seed)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.shown: list[Shown] = []
        self.problems: list[str] = []
        self.pages = 0
        self.cut = 0

    @classmethod
    def signed_in(cls, url: str, till: int, cards: list[str], seed: str) -> "Cashier":
        """Sign in and stand at one of the tills."""
        counter = Counter(url)
        name, secret = CASHIER
        entry = form_to(counter.get("/sign-in/").text, "/sign-in/")
        counter.post(entry, username=name, password=secret)
        page = counter.get("/till/")
        tills = re.findall(r'name="till" value="(\d+)"', page.text)
        page = counter.post(form_to(page.text, "/till/"), till=tills[till % len(tills)])
        assert page.path == "/", page.path
        return cls(counter, cards, seed)

    def run(self) -> None:
        while not self._over.wait(self._random.uniform(0, 0.2)):
            try:
                self._serve_one()
            except GONE:
                self.cut += 1
                self._over.wait(0.3)
            except AssertionError as error:
                # A page that lacks the form it should have: often a 500 while the web starts.
                self.problems.append(str(error))

    def go_home(self) -> None:
        """Finish the customer at hand and serve no other."""
        self._over.set()

    def close(self, reference: str) -> None:
        """Decide on a sale of which nothing was sent: the customer has left."""
        address = f"/sale/{reference}/"
        page = self._counter.get(address)
        form = _form(page, f"{address}pay-otherwise/")
        if form is not None:
            self._counter.post(form)

    def _serve_one(self) -> None:
        basket = f"{self._random.randrange(2000, 9000) / 100:.2f}"
        page = self._counter.asked(self._random.choice(self._cards), basket)
        form = _form(page, "/redeem/")
        if form is None:
            return
        page = self._pressed(form)
        sale = self._sale_of(page)
        if sale is None:
            return
        page = self._decided(sale, page)
        if _form(page, f"{sale}present/") is None:
            return
        if self._chance(0.7):
            self._counter.send(f"{sale}present/", _fields(page, f"{sale}present/"))
        if self._chance(0.35):
            self._reverse(sale)

    def _reverse(self, sale: str) -> None:
        page = self._counter.get(f"{sale}reverse/")
        form = _form(page, f"{sale}reverse/")
        if form is not None:
            page = self._pressed(form)
            if (back := self._sale_of(page)) is not None:
                self._decided(back, page)

    def _pressed(self, form: Form) -> Page:
        """Press once or twice, and again where the server went away in the meantime."""
        if self._chance(0.15):
            self._at_once(lambda: self._counter.post(form))
        ref = form.fields["client_ref"]
        for turn in range(40):
            try:
                page = self._noted(self._counter.post(form), ref)
            except GONE:
                self.cut += 1
                if turn and self._chance(0.1):
                    raise
                time.sleep(0.25)
                continue
            return self._noted(self._counter.post(form), ref) if self._chance(0.1) else page
        raise OSError("the web did not come back")

    def _noted(self, page: Page, client_ref: str) -> Page:
        self.pages += 1
        found = _SALE.match(page.path)
        if found is not None and page.status == 200:
            with self._lock:
                self.shown.append(Shown(reference=found[1], client_ref=client_ref))
        return page

    def _at_once(self, press: Callable[[], Page]) -> None:
        def other() -> None:
            with contextlib.suppress(*GONE):
                press()

        threading.Thread(target=other, daemon=True).start()

    def _sale_of(self, page: Page) -> str | None:
        return page.path if _SALE.match(page.path) else None

    def _decided(self, sale: str, page: Page) -> Page:
        """Wait for the outcome, or decide on the doubt; return the last page."""
        for _ in range(self._random.randrange(1, 12)):
            cancel = _form(page, f"{sale}cancel/")
            again = _form(page, f"{sale}send-again/")
            check = _form(page, f"{sale}check/")
            if cancel is not None and self._chance(0.3):
                return self._counter.post(cancel)
            if again is not None:
                other = _form(page, f"{sale}pay-otherwise/")
                page = self._counter.post(other if other and self._chance(0.3) else again)
            elif check is not None and self._chance(0.3):
                page = self._counter.post(check)
            elif _form(page, f"{sale}present/") is not None:
                return page
            else:
                time.sleep(0.4)
                page = self._counter.get(sale)
        return page

    def _chance(self, share: float) -> bool:
        return self._random.random() < share


def _form(page: Page, action: str) -> Form | None:
    try:
        return form_to(page.text, action)
    except AssertionError:
        return None


def _fields(page: Page, action: str) -> dict[str, str]:
    return form_to(page.text, action).fields
