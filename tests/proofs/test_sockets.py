"""Egress: in a whole conversation, the assistant's processes talk to her bank, to each other, and to nobody else.

Every connection and look-up is noted by an audit hook that is not the guard's, and by the kernel where strace can be
had (tests/support/watched.py). tests/test_egress.py proves the guard itself.
"""

from __future__ import annotations

import ipaddress

import pytest
from support.watched import WatchedAssistant

pytestmark = [pytest.mark.conversation, pytest.mark.slow, pytest.mark.timeout(600)]


def test_every_socket_went_to_the_bank_or_to_a_process_of_ours(conversed: WatchedAssistant) -> None:
    seen = conversed.seen()
    bank, actions = ("127.0.0.1", conversed.bank.port), ("127.0.0.1", conversed.action_port)
    assert {bank, actions} <= seen.connected  # the watch was awake
    assert seen.connected <= {bank, actions}


def test_no_name_was_looked_up_but_this_machines(conversed: WatchedAssistant) -> None:
    def is_here(name: str) -> bool:
        if name in ("localhost", "None", ""):
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    assert [name for name in conversed.seen().looked_up if not is_here(name)] == []
