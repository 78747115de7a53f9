"""The Rasa action server imports a module of this name at start: here it gets its guard (actions/guard.py)."""

from typing import Any


def init_hooks(manager: Any) -> None:
    from actions import guard

    manager.register(guard)
