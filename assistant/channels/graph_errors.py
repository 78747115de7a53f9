"""What Meta's Graph API refuses, and what to do about it: the whole of it is the table below.

Codes: developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes, updated 2026-03-18;
10/1893063 by the changelog of 2026-06-25. The rest of Graph's codes are in .../docs/graph-api/guides/error-handling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

MINUTE, HOUR = 60.0, 3600.0


class Treatment(str, Enum):
    RETRY = "retry"  #: Graph stumbled: the same call may do better in a moment
    WAIT = "wait"  #: too much was sent: nothing for a while
    STOP = "stop"  #: this person can't or won't be written to, until they write again
    KEEP = "keep"  #: not now: the window is closed, so it waits for the next conversation
    MEND = "mend"  #: the page or the app must be mended by somebody first: everything would fail
    GIVE_UP = "give_up"  #: this very call is wrong, and fails for ever


@dataclass(frozen=True, slots=True)
class Rule:
    """``seconds`` is how long to wait at least. ``meaning`` is for the operator's log."""

    treatment: Treatment
    meaning: str
    seconds: float = 0.0


#: By code and subcode; a subcode of 0 stands for every other one.
RULES: Mapping[tuple[int, int], Rule] = {
    (1, 0): Rule(Treatment.RETRY, "Graph had an unknown error"),
    (1, 99): Rule(Treatment.MEND, "the app lacks a permission, Advanced Access or Business Verification"),
    (2, 0): Rule(Treatment.RETRY, "Graph is unavailable for the moment"),
    (4, 0): Rule(Treatment.WAIT, "the app has made too many calls", 5 * MINUTE),
    (10, 0): Rule(Treatment.MEND, "the app has no permission for this"),
    (10, 2018065): Rule(Treatment.KEEP, "the 24-hour window is closed"),
    (10, 2018108): Rule(Treatment.STOP, "the person takes no messages from this page"),
    (10, 2018278): Rule(Treatment.KEEP, "the 24-hour window is closed"),
    (10, 1893063): Rule(Treatment.WAIT, "Meta restricts the page from sending for a while", HOUR),
    (17, 0): Rule(Treatment.WAIT, "the token has made too many calls", 5 * MINUTE),
    (32, 0): Rule(Treatment.WAIT, "the page has made too many calls", 5 * MINUTE),
    (100, 0): Rule(Treatment.GIVE_UP, "Graph does not take a parameter of ours"),
    (100, 2018001): Rule(Treatment.STOP, "there is no such person any more"),
    (190, 0): Rule(Treatment.MEND, "the page access token is not valid: make a new one (docs/messenger.md)"),
    (200, 0): Rule(Treatment.MEND, "a permission is missing (docs/messenger.md)"),
    (200, 2018028): Rule(Treatment.MEND, "the app is not live: only people with a role in it can be written to"),
    (368, 0): Rule(Treatment.WAIT, "Meta has blocked the page for breaking a policy, for a while", HOUR),
    (551, 0): Rule(Treatment.STOP, "the person is not available, or has blocked the page"),
    (613, 0): Rule(Treatment.WAIT, "the rate limit is exceeded", MINUTE),
    (613, 1996015): Rule(Treatment.STOP, "Meta finds our messages to this person bothersome"),
    (1200, 0): Rule(Treatment.RETRY, "Graph could not send for the moment"),
    (80006, 0): Rule(Treatment.WAIT, "the page has used up its messages of the rolling day", 5 * MINUTE),
}
_BY_STATUS = {
    401: Rule(Treatment.MEND, "Graph does not know who we are"),
    429: Rule(Treatment.WAIT, "too many calls", MINUTE),
}
_STUMBLED = Rule(Treatment.RETRY, "Graph answered nothing that can be read")
_REFUSED = Rule(Treatment.GIVE_UP, "Graph refused, with a code that is not in our table")


class GraphError(Exception):
    """A call that failed. The message holds codes and Meta's trace id, nothing of what was sent.

    ``uncertain``: no answer came, so the call may have had its effect. Sending it again could say a thing twice.
    """

    def __init__(self, rule: Rule, code: int = 0, subcode: int = 0, trace: str = "", *, uncertain: bool = False):
        number = f"{code}/{subcode}" if subcode else str(code or "-")
        super().__init__(f"{rule.meaning} (code {number}, trace {trace or '-'})")
        self.rule = rule
        self.code = code
        self.subcode = subcode
        self.uncertain = uncertain

    @property
    def treatment(self) -> Treatment:
        return self.rule.treatment


def refusal(status: int, body: Any) -> GraphError:
    """The error that an answer other than a plain 200 means. Graph's own sentences are left out: they may quote ours.

    Without an error of Graph's, something between us may have spoken, and Graph may have done what it was asked.
    """
    said = body.get("error") if isinstance(body, Mapping) else None
    error: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    uncertain = not error and (status == 200 or status >= 500)
    code, subcode = _whole(error.get("code")), _whole(error.get("error_subcode"))
    rule = RULES.get((code, subcode)) or RULES.get((code, 0)) or _BY_STATUS.get(status)
    if rule is None:
        # Graph marks what will pass, for codes that nobody lists.
        transient = uncertain or status >= 500 or error.get("is_transient") is True
        rule = _STUMBLED if transient else _REFUSED
    trace = error.get("fbtrace_id")
    readable = isinstance(trace, str) and len(trace) < 40 and trace.isascii() and trace.isprintable()
    return GraphError(rule, code, subcode, str(trace) if readable else "", uncertain=uncertain)


def no_answer(error: BaseException, *, sent: bool) -> GraphError:
    """Graph could not be reached (``sent`` False), or fell silent after the request had gone out."""
    rule = Rule(Treatment.RETRY, f"no answer from Graph: {type(error).__name__}")
    return GraphError(rule, uncertain=sent)


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
