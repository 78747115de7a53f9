"""Work in a process of its own that is killed at a given step: as a power cut would, nothing closed or rolled back.

A step is every statement to a database, every commit, and every call to a bank, before it and after it. So no list of
steps has to be kept: a new one is killed too.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from support.installation import settings_in

from assistant.connectors.http import BankHttp
from assistant.customers.service import Customers, open_customers

KILLED = 9
#: More than any of the operations has; one that goes on for longer is not getting anywhere.
MOST_STEPS = 400
_context = multiprocessing.get_context("forkserver")
# Not this module: the server does not know where tests are.
_context.set_forkserver_preload(["assistant.customers.service"])

Work = Callable[[Customers, str], None]


def installation(home: str, bank_url: str) -> Customers:
    return open_customers(settings_in(Path(home), sandbox_url=bank_url, cache_seconds=0))


def kills(work: Work, home: str, bank_url: str, prepare: Callable[[int], str]) -> Iterator[tuple[int, str, bool]]:
    """Runs ``work`` killed at its first step, its second, and so on, until it gets to its end. ``prepare`` makes what
    the next run works on; given back are the step, what was prepared, and whether it was killed."""
    for step in itertools.count(1):
        assert step < MOST_STEPS
        on = prepare(step)
        process = _context.Process(target=_child, args=(work, home, bank_url, on, step))
        process.start()
        process.join()
        assert process.exitcode in (0, KILLED), f"failed at step {step}: {process.exitcode}"
        yield step, on, process.exitcode == KILLED
        if process.exitcode == 0:
            return


def _child(work: Work, home: str, bank_url: str, on: str, die_at: int) -> None:
    customers = installation(home, bank_url)
    steps = itertools.count(1)

    def step(*_: Any) -> None:
        if next(steps) == die_at:
            os._exit(KILLED)

    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)
    for name in ("send", "insist"):
        setattr(BankHttp, name, _watched(getattr(BankHttp, name), step))
    work(customers, on)


def _watched(real: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    """The call, with a step before it and one after it."""

    def call(*args: Any, **kwargs: Any) -> Any:
        step()
        answer = real(*args, **kwargs)
        step()
        return answer

    return call
