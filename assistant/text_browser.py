"""A browser of plain text, enough for our own pages and a bank's sign-in: for a terminal with no browser beside it.

Shows a page's words, asks for each field (hidden ones for secrets), sends the form, follows where it leads. Keeps
cookies for the visit and nothing after it. Runs no scripts: a bank whose pages need them is opened in a browser.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

_TIMEOUT = 30
#: More pages than any sign-in has: a page that leads to itself ends here.
_MOST_PAGES = 12
_VOID_TEXT = frozenset({"style", "script", "title", "head"})
_BLOCKS = frozenset({"p", "h1", "h2", "h3", "li", "label", "legend", "form", "button", "div", "fieldset", "header"})


@dataclass
class Field:
    name: str
    kind: str
    value: str = ""
    label: str = ""
    checked: bool = False


@dataclass
class Form:
    action: str
    method: str
    fields: list[Field] = field(default_factory=list)
    buttons: list[Field] = field(default_factory=list)


class PageReader(HTMLParser):
    """The words of a page, and its forms with each field's label."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.forms: list[Form] = []
        self._words: list[str] = []
        self._silent = 0
        self._labels: dict[str, str] = {}
        self._label_for = ""
        self._inside: Field | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _VOID_TEXT:
            self._silent += 1
        if tag in _BLOCKS:
            self._end_line()
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif tag == "label":
            self._label_for = given.get("for", "")
        elif tag == "input" and self.forms and given.get("name"):
            one = Field(given["name"], given.get("type", "text"), given.get("value", ""), given.get("id", ""))
            one.checked = "checked" in given
            self.forms[-1].fields.append(one)
            if one.kind == "checkbox":
                self._inside = one
        elif tag == "button" and self.forms:
            one = Field(given.get("name", ""), "button", given.get("value", ""))
            self.forms[-1].buttons.append(one)
            self._inside = one

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID_TEXT:
            self._silent = max(0, self._silent - 1)
        if tag not in _BLOCKS:
            return
        words = " ".join(" ".join(self._words).split())
        if tag == "label" and self._label_for:
            self._labels[self._label_for] = words
            self._words = []
        elif tag in ("label", "button") and self._inside is not None:
            self._inside.label = words
            self._inside = None
            self._words = []
        self._label_for = "" if tag == "label" else self._label_for
        self._end_line()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._words.append(data)

    def close(self) -> None:
        super().close()
        self._end_line()
        for form in self.forms:
            for one in form.fields:
                if one.kind not in ("checkbox", "hidden"):
                    one.label = self._labels.get(one.label, one.name)

    def _end_line(self) -> None:
        words = " ".join(" ".join(self._words).split())
        if words and self._inside is None and not self._label_for:
            self.lines.append(words)
            self._words = []


class NotReadable(Exception):
    """The page can't be used without a real browser; the message says why."""


def visit(url: str, show: Callable[[str], None], ask: Callable[[str], str], ask_hidden: Callable[[str], str]) -> None:
    """From ``url`` until a page with nothing to fill in. ``ask_hidden`` must not echo.

    Raises NotReadable, requests.RequestException.
    """
    session = requests.Session()
    answer = session.get(url, timeout=_TIMEOUT)
    for _ in range(_MOST_PAGES):
        page = PageReader()
        page.feed(answer.text)
        page.close()
        for line in page.lines:
            show(line)
        if not page.forms:
            return
        answer = _send(session, answer.url, page.forms, show, ask, ask_hidden)
    raise NotReadable("these pages lead in a circle; open the address in a browser")


def _pick(labels: list[str], show: Callable[[str], None], ask: Callable[[str], str]) -> int:
    """Which of them, counted from 0; not asked where there is no choice."""
    if len(labels) < 2:
        return 0
    for number, label in enumerate(labels, 1):
        show(f"  {number}. {label}")
    said = ask(f"Which one (1-{len(labels)})? ").strip()
    return int(said) - 1 if said.isdigit() and 0 < int(said) <= len(labels) else 0


def _send(
    session: requests.Session,
    page_url: str,
    forms: list[Form],
    show: Callable[[str], None],
    ask: Callable[[str], str],
    ask_hidden: Callable[[str], str],
) -> requests.Response:
    form = forms[_pick([one.buttons[0].label if one.buttons else one.action for one in forms], show, ask)]
    target = urljoin(page_url, form.action)
    if urlsplit(target).scheme not in ("http", "https"):
        raise NotReadable("this page needs a browser")
    values: list[tuple[str, str]] = []
    for one in form.fields:
        if one.kind == "hidden":
            values.append((one.name, one.value))
        elif one.kind == "checkbox":
            hint = "Y/n" if one.checked else "y/N"
            said = ask(f"{one.label} [{hint}] ").strip().lower()
            if said.startswith("y") or (not said and one.checked):
                values.append((one.name, one.value or "on"))
        else:
            values.append((one.name, (ask_hidden if one.kind == "password" else ask)(f"{one.label}: ")))
    if form.buttons:
        button = form.buttons[_pick([one.label for one in form.buttons], show, ask)]
        if button.name:
            values.append((button.name, button.value))
    if form.method == "post":
        return session.post(target, data=values, timeout=_TIMEOUT)
    return session.get(target, params=values, timeout=_TIMEOUT)
