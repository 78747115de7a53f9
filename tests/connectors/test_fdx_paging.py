from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.banking.errors import BankUnavailable, HistoryTooLong
from assistant.connectors.fdx_paging import PageBudget, read_pages
from assistant.connectors.profiles import BankProfile, Paging

PROFILE = BankProfile(id="b", name="B", base_url="https://bank.example/fdx/v6", hosts=("bank.example",), max_pages=50)
URL = "https://bank.example/fdx/v6/accounts/1/transactions"


def read(fetch: Any, profile: BankProfile = PROFILE, params: dict[str, str] | None = None) -> list[Any]:
    pages = read_pages(profile, fetch, URL, params or {}, "transactions", PageBudget(profile))
    return [row["n"] for page in pages for row in page]


def rows(*numbers: int) -> list[dict[str, int]]:
    return [{"n": number} for number in numbers]


class Bank:
    """Pages of rows, the next one named the way the ``style`` has it."""

    def __init__(self, pages: list[list[int]], style: str) -> None:
        self.pages, self.style, self.asked = pages, style, []  # type: ignore[var-annotated]

    def __call__(self, url: str, params: Any) -> Any:
        self.asked.append((url, dict(params)))
        given = (
            params.get("pageKey") or params.get("offset") or (url.split("pageKey=")[1] if "pageKey=" in url else "0")
        )
        at = int(given.removeprefix("p"))
        body: dict[str, Any] = {"transactions": rows(*self.pages[at])}
        following = f"p{at + 1}"
        more = at + 1 < len(self.pages)
        match_style = {
            "key": {"page": {"nextPageKey": following}},
            "offset": {"page": {"nextOffset": following}},
            "number": {"page": {"nextOffset": at + 1}},
            "nested": {"paginatedArray": {"page": {"nextPageKey": following}}},
            "absolute": {"links": {"next": {"href": f"{URL}?pageKey={following}"}}},
            "relative": {"links": {"next": {"href": f"?pageKey={following}"}}},
            "root": {"links": {"next": {"href": f"/fdx/v6/accounts/1/transactions?pageKey={following}"}}},
            "api_root": {"links": {"next": {"href": f"/accounts/1/transactions?pageKey={following}"}}},
            "plain_link": {"links": {"next": f"{URL}?pageKey={following}"}},
            "both": {"page": {"nextPageKey": following}, "links": {"next": {"href": f"{URL}?pageKey={following}"}}},
        }
        last = {"page": {"totalElements": 9, "nextOffset": None}, "links": {"next": {"href": "null"}}}
        return {**body, **(match_style[self.style] if more else last)}


STYLES = ["key", "offset", "number", "nested", "absolute", "relative", "root", "api_root", "plain_link", "both"]


@settings(deadline=None)
@given(
    pages=st.lists(st.lists(st.integers(0, 99), max_size=5), min_size=1, max_size=12),
    style=st.sampled_from(STYLES),
    paging=st.sampled_from(list(Paging)),
)
def test_every_row_of_every_page_once_and_in_order(pages: list[list[int]], style: str, paging: Paging) -> None:
    bank = Bank(pages, style)
    assert read(bank, replace(PROFILE, paging=paging)) == [number for page in pages for number in page]
    assert len(bank.asked) == len(pages)


@settings(deadline=None)
@given(pages=st.integers(1, 30), cap=st.integers(1, 30))
def test_the_cap_fails_and_never_truncates(pages: int, cap: int) -> None:
    bank = Bank([[n] for n in range(pages)], "key")
    profile = replace(PROFILE, max_pages=cap)
    if pages > cap:
        with pytest.raises(HistoryTooLong):
            read(bank, profile)
        assert len(bank.asked) == cap
    else:
        assert read(bank, profile) == list(range(pages))


@settings(deadline=None)
@given(before=st.integers(0, 10), loop=st.integers(1, 5))
def test_any_loop_of_cursors_ends_in_an_error(before: int, loop: int) -> None:
    def fetch(url: str, params: Any) -> Any:
        at = int(params.get("pageKey", 0))
        following = at + 1 if at + 1 < before + loop else before
        return {"transactions": rows(at), "page": {"nextPageKey": str(following or "0")}}

    with pytest.raises(BankUnavailable) as caught:
        read(fetch)
    assert caught.value.code == "paging_loop"


@pytest.mark.parametrize(
    "href",
    ["https://elsewhere.example/fdx/v6/accounts/1/transactions?pageKey=2", "//elsewhere.example/x", "http://bank.example/fdx/v6/accounts/1/transactions?pageKey=2",
     "https://bank.example:8443/fdx/v6/accounts/1/transactions?pageKey=2", "https://bank.example/fdx/v6/accounts/2/transactions?pageKey=2",
     "/accounts/2/transactions?pageKey=2", "null/fdx/v6/accounts/1/transactions?pageKey=2", "https://bank.example@elsewhere.example/fdx/v6/accounts/1/transactions",
     "javascript:alert(1)", "https://[bad", "\\\\elsewhere.example\\x"],
)  # fmt: skip
def test_a_link_that_leads_elsewhere_is_not_followed(href: str) -> None:
    asked: list[str] = []

    def fetch(url: str, params: Any) -> Any:
        asked.append(url)
        return {"transactions": rows(1), "links": {"next": {"href": href}}}

    with pytest.raises(BankUnavailable) as caught:
        read(fetch)
    assert caught.value.code == "foreign_link"
    assert asked == [URL]


def test_a_link_to_itself_is_a_loop() -> None:
    with pytest.raises(BankUnavailable) as caught:
        read(lambda url, params: {"transactions": rows(1), "links": {"next": {"href": f"{URL}?pageKey=1"}}})
    assert caught.value.code == "paging_loop"


def test_a_link_is_followed_unedited_and_a_cursor_keeps_our_parameters() -> None:
    bank = Bank([[1], [2]], "absolute")
    read(bank, params={"limit": "50"})
    assert bank.asked[1] == (f"{URL}?pageKey=p1", {})
    bank = Bank([[1], [2]], "key")
    read(bank, params={"limit": "50"})
    assert bank.asked[1] == (URL, {"limit": "50", "pageKey": "p1"})


def test_no_data_is_an_empty_answer() -> None:
    assert read(lambda url, params: None) == []
    assert read(lambda url, params: {}) == []


@pytest.mark.parametrize("body", [[], "text", 5, {"transactions": {}}, {"transactions": [1]}, {"transactions": "x"}])
def test_nonsense_is_an_error(body: Any) -> None:
    with pytest.raises(BankUnavailable):
        read(lambda url, params: body)


def test_the_budget_is_for_all_windows_together() -> None:
    budget = PageBudget(replace(PROFILE, max_pages=3))
    for _ in range(3):
        list(read_pages(PROFILE, lambda url, params: {}, URL, {}, "transactions", budget))
    with pytest.raises(HistoryTooLong):
        list(read_pages(PROFILE, lambda url, params: {}, URL, {}, "transactions", budget))
