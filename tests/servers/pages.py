"""Reads a page as a browser without script would: its forms with what they would send."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(kw_only=True)
class Form:
    """One form of a page."""

    name: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(name=given.get("id", ""), action=given.get("action", ""))
            self.forms.append(self._open)
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "input" and self._open is not None and given.get("name"):
            is_choice = given.get("type") in {"radio", "checkbox"}
            if not is_choice or "checked" in given:
                self._open.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def form_to(page: str, action: str) -> Form:
    """Return the page's last form that goes to an address."""
    found = [form for form in _read(page).forms if form.action == action]
    assert found, f"no form goes to {action}"
    return found[-1]


def forms_in(page: str) -> list[Form]:
    """Return a page's forms, in its order."""
    return _read(page).forms


def links_in(page: str) -> list[str]:
    """Return the addresses that a page links to, in its order."""
    return _read(page).links


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader
