"""Setting up a page: shown before it is changed, the same again afterwards, and checked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.channel_server import ChannelServer
from support.graph import APP, SECRET, TOKEN, VERIFY, GraphServer
from support.messenger import CHANNEL, credentials

from assistant.channels.messenger_config import CREDENTIALS, MessengerConfig
from assistant.channels.messenger_menu import (
    ICE_BREAKERS,
    MAX_GREETING,
    MAX_MENU_TITLE,
    MAX_QUESTION,
    profile,
)
from assistant.channels.messenger_setup import FIELDS, check, read_config, set_up
from assistant.channels.words import ChannelWords
from assistant.settings import Settings, SettingsError, load_settings


@pytest.fixture
def graph() -> Iterator[GraphServer]:
    with GraphServer() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"TELLERLINE_HOME": str(tmp_path)})


class Terminal:
    def __init__(self, answer: bool) -> None:
        self.lines: list[str] = []
        self.asked = 0
        self._answer = answer

    def agrees(self) -> bool:
        self.asked += 1
        return self._answer


def run(graph: GraphServer, settings: Settings, answer: bool) -> tuple[bool, Terminal]:
    terminal = Terminal(answer)
    config = MessengerConfig.read(credentials(graph))
    return asyncio.run(set_up(config, settings, terminal.lines.append, terminal.agrees)), terminal


def test_it_shows_what_it_will_change_and_asks(graph: GraphServer, settings: Settings) -> None:
    done, terminal = run(graph, settings, False)
    assert not done and terminal.asked == 1
    assert all(call.method == "GET" for call in graph.calls), "nothing was changed"
    shown = "\n".join(terminal.lines)
    for name in (*profile(ChannelWords(settings)), "webhook fields"):
        assert name in shown


def test_it_changes_what_was_agreed_to_and_is_then_content(graph: GraphServer, settings: Settings) -> None:
    graph.subscribed[APP] = ["messages", "feed"]
    assert run(graph, settings, True)[0]
    assert graph.profile == profile(ChannelWords(settings))
    assert set(graph.subscribed[APP]) == {*FIELDS, "feed"}, "what another part of the app needs stays"
    done, terminal = run(graph, settings, True)
    assert done and terminal.asked == 0


def test_only_what_differs_is_changed(graph: GraphServer, settings: Settings) -> None:
    assert run(graph, settings, True)[0]
    graph.profile["greeting"] = [{"locale": "default", "text": "Something else"}]
    # Graph's own additions are no difference.
    graph.profile["get_started"]["added_by_graph"] = True
    graph.calls.clear()
    done, terminal = run(graph, settings, True)
    assert done and [line for line in terminal.lines if "Something else" in line]
    [change] = [call for call in graph.calls if call.method == "POST"]
    assert set(change.body) == {"greeting", "appsecret_proof"}


def test_what_stands_on_the_page_keeps_messengers_limits(settings: Settings) -> None:
    wanted = profile(ChannelWords(settings))
    assert len(ICE_BREAKERS) <= 4
    assert all(len(one["question"]) <= MAX_QUESTION for one in wanted["ice_breakers"][0]["call_to_actions"])
    assert all(len(one["title"]) <= MAX_MENU_TITLE for one in wanted["persistent_menu"][0]["call_to_actions"])
    assert len(wanted["greeting"][0]["text"]) <= MAX_GREETING


def test_a_check_finds_what_is_wrong(graph: GraphServer, settings: Settings, tmp_path: Path) -> None:
    config = MessengerConfig.read(credentials(graph))
    lines: list[str] = []
    assert not asyncio.run(check(config, replace(settings, public_address="http://127.0.0.1:9"), lines.append))
    assert [line.split()[0] for line in lines] == ["ok", "FAILED", "FAILED", "FAILED"]
    wrong = MessengerConfig.read(credentials(graph, **{"page-access-token": "another"}))
    lines.clear()
    asyncio.run(check(wrong, settings, lines.append))
    assert lines[0].startswith("FAILED") and "make a new one" in lines[0]
    run(graph, settings, True)
    with ChannelServer(CHANNEL, tmp_path, credentials(graph)) as server:
        lines.clear()
        asyncio.run(check(config, replace(settings, public_address=server.url), lines.append))
    assert [line.split()[0] for line in lines] == ["ok", "ok", "FAILED", "ok"], lines
    assert not any(secret in line for line in lines for secret in (TOKEN, SECRET, VERIFY))


def test_the_config_is_read_as_rasa_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "credentials.yml"
    keys = {"verify": "${MESSENGER_VERIFY}", "secret": ["${MESSENGER_SECRET}"], "page-access-token": "t0ken"}
    file.write_text(json.dumps({CREDENTIALS: keys}))
    with pytest.raises(SettingsError, match="verify is missing"):
        read_config(file)
    monkeypatch.setenv("MESSENGER_VERIFY", VERIFY)
    monkeypatch.setenv("MESSENGER_SECRET", SECRET)
    config = read_config(file)
    assert (config.verify, config.secrets, config.access.page_token) == (VERIFY, (SECRET,), "t0ken")
    file.write_text("rest:\n")
    with pytest.raises(SettingsError, match=r"docs/messenger\.md"):
        read_config(file)
