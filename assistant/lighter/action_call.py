"""The call of the action server: over a connection that stays, with the events an action may look at.

Stands in for ``rasa.core.actions.action.RemoteAction``, which opens a connection for every call and tries every kind
of event there is on each event of the answer.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
from rasa.core.actions.action import RemoteAction
from rasa.core.constants import DEFAULT_REQUEST_TIMEOUT
from rasa.utils.endpoints import EndpointConfig

#: Seconds an unused connection stays. Shorter than the action server keeps it (actions/guard.py): a call must not
#: meet the other end just as it hangs up.
KEEP_SECONDS = 30


class LightRemoteAction(RemoteAction):  # type: ignore[misc]  # Rasa is read untyped
    def __init__(self, name: str, action_endpoint: EndpointConfig | None) -> None:
        super().__init__(name, action_endpoint and _kept(action_endpoint))

    def _validate_action_result(self, result: dict[str, Any]) -> bool:
        """Raises ValidationError, as Rasa's."""
        return plainly_sound(result) or super()._validate_action_result(result)


def plainly_sound(result: object) -> bool:
    """Whether an answer is of the simplest kind, which fits Rasa's schema: messages, and slots that are set.

    Of any other kind only the schema can tell.
    """
    if type(result) is not dict or not result.keys() <= {"events", "responses"}:
        return False
    events, responses = result.get("events", []), result.get("responses", [])
    return (
        type(events) is list
        and type(responses) is list
        and all(type(response) is dict for response in responses)
        and all(
            type(event) is dict
            and event.keys() == {"event", "timestamp", "name", "value"}
            and event["event"] == "slot"
            and type(event["name"]) is str
            for event in events
        )
    )


class KeptEndpoint(EndpointConfig):  # type: ignore[misc]  # Rasa is read untyped
    """An endpoint whose connections are used again."""

    def __init__(self, endpoint: EndpointConfig) -> None:
        self.__dict__.update(endpoint.__dict__)
        # Channels of ours have their turns on a loop of their own, and a session belongs to one loop.
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()

    def session(self) -> _Lent:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            auth = (
                aiohttp.BasicAuth(self.basic_auth["username"], self.basic_auth["password"]) if self.basic_auth else None
            )
            session = self._sessions[loop] = aiohttp.ClientSession(
                headers=self.headers,
                auth=auth,
                timeout=aiohttp.ClientTimeout(total=DEFAULT_REQUEST_TIMEOUT),
                connector=aiohttp.TCPConnector(keepalive_timeout=KEEP_SECONDS, limit=0),
            )
        return _Lent(session)

    async def close(self) -> None:
        """Let the connections of the running loop go; the next call opens new ones."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()


class _Lent:
    """Rasa closes what it was given when the call is over; this is left open for the next."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __aenter__(self) -> aiohttp.ClientSession:
        return self._session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


#: Where an endpoint of the configuration holds its own KeptEndpoint.
_KEPT = "tellerline_kept"


def _kept(endpoint: EndpointConfig) -> KeptEndpoint:
    if isinstance(endpoint, KeptEndpoint):
        return endpoint
    if not hasattr(endpoint, _KEPT):
        setattr(endpoint, _KEPT, KeptEndpoint(endpoint))
    kept: KeptEndpoint = getattr(endpoint, _KEPT)
    return kept
