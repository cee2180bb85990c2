"""What Chromium keeps of a day at the till and in the office: no number of anybody's."""

import json
from typing import Any

from tests.browser.till import SETTLED_MS, Till
from tests.privacy.finder import Finder

# Everything a page can leave behind: storages, databases, caches, its history's own state, its DOM.
_KEPT = """
async () => JSON.stringify({
  local: { ...localStorage },
  session: { ...sessionStorage },
  databases: (await indexedDB.databases()).map((one) => one.name),
  caches: self.caches ? await Promise.all((await caches.keys()).map(async (name) =>
    (await (await caches.open(name)).keys()).map((one) => one.url))) : [],
  workers: navigator.serviceWorker
    ? (await navigator.serviceWorker.getRegistrations()).map((one) => one.scope) : [],
  state: history.state,
  name: window.name,
})
"""


def kept(till: Till) -> str:
    """Return all that the browser keeps, and every address it has been at."""
    history = till.context.new_cdp_session(till.page).send("Page.getNavigationHistory")
    state: dict[str, Any] = {**till.context.storage_state()}
    return f"{json.dumps([history, state])}{till.page.evaluate(_KEPT)}"


def test_no_number_stays_in_a_browser(till: Till, card: str) -> None:
    finder = Finder([card])
    till.sign_in("admin", "milepost-admin")
    till.pick_till()
    sale = till.redeemed(card)
    assert not finder.found_in(kept(till))
    till.go("/give/")
    till.page.wait_for_timeout(SETTLED_MS)
    till.scan(card)
    till.page.wait_for_selector("#id_before")
    assert not finder.found_in(kept(till))
    assert not finder.found_in(till.page.content())
    till.go("/office/privacy/")
    till.page.fill("#search_number", card)
    till.page.press("#search_number", "Enter")
    till.page.wait_for_url("**/privacy/search/")
    assert not finder.found_in(kept(till)) and not finder.found_in(till.page.content())
    till.go(f"/office/log{sale.removeprefix('/sale')}number/")
    till.page.fill("#id_reason", "To see that it stays nowhere")
    till.page.click(".decision__end button")
    till.page.get_by_text(card, exact=True).wait_for()
    # The page shows it, and nothing keeps it.
    assert finder.found_in(till.page.content()) == {card}
    assert not finder.found_in(kept(till))
    till.go("/office/")
    assert not finder.found_in(kept(till))


def test_a_number_that_stays_is_found(till: Till, card: str) -> None:
    till.go("/sign-in/")
    for leak in (
        f"localStorage.setItem('card', '{card}')",
        f"sessionStorage.setItem('card', '{card}')",
        f"history.replaceState({{ card: '{card}' }}, '')",
        f"document.cookie = 'card={card}; SameSite=Strict'",
        f"history.pushState(null, '', '/sign-in/?card={card}')",
    ):
        assert not Finder([card]).found_in(kept(till)), leak
        till.page.evaluate(leak)
        assert Finder([card]).found_in(kept(till)) == {card}, leak
        till.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        till.page.evaluate("document.cookie = 'card=; Max-Age=0'; history.replaceState(null, '')")
