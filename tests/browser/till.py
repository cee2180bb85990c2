"""Somebody at a browser: scans as a scanner does, types as people do, and hears every complaint."""

import time
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Response

# An Enter is heard only once the screen has stood for a moment (till.js, SETTLING_MS).
# A busy machine may show a screen long before its script has noticed.
SETTLED_MS = 1200
# A scanner leaves some 8 ms between two characters.
SCAN_GAP_S = 0.008
TYPING_MS = 60

_LISTEN = """
document.addEventListener("securitypolicyviolation", (event) =>
  complained(`refused by policy: ${event.effectiveDirective} ${event.blockedURI}`));
window.print = () => printed(location.pathname + location.search);
// A burst may also end with quiet (scanner.js, QUIET_MS), which a busy machine puts into any burst.
const later = window.setTimeout;
window.setTimeout = (run, ms, ...rest) => later(run, ms === 100 ? 10_000 : ms, ...rest);
"""


class Till:
    """One browser, with a page that listens."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.complaints: list[str] = []
        self.printed: list[str] = []
        context.expose_function("complained", lambda text: self.complaints.append(text))
        context.expose_function("printed", lambda path: self.printed.append(path))
        context.add_init_script(_LISTEN)
        self.page = self.new_page()

    @classmethod
    def open(cls, browser: Browser, url: str, **options: Any) -> "Till":
        """Open a browser of its own, with nothing remembered."""
        given = {"viewport": {"width": 1024, "height": 768}, "locale": "en-CA", **options}
        context = browser.new_context(**given)
        context.set_default_timeout(90_000)
        return cls(context, url)

    def close(self) -> None:
        """Close the browser."""
        self.context.close()

    def new_page(self) -> Page:
        """Open one more page, listened to as the first one."""
        page = self.context.new_page()
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("response", self._on_response)
        return page

    def go(self, path: str) -> None:
        """Open a page by its address."""
        self.page.goto(self.url + path)

    def sign_in(self, name: str, secret: str) -> None:
        """Sign in."""
        self.go("/sign-in/?name")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", secret)
        self.page.press("#id_password", "Enter")
        self.page.wait_for_url(lambda url: "/sign-in/" not in url)

    def pick_till(self) -> None:
        """Pick the first till of the first store, which this browser then remembers."""
        self.go("/till/")
        self.page.locator("form[action='/till/'] button").first.click()
        self.page.wait_for_url(f"{self.url}/")

    def scan(self, text: str) -> None:
        """Send a burst of keys with the times of a scanner, wherever the focus is."""
        session = self.context.new_cdp_session(self.page)
        at_s = time.time()
        for key in [*text, "Enter"]:
            at_s += SCAN_GAP_S
            is_enter = key == "Enter"
            # The times are a scanner's, however busy the machine that plays it.
            event = {"key": key, "text": "\r" if is_enter else key, "timestamp": at_s}
            if is_enter:
                event |= {"code": "Enter", "windowsVirtualKeyCode": 13}
            session.send("Input.dispatchKeyEvent", {"type": "keyDown", **event})
            session.send("Input.dispatchKeyEvent", {"type": "keyUp", **event, "text": ""})
        session.detach()

    def type(self, text: str) -> None:
        """Type as a person does, into whatever has the focus."""
        self.page.keyboard.type(text, delay=TYPING_MS)

    def enter(self) -> None:
        """Press Enter a moment after the screen came."""
        self.page.wait_for_timeout(SETTLED_MS)
        self.page.keyboard.press("Enter")

    def offered(self, card: str, basket: str = "43.35") -> None:
        """Scan a card and type the basket, up to the offer."""
        self.page.wait_for_timeout(SETTLED_MS)
        self.scan(card)
        self.page.wait_for_selector("#id_basket:focus")
        self.type(basket)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("#redeem")

    def redeemed(self, card: str) -> str:
        """Redeem what is preselected; return the sale's address."""
        self.offered(card)
        self.enter()
        self.page.wait_for_url("**/sale/**")
        return self.page.url.removeprefix(self.url)

    @property
    def screen(self) -> Locator:
        """The screen: all but the frame around it."""
        return self.page.locator("#screen")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")
