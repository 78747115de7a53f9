"""The Rasa action server imports a module of this name at start: here it gets its guard (actions/guard.py)."""

from typing import Any


def init_hooks(manager: Any) -> None:
    from assistant.guarded import guard_process

    guard_process()
    from actions import guard

    manager.register(guard)
