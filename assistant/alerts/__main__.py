"""The alerts worker in a process of its own: ``python -m assistant.guarded assistant.alerts``.

One by default. With ``--worker 0 --of 4`` (and so on) four share the customers, each always the same ones, so that one
customer's transactions stay in order.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import threading
from collections.abc import Callable

from assistant.alerts.sender import AlertSender
from assistant.alerts.service import open_alerts
from assistant.alerts.worker import Worker, partition
from assistant.customers.service import Customers, open_customers
from assistant.guarded import guard_process
from assistant.settings import load_settings


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m assistant.alerts", description=__doc__)
    parser.add_argument("--worker", type=int, default=0, help="which one this is, from 0")
    parser.add_argument("--of", type=int, default=1, help="how many there are")
    parser.add_argument(
        "--sender", action="append", default=[], metavar="MODULE:FUNCTION",
        help="gives the AlertSender of a channel when called with the Customers; repeat for more",
    )  # fmt: skip
    options = parser.parse_args()
    if not 0 <= options.worker < options.of:
        parser.error("--worker is from 0 up to, but not including, --of")
    guard_process()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    customers = open_customers(load_settings())
    alerts = open_alerts(customers, [_named(name)(customers) for name in options.sender])
    Worker(alerts, partition(options.worker, options.of)).run(stop)


def _named(name: str) -> Callable[[Customers], AlertSender]:
    """By name, because channels know alerts and not the other way round."""
    module, _, function = name.partition(":")
    found: Callable[[Customers], AlertSender] = getattr(importlib.import_module(module), function)
    return found


if __name__ == "__main__":
    main()
