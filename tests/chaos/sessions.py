"""Cashiers who go on whatever happens: each with a browser of its own, seeded habits, and a note
of every sale that the web gave it an address for, and of what each sale's page offered.
"""

import contextlib
import functools
import http.client
import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from tests.chaos.evidence import Offered, Shown
from tests.chaos.stage import WebServer
from tests.live.counter import CASHIER, Counter, Page
from tests.servers.pages import Form, form_to, forms_in

_SALE = re.compile(r"^/sale/([0-9a-f-]{36})/$")
# Forms that let the customer pay this sale once more: with a new key, or with other money.
_WAYS_OUT = {"/redeem/": "redeem", "pay-otherwise/": "pay otherwise"}
# What a browser without a server meets; a page cut in the middle is one of them.
GONE = (OSError, http.client.HTTPException)
_PATIENCE_S = 30.0


class Cashier(threading.Thread):
    """One session: scans, redeems, reverses, doubts, presses twice, reloads, changes servers."""

    def __init__(
        self, counter: Counter, servers: Sequence[WebServer], cards: list[str], seed: str
    ) -> None:
        super().__init__(daemon=True)
        self._counter = counter
        self._servers = servers
        self._cards = cards
        self._random = random.Random(seed)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._last: Page | None = None
        # What a customer may want, and how often; another kind of operation is one more line.
        self._wishes: dict[Callable[[], None], float] = {self._redemption: 1.0}
        self.shown: list[Shown] = []
        self.offered: list[Offered] = []
        self.problems: list[str] = []
        self.pages = 0
        self.cut = 0

    @classmethod
    def signed_in(
        cls, servers: Sequence[WebServer], till: int, cards: list[str], seed: str
    ) -> "Cashier":
        """Sign in and stand at one of the tills."""
        counter = Counter(servers[till % len(servers)].url)
        name, secret = CASHIER
        entry = form_to(counter.get("/sign-in/?name").text, "/sign-in/")
        counter.post(entry, username=name, password=secret)
        page = counter.get("/till/")
        tills = re.findall(r'name="till" value="(\d+)"', page.text)
        page = counter.post(form_to(page.text, "/till/"), till=tills[till % len(tills)])
        assert page.path == "/", page.path
        return cls(counter, servers, cards, seed)

    def run(self) -> None:
        while not self._over.wait(self._random.uniform(0, 0.1)):
            try:
                wishes = self._wishes
                self._random.choices(list(wishes), list(wishes.values()))[0]()
            except GONE:
                self._go_on_elsewhere()
            except AssertionError as error:
                # A page that lacks the form it should have: often a 500 while something starts.
                self.problems.append(str(error))
                self._last = None
                self._over.wait(0.5)

    def go_home(self) -> None:
        """Finish the customer at hand and serve no other."""
        self._over.set()

    def close(self, reference: str) -> None:
        """Decide on a sale of which nothing was sent: the customer has left."""
        address = f"/sale/{reference}/"
        page = self._get(address)
        form = _form(page, f"{address}pay-otherwise/")
        if form is not None:
            self._post(form)

    # --- What customers want --------------------------------------------------------------------

    def _redemption(self) -> None:
        basket = f"{self._random.randrange(2000, 9000) / 100:.2f}"
        if self._chance(0.1):
            self._move()
        page = self._asked(self._random.choice(self._cards), basket)
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
            self._reversal(sale)

    def _reversal(self, sale: str) -> None:
        page = self._get(f"{sale}reverse/")
        form = _form(page, f"{sale}reverse/")
        if form is not None:
            page = self._pressed(form)
            if (back := self._sale_of(page)) is not None:
                self._decided(back, page)

    # --- How a till is used ---------------------------------------------------------------------

    def _asked(self, card: str, basket: str) -> Page:
        """Scan a card on whatever screen is there, type the basket, return the answer."""
        scan = _form(self._last, "/card/") if self._last is not None else None
        if scan is None:
            scan = form_to(self._get("/").text, "/card/")
        amount = self._post(scan, value=card, entry="SCAN")
        return self._post(form_to(amount.text, "/offer/"), basket=basket)

    def _pressed(self, form: Form) -> Page:
        """Press once or twice, and again where the server went away in the meantime."""
        if self._chance(0.15):
            self._at_once(lambda: self._counter.post(form))
        ref = form.fields["client_ref"]
        end_at = time.monotonic() + _PATIENCE_S
        is_again = False
        while time.monotonic() < end_at:
            try:
                page = self._noted(self._post(form), ref)
            except GONE:
                if is_again and self._chance(0.1):
                    raise
                self._go_on_elsewhere()
                is_again = True
                continue
            return self._noted(self._post(form), ref) if self._chance(0.1) else page
        raise OSError("the web did not come back")

    def _decided(self, sale: str, page: Page) -> Page:
        """Wait for the outcome, or decide on the doubt; return the last page."""
        for _ in range(self._random.randrange(1, 12)):
            cancel = _form(page, f"{sale}cancel/")
            again = _form(page, f"{sale}send-again/")
            check = _form(page, f"{sale}check/")
            if cancel is not None and self._chance(0.3):
                return self._post(cancel)
            if again is not None:
                other = _form(page, f"{sale}pay-otherwise/")
                page = self._post(other if other and self._chance(0.3) else again)
            elif check is not None and self._chance(0.3):
                page = self._post(check)
            elif _form(page, f"{sale}present/") is not None:
                return page
            else:
                time.sleep(0.3)
                page = self._get(sale)
        return page

    def _at_once(self, press: Callable[[], Page]) -> None:
        def other() -> None:
            with contextlib.suppress(*GONE):
                press()

        threading.Thread(target=other, daemon=True).start()

    def _go_on_elsewhere(self) -> None:
        """The server went away: try the next one."""
        self.cut += 1
        self._last = None
        self._move()
        self._over.wait(0.1)

    def _move(self) -> None:
        # As a balancer would send it: to one that was found well, if there is one.
        well = [server for server in self._servers if server.is_ready] or self._servers
        self._counter.move(self._random.choice(well).url)

    # --- What it saw ----------------------------------------------------------------------------

    def _get(self, path: str) -> Page:
        return self._seen(lambda: self._counter.get(path))

    def _post(self, form: Form, **typed: str) -> Page:
        return self._seen(lambda: self._counter.post(form, **typed))

    def _seen(self, ask: Callable[[], Page]) -> Page:
        """Open a page and note what it offers for a sale that it shows."""
        asked_at = datetime.now(UTC)
        page = ask()
        self._last = page if page.status == 200 else None
        found = _SALE.match(page.path)
        if found is not None and page.status == 200:
            got_at = datetime.now(UTC)
            for action in _forms(page.text):
                for ending, way in _WAYS_OUT.items():
                    if action.endswith(ending):
                        self.offered.append(
                            Offered(reference=found[1], way=way, asked_at=asked_at, got_at=got_at)
                        )
        return page

    def _noted(self, page: Page, client_ref: str) -> Page:
        self.pages += 1
        found = _SALE.match(page.path)
        if found is not None and page.status == 200:
            with self._lock:
                self.shown.append(Shown(reference=found[1], client_ref=client_ref))
        return page

    def _sale_of(self, page: Page) -> str | None:
        return page.path if _SALE.match(page.path) else None

    def _chance(self, share: float) -> bool:
        return self._random.random() < share


@functools.lru_cache(maxsize=128)
def _forms(text: str) -> dict[str, Form]:
    return {form.action: form for form in forms_in(text)}


def _form(page: Page, action: str) -> Form | None:
    return _forms(page.text).get(action)


def _fields(page: Page, action: str) -> dict[str, str]:
    return form_to(page.text, action).fields
