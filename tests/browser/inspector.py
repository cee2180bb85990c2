"""Holds screens against axe's rules, and a till's against the size of a finger."""

from pathlib import Path

from playwright.sync_api import Page, ViewportSize

AXE = Path(__file__).parent.parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# A finger on a till (CONSOLE 2.1): 44 px at least, whatever the standard's floor is.
SMALLEST_PX = 44
PHONE: ViewportSize = {"width": 390, "height": 844}
TABLET: ViewportSize = {"width": 1024, "height": 768}

_RUN = """
async (rules) => (await axe.run(document, { runOnly: rules, resultTypes: ["violations"] }))
  .violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary.split("\\n").join(" ")}`))
"""
_TARGETS = "button, a.button, .rail__link, .row-link, .segments a, .step, input:not([type=hidden])"
# A radio button's target is the whole step around it, a row's link stretches over the row.
_SMALL = """
([targets, least]) => [...document.querySelectorAll(targets)]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .filter((one) => !(one instanceof HTMLInputElement && one.closest(".step")))
  .map((one) => ({ one, box: (one.closest(".table tr") || one).getBoundingClientRect() }))
  .filter(({ box }) => Math.min(box.width, box.height) < least)
  .map(({ one, box }) => `${one.tagName} ${one.className} “${one.innerText.trim()}” `
    + `${Math.round(box.width)} x ${Math.round(box.height)}`)
"""


class Inspector:
    """Looks at screens one after the other and keeps what is wrong with each."""

    def __init__(self) -> None:
        self.faults: dict[str, list[str]] = {}
        self.seen: list[str] = []

    def look(self, page: Page, name: str, *, is_at_till: bool = True) -> None:
        """Hold a screen against axe's rules, and a till's against a finger."""
        # Asked from outside the page, so that the page's own policy stands as it is.
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[str] = page.evaluate(_RUN, RULES)
        if is_at_till:
            found += self._small(page, "tablet")
            page.set_viewport_size(PHONE)
            found += self._small(page, "phone")
            found += self._wide(page)
            page.set_viewport_size(TABLET)
        self.seen.append(name)
        if found:
            self.faults[name] = found

    def told(self) -> str:
        """Return every fault, by screen."""
        return "\n".join(f"{name}: {one}" for name, found in self.faults.items() for one in found)

    @staticmethod
    def _small(page: Page, size: str) -> list[str]:
        small: list[str] = page.evaluate(_SMALL, [_TARGETS, SMALLEST_PX])
        return [f"too small on a {size}: {one}" for one in small]

    @staticmethod
    def _wide(page: Page) -> list[str]:
        too_wide = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return [f"{too_wide} px wider than a phone"] if too_wide > 1 else []
