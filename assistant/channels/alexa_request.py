"""A request of Alexa's, freed of its shape.

https://developer.amazon.com/docs/custom-skills/request-and-response-json-reference.html#request-format
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assistant.channels.base import Refused

#: Hosts that a request may name to be sent directives at: North America, Europe and India, the Far East.
API_HOSTS = ("api.amazonalexa.com", "api.eu.amazonalexa.com", "api.fe.amazonalexa.com")
_MAX_TEXT = 8000
APL = "Alexa.Presentation.APL"


@dataclass(frozen=True, slots=True)
class Asked:
    """``user`` is Alexa's id of the account, ``token`` what our account linking gave it. ``slots`` holds what was
    heard, as said. ``remembered`` is what our last response of this session gave along. ``api`` is "" for none."""

    kind: str
    id: str = field(repr=False)
    user: str = field(repr=False)
    skill: str
    timestamp: str
    token: str = field(default="", repr=False)
    is_new: bool = False
    intent: str = ""
    slots: Mapping[str, str] = field(default_factory=dict, repr=False)
    remembered: Mapping[str, Any] = field(default_factory=dict, repr=False)
    has_screen: bool = False
    api: str = ""
    api_token: str = field(default="", repr=False)
    reason: str = ""

    @classmethod
    def read(cls, body: bytes) -> Asked:
        """Raises Refused (400) for what Alexa would not send."""
        try:
            whole = _object(json.loads(body))
            request = _object(whole.get("request"))
            system = _object(_object(whole.get("context") or {}).get("System") or {})
            session = _object(whole.get("session") or {})
            user = _object(system.get("user") or session.get("user") or {})
            intent = _object(request.get("intent") or {})
            application = _object(system.get("application") or session.get("application") or {})
            device = _object(system.get("device") or {})
            asked = cls(
                kind=_text(request, "type"),
                id=_text(request, "requestId"),
                user=_text(user, "userId"),
                skill=_text(application, "applicationId"),
                timestamp=_text(request, "timestamp"),
                token=_text(user, "accessToken"),
                is_new=session.get("new") is True,
                intent=_text(intent, "name"),
                slots={str(name): _slot(slot) for name, slot in _object(intent.get("slots") or {}).items()},
                remembered=_object(session.get("attributes") or {}),
                has_screen=APL in _object(device.get("supportedInterfaces") or {}),
                api=_api(_text(system, "apiEndpoint")),
                api_token=_text(system, "apiAccessToken"),
                reason=_reason(request),
            )
        except (ValueError, TypeError, RecursionError):
            raise Refused(400, "not a request of Alexa's") from None
        if not (asked.kind and asked.id and asked.user):
            raise Refused(400, "a request without type, id or user")
        return asked


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return value[:_MAX_TEXT] if isinstance(value, str) else ""


def _slot(slot: object) -> str:
    """The words as they were said: our own understanding knows more of them than Alexa's."""
    return _text(_object(slot), "value").strip()


def _api(url: str) -> str:
    """Where directives go; "" for a place that is not Amazon's."""
    known = {f"https://{host}" for host in API_HOSTS}
    return url.rstrip("/") if url.rstrip("/") in known else ""


def _reason(request: Mapping[str, Any]) -> str:
    """Why a session ended or what became of a connection: words of Alexa's own, for the log."""
    error = request.get("error")
    kind = _text(error, "type") if isinstance(error, Mapping) else ""
    said = f"{_text(request, 'reason')} {kind}".strip()[:60]
    return said if said.replace("_", "").replace(" ", "").isalnum() else ""
