"""One browser that walks the console and keeps pictures of what it meets."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from tests.browser import stage
from tests.servers.stack import Sandbox, Web

SIZES = {"1024": (1024, 768), "768": (768, 1024), "1366": (1366, 768), "390": (390, 844)}
SETTLED_MS = 450
KEYS = """text => {
  for (const key of [...text, "Enter"]) {
    const target = document.activeElement || document.body;
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  }
}"""
# The screen scrolls inside its frame, so a picture of the page would end at the fold.
HIDDEN = """() => {
  const screen = document.querySelector("#main") || document.documentElement;
  return Math.max(0, screen.scrollHeight - screen.clientHeight);
}"""


@dataclass(kw_only=True)
class Walk:
    """One browser at one till, and where its pictures go."""

    page: Page
    web: str
    sandbox: Sandbox
    into: Path
    look: str
    sizes: Sequence[str]
    # None where the console was there before: its log is not for scenes.
    own: Web | None = None

    @property
    def language(self) -> str:
        """The language of this walk."""
        return self.look.partition("-")[0]

    @property
    def place(self) -> int:
        """A digit of this look's own, for collectors that no other look has."""
        return ["en", "fr", "en-dark", "fr-light"].index(self.look)

    def play(self, scene: str) -> stage.Scene:
        """Put a scene into the console's log; only where the console is this walk's own."""
        assert self.own is not None
        return stage.played(self.own, scene)

    def open(self, path: str) -> None:
        self.page.goto(self.web + path)

    def shot(self, name: str, *, is_whole: bool = False) -> None:
        """Keep a picture of this screen at every size; whole, it is as long as what it shows."""
        for size in self.sizes:
            width, height = SIZES[size]
            self.page.set_viewport_size({"width": width, "height": height})
            if is_whole:
                hidden: int = self.page.evaluate(HIDDEN)
                self.page.set_viewport_size({"width": width, "height": height + hidden})
            self.page.wait_for_timeout(150)
            self.page.screenshot(path=self.into / f"{name}-{self.look}-{size}.png")
        width, height = SIZES["1024"]
        self.page.set_viewport_size({"width": width, "height": height})

    def scan(self, text: str) -> None:
        """Send the keys of a scanner: faster than a busy machine could through the debugger."""
        self.page.wait_for_timeout(SETTLED_MS)
        self.page.evaluate(KEYS, text)

    def enter(self) -> None:
        """Press Enter as a person does, a moment after the screen came."""
        self.page.wait_for_timeout(SETTLED_MS)
        self.page.keyboard.press("Enter")

    def basket(self, card: str, before: str, after: str) -> None:
        """Scan a card that earns, type what the basket comes to, and see the miles."""
        self.open("/give/")
        self.scan(card)
        self.page.wait_for_selector("#id_before")
        self.page.fill("#id_before", before)
        self.page.fill("#id_after", after)
        self.page.press("#id_after", "Enter")
        self.page.wait_for_selector(".figures--done, .outcome, .notice")

    def offer(self, card: str, basket: str) -> None:
        """Scan a card and type a basket."""
        self.open("/")
        self.scan(card)
        self.page.fill("#id_basket", basket)
        self.enter()
        self.page.wait_for_selector("#redeem, .outcome")

    def redeem(self, card: str, basket: str) -> str:
        """Redeem the preselected amount; return the sale's address."""
        self.offer(card, basket)
        self.enter()
        self.page.wait_for_url("**/sale/**")
        self.page.wait_for_timeout(SETTLED_MS)
        return self.page.url.removeprefix(self.web)

    def redeem_refused(self, card: str, basket: str) -> None:
        """Redeem what is preselected where that is refused before anything is sent."""
        self.offer(card, basket)
        if self.page.locator("#redeem").count():
            self.enter()
        self.page.wait_for_selector(".outcome")
        self.page.wait_for_timeout(SETTLED_MS)

    def sign_in(self, name: str, secret: str, to: str = "/office/") -> None:
        """Sign in anew, in this look's language."""
        self.page.context.clear_cookies()
        self.open(f"/sign-in/?next={to}")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", secret)
        self.page.click("button.button--main")
        # Signing in chose the person's language.
        button = self.page.locator(f".language button[value={self.language}]")
        if button.count():
            with self.page.expect_navigation():
                button.click()
