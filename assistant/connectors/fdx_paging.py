"""Reading a paged FDX answer to its end: complete, or an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from assistant.banking.errors import BankUnavailable, HistoryTooLong
from assistant.connectors.profiles import BankProfile, Paging

#: (url, query parameters) -> the parsed body of one page; None when the bank says there is no data.
Fetch = Callable[[str, Mapping[str, str]], Any]
Row = Mapping[str, Any]


class PageBudget:
    """How many pages one question may still read, over all its date windows."""

    def __init__(self, profile: BankProfile) -> None:
        self._bank_id = profile.id
        self._left = profile.max_pages

    def spend(self) -> None:
        """Raises HistoryTooLong when the cap is reached: a cut history would add up to a wrong answer."""
        if self._left <= 0:
            raise HistoryTooLong("page cap reached", bank_id=self._bank_id, code="page_cap")
        self._left -= 1


def read_pages(
    profile: BankProfile, fetch: Fetch, url: str, params: Mapping[str, str], key: str, budget: PageBudget
) -> Iterator[tuple[Row, ...]]:
    """The rows under ``key`` of every page, in order.

    Follows ``page.nextPageKey``, ``page.nextOffset`` or ``links.next.href`` until none is left (FDX Core
    API, "Pagination"). A cursor seen before, or a link to another origin or path, raises BankUnavailable;
    too many pages raise HistoryTooLong.
    """
    query = dict(params)
    seen: set[str] = set()
    where = url
    while True:
        budget.spend()
        body = fetch(where, query)
        if body is None:
            return
        if not isinstance(body, Mapping):
            raise _nonsense(profile, "not_an_object")
        yield _rows(profile, body, key)
        step = _next(profile, body, where, url)
        if step is None:
            return
        mark, where, cursor = step
        if mark in seen:
            raise _nonsense(profile, "paging_loop")
        seen.add(mark)
        # A link is followed as it stands: adding our own parameters again would double them.
        query = {} if cursor is None else {**params, **cursor}


def _rows(profile: BankProfile, body: Row, key: str) -> tuple[Row, ...]:
    rows = body.get(key)
    if rows is None and isinstance(body.get("paginatedArray"), Mapping):
        rows = body["paginatedArray"].get(key)
    if rows is None:
        return ()
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise _nonsense(profile, "rows_unreadable")
    return tuple(rows)


def _next(profile: BankProfile, body: Row, here: str, first: str) -> tuple[str, str, dict[str, str] | None] | None:
    """(a mark to know it again by, the URL, the cursor parameter or None for a link), or None at the end."""
    cursor = _cursor(profile, body)
    link = _link(body)
    if cursor and (profile.paging is Paging.CURSOR or not link):
        name, value = cursor
        return f"{name}={value}", first, {name: value}
    if link:
        url = _same_place(profile, link, here, first)
        return url, url, None
    return None


def _cursor(profile: BankProfile, body: Row) -> tuple[str, str] | None:
    nested = body.get("paginatedArray")
    for page in (body.get("page"), nested.get("page") if isinstance(nested, Mapping) else None):
        if not isinstance(page, Mapping):
            continue
        for field, param in (("nextPageKey", profile.page_key_param), ("nextOffset", profile.offset_param)):
            value = page.get(field)
            if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
                return param, str(value)
    return None


def _link(body: Row) -> str:
    nested = body.get("paginatedArray")
    for links in (body.get("links"), nested.get("links") if isinstance(nested, Mapping) else None):
        following = links.get("next") if isinstance(links, Mapping) else None
        href = following.get("href") if isinstance(following, Mapping) else following
        if isinstance(href, str) and href.strip() and href.strip().lower() != "null":
            return href.strip()
    return ""


def _same_place(profile: BankProfile, href: str, here: str, first: str) -> str:
    """The link as a full URL. It must stay on the same origin and path, or our token would follow it.

    A relative one is resolved against the page it stood on and, for banks that write it relative to their
    API's root, against the base URL.
    """
    rooted = href.startswith("/") and not href.startswith("//")
    try:
        candidates = [urljoin(here, href), profile.base_url.rstrip("/") + href if rooted else href]
        ours = urlsplit(first)
        for theirs in map(urlsplit, candidates):
            if (theirs.scheme, theirs.netloc, theirs.path) == (ours.scheme, ours.netloc, ours.path):
                return theirs._replace(fragment="").geturl()
    except ValueError as error:
        raise _nonsense(profile, "foreign_link") from error
    raise _nonsense(profile, "foreign_link")


def _nonsense(profile: BankProfile, code: str) -> BankUnavailable:
    return BankUnavailable("answer not usable", bank_id=profile.id, code=code)
