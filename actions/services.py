"""What every action of this process shares: settings, wording, the database, and the threads that wait for banks."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from assistant.customers.service import Customers, open_customers
from assistant.replies.wording import Wording
from assistant.settings import Settings, load_settings

#: Customers served at the same time by one action server. A turn holds one thread while its bank answers.
WORKERS = 32
#: Which demo customer of the sandbox a development conversation speaks for.
DEMO_VARIABLE = "TELLERLINE_DEMO_CUSTOMER"


@dataclass(frozen=True)
class Services:
    settings: Settings
    wording: Wording
    customers: Customers
    demo_login: str
    pool: ThreadPoolExecutor


@lru_cache(maxsize=1)
def services() -> Services:
    """Made on first use, then kept. Raises SettingsError when a needed secret is not set."""
    settings = load_settings()
    return Services(
        settings=settings,
        customers=open_customers(settings),
        wording=Wording.load(Path(__file__).resolve().parent.parent / "domain.yml"),
        demo_login=os.environ.get(DEMO_VARIABLE) or "maya",
        pool=ThreadPoolExecutor(WORKERS, thread_name_prefix="turn"),
    )
