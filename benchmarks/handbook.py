"""The public benchmark of the Fraud Detection Handbook: reading its data, its protocol for a baseline, its features
and its measures (Le Borgne et al., "Reproducible Machine Learning for Credit Card Fraud Detection").

The data (github.com/Fraud-Detection-Handbook/simulated-data-raw, 183 days) stays outside the repository.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

FIRST_DAY = date(2018, 4, 1)
DAY = 86_400
#: Days until it is known whether a transaction was fraud (chapter 5, "Prequential validation").
DELAY = 7
WEEK = 7
_WINDOWS = (1, 7, 30)


@dataclass(frozen=True)
class Transactions:
    """In the order of time. ``at``: seconds since the first day. The scenario, which a bank can't know, is not read."""

    at: np.ndarray
    day: np.ndarray
    customer: np.ndarray
    terminal: np.ndarray
    amount: np.ndarray
    fraud: np.ndarray

    def __len__(self) -> int:
        return len(self.at)

    def where(self, mask: np.ndarray) -> Transactions:
        return Transactions(*(getattr(self, field.name)[mask] for field in fields(self)))


_COLUMNS = {
    "at": "TX_TIME_SECONDS",
    "day": "TX_TIME_DAYS",
    "customer": "CUSTOMER_ID",
    "terminal": "TERMINAL_ID",
    "amount": "TX_AMOUNT",
    "fraud": "TX_FRAUD",
}


def load(folder: Path) -> Transactions:
    """Every day in ``folder`` (or its ``data``). Raises FileNotFoundError when there is none."""
    days = sorted(folder.glob("2018-*.pkl")) or sorted((folder / "data").glob("2018-*.pkl"))
    if not days:
        raise FileNotFoundError(
            f"{folder}: no 2018-*.pkl; clone github.com/Fraud-Detection-Handbook/simulated-data-raw"
        )
    read = [_read(path) for path in days]
    columns = {name: np.concatenate([day[column] for day in read]) for name, column in _COLUMNS.items()}
    # The book sorts by the transaction's number; a forest draws its samples by position.
    order = np.argsort(np.concatenate([day["TRANSACTION_ID"] for day in read]), kind="stable")
    kinds = {name: float if name == "amount" else int for name in columns}
    return Transactions(**{name: np.asarray(column, dtype=kinds[name])[order] for name, column in columns.items()})


class _Plain:
    """Stands for whatever of pandas a file names; keeps the arrays."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Arrays(pickle.Unpickler):
    """A pickle may run anything it names. This one may make numpy arrays, and nothing else."""

    _SAFE = frozenset({("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")})

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._SAFE:
            return super().find_class(module, name)
        if (module, name) == ("builtins", "slice"):
            return slice
        if name == "_new_Index":
            return lambda _kind, content: content
        if module.startswith("pandas."):
            return _Plain
        raise pickle.UnpicklingError(f"{module}.{name} is no array")


def _read(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        frame = _Arrays(file).load()
    (names, _rows), _, _, extra = frame.state["_data"].state
    columns = list(names["data"])
    found = {}
    for block in extra["0.14.1"]["blocks"]:
        places = block["mgr_locs"]
        positions = range(len(columns))[places] if isinstance(places, slice) else places
        for position, row in zip(positions, block["values"], strict=True):
            found[columns[position]] = row
    return found


def day_of(month: int, day: int) -> int:
    return (date(2018, month, day) - FIRST_DAY).days


def training_week(data: Transactions, test: int) -> np.ndarray:
    """The week that ends a week before the test week begins: by then its frauds are known."""
    return (data.day >= test - DELAY - WEEK) & (data.day < test - DELAY)


def test_week(data: Transactions, test: int) -> np.ndarray:
    """The week from day ``test`` on, without the cards that are known by then to be compromised."""
    known = set(data.customer[training_week(data, test) & (data.fraud == 1)])
    kept = np.zeros(len(data), dtype=bool)
    for day in range(test, test + WEEK):
        known |= set(data.customer[(data.day == day - DELAY - 1) & (data.fraud == 1)])
        rows = np.flatnonzero(data.day == day)
        kept[rows] = ~np.isin(data.customer[rows], list(known))
    return kept


def features(data: Transactions) -> np.ndarray:
    """The fifteen of chapter 3 ("Baseline feature transformation"), in the book's order."""
    weekend = (np.array((FIRST_DAY.weekday() + data.day) % 7) >= 5).astype(int)
    night = ((data.at % DAY) // 3600 <= 6).astype(int)
    columns: list[np.ndarray] = [data.amount, weekend, night]
    for count, total in _rolling(data, data.customer, data.amount, offset=0):
        columns += [count, total / count]
    for count, frauds in _rolling(data, data.terminal, data.fraud.astype(float), offset=DELAY):
        columns += [count, np.divide(frauds, count, out=np.zeros_like(frauds), where=count > 0)]
    return np.column_stack(columns)


def _rolling(data: Transactions, group: np.ndarray, value: np.ndarray, offset: int) -> Iterator[tuple[np.ndarray, ...]]:
    """For windows of 1, 7 and 30 days that end ``offset`` days before each transaction: how many, and their sum."""
    span = int(data.at.max()) + 64 * DAY
    key = group.astype(np.int64) * span + data.at
    order = np.argsort(key, kind="stable")
    ranked = key[order]
    sums = np.concatenate([[0.0], np.cumsum(value[order])])
    own = np.empty(len(key), dtype=np.int64)
    own[order] = np.arange(1, len(key) + 1)
    lowest = group.astype(np.int64) * span
    end = np.searchsorted(ranked, np.maximum(key - offset * DAY, lowest), side="right") if offset else own
    for days in _WINDOWS:
        begin = np.searchsorted(ranked, np.maximum(key - (offset + days) * DAY, lowest - 1), side="right")
        begin = np.minimum(begin, end)
        yield (end - begin).astype(float), sums[end] - sums[begin]


def card_precision(data: Transactions, scores: np.ndarray, top: int = 100) -> float:
    """Of the ``top`` cards a day with the highest scores, the share that is compromised; cards found stay found."""
    found: set[int] = set()
    shares = []
    for day in np.unique(data.day):
        highest: dict[int, float] = {}
        compromised: set[int] = set()
        for row in np.flatnonzero(data.day == day):
            card = int(data.customer[row])
            if card in found:
                continue
            highest[card] = max(highest.get(card, -1.0), float(scores[row]))
            if data.fraud[row]:
                compromised.add(card)
        hits = compromised.intersection(sorted(highest, key=lambda card: -highest[card])[:top])
        shares.append(len(hits) / top)
        found |= hits
    return float(np.mean(shares))
