"""``tellerline messenger setup`` and ``check``: what a page should be set to, what it is, and the difference."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from ruamel.yaml import YAML

from assistant.channels.graph import Graph
from assistant.channels.graph_errors import GraphError
from assistant.channels.messenger_config import CREDENTIALS, MessengerConfig
from assistant.channels.messenger_menu import profile
from assistant.channels.words import ChannelWords
from assistant.settings import Settings, SettingsError

#: The webhook fields that Messenger (the channel) acts upon, or sets aside knowing why.
FIELDS = (
    "messages", "messaging_postbacks", "message_echoes", "messaging_account_linking", "messaging_referrals",
    "messaging_optins", "messaging_handovers", "standby", "messaging_policy_enforcement",
    "message_template_status_update",
)  # fmt: skip
#: Under ``settings.public_url``.
WEBHOOK = "/webhooks/messenger/webhook"
_CHALLENGE = "1158201444"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Change:
    """``name`` of what differs, as it is and as it should be; JSON."""

    name: str
    now: Any
    wanted: Any

    def lines(self) -> list[str]:
        return [f"  {self.name}", f"    now:    {_short(self.now)}", f"    wanted: {_short(self.wanted)}"]


def read_config(credentials: Path) -> MessengerConfig:
    """From credentials.yml, with variables of the environment filled in as Rasa does. Raises SettingsError."""
    found = YAML(typ="safe", pure=True).load(credentials.read_text(encoding="utf-8")) or {}
    if CREDENTIALS not in found:
        raise SettingsError(f"credentials.yml has no {CREDENTIALS} (docs/messenger.md)")
    return MessengerConfig.read(_expanded(found[CREDENTIALS]))


def _expanded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _expanded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_expanded(one) for one in value]
    return os.path.expandvars(value) if isinstance(value, str) else value


async def changes(graph: Graph, settings: Settings) -> list[Change]:
    """What setting up would change, nothing when all is as it should be. Raises GraphError."""
    wanted = profile(ChannelWords(settings))
    now = await graph.profile(tuple(wanted))
    found = [Change(name, now.get(name), value) for name, value in wanted.items() if not _same(now.get(name), value)]
    subscribed = (await graph.subscribed_fields()).get(await graph.app_id(), frozenset())
    if not subscribed >= set(FIELDS):
        found.append(Change("webhook fields", sorted(subscribed), sorted(subscribed | set(FIELDS))))
    return found


async def set_up(config: MessengerConfig, settings: Settings, say: Say, agrees: Callable[[], bool]) -> bool:
    """Show what would change; change it if that is agreed to. False when it isn't. Raises GraphError."""
    async with Graph(config.access) as graph:
        page = await graph.page()
        found = await changes(graph, settings)
        if not found:
            say(f"The page “{page.get('name')}” is set up. Nothing to change.")
            return True
        say(f"On the page “{page.get('name')}” this would change:")
        for change in found:
            for line in change.lines():
                say(line)
        if not agrees():
            say("Nothing was changed.")
            return False
        fields = {change.name: change.wanted for change in found if change.name != "webhook fields"}
        # Graph takes no menu without a Get started button: all in one call.
        if fields:
            await graph.set_profile(fields)
        for change in found:
            if change.name == "webhook fields":
                await graph.subscribe(change.wanted)
        left = await changes(graph, settings)
        say("Done." if not left else f"Graph took it, but still shows something else: {left[0].name}")
        return not left


async def check(config: MessengerConfig, settings: Settings, say: Say) -> bool:
    """Whether the page can talk: one line for each thing looked at."""
    sound = True

    def tell(fine: bool, what: str, hint: str = "") -> None:
        nonlocal sound
        sound = sound and fine
        say(f"{'ok' if fine else 'FAILED':<7} {what}{f': {hint}' if hint and not fine else ''}")

    async with Graph(config.access) as graph:
        try:
            page = await graph.page()
            tell(True, f"Graph {config.access.version} knows the token of the page “{page.get('name')}”")
            found = await changes(graph, settings)
            names = ", ".join(change.name for change in found)
            tell(not found, "profile and webhook fields are set", f"{names} differ; run: tellerline messenger setup")
        except GraphError as error:
            tell(False, "Graph knows the page access token and the app secret", str(error))
    url = f"{settings.public_url}{WEBHOOK}"
    tell(url.startswith("https:"), "the webhook has an https address", "set TELLERLINE_PUBLIC_URL")
    tell(*await _verified(url, config.verify))
    return sound


async def _verified(url: str, verify: str) -> tuple[bool, str, str]:
    """Asks as Meta does, by the address that Meta uses."""
    what = f"{url} answers Meta's question"
    query = {"hub.mode": "subscribe", "hub.verify_token": verify, "hub.challenge": _CHALLENGE}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10), trust_env=False) as session,
            session.get(url, params=query, allow_redirects=False) as response,
        ):
            answer = (await response.content.read(1000)).decode("utf-8", "replace")
            fine = response.status == 200 and answer == _CHALLENGE
            return fine, what, f"it answered {response.status}; is “tellerline serve” running behind it?"
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
        return False, what, f"{type(error).__name__}; is “tellerline serve” running, and the tunnel open?"


def _same(now: Any, wanted: Any) -> bool:
    """Graph adds fields of its own (an icon, a default) to what it was given: they don't count."""
    if isinstance(wanted, dict):
        return isinstance(now, dict) and all(_same(now.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(now, list) and len(now) == len(wanted) and all(map(_same, now, wanted))
    return bool(now == wanted) or (wanted is False and now is None)


def _short(value: Any) -> str:
    return "nothing" if value in (None, []) else json.dumps(value, ensure_ascii=False)
