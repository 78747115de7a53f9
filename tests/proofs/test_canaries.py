"""Canaries: nothing the customer says, and nothing her bank says of her, is found in clear in any file.

A customer in whose data every name is unmistakable has a long conversation over the real processes, at debug level,
with her bank failing in every way it can and actions that raise; she takes her data away and, last, is forgotten. Then
every file is searched: the installation's folder (databases with their write-ahead files, keys, logs), the temporary
folder, the home folder, and whatever was written in the checkout meanwhile. The bank itself is left out: it may know.

That it can fail was checked by hand: with storage.seal.Cipher.seal and open giving back what they get, it finds the
tokens, the conversation and the bank's answers in tellerline.db-wal; without install_redaction in assistant.guarded,
it finds them in action-server.log.
"""

from __future__ import annotations

import base64
import gzip
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from proofs.conftest import AMOUNT, CARD, CODE, EMAIL, PHONE, converse, give_code
from sqlalchemy import delete, inspect, text
from support.canary_bank import PERSON, STEM
from support.installation import PostgresSchema
from support.pages_server import Browser
from support.sandbox import CLOCK, ROOT
from support.traces import Traces, files_under
from support.watched import WatchedAssistant

from assistant.banking.errors import NotLinked
from assistant.customers.service import open_customers
from assistant.storage.keys import KeyDestroyed
from assistant.storage.tables import StepUpPassRow

pytestmark = [pytest.mark.conversation, pytest.mark.slow, pytest.mark.timeout(1800)]

_AMOUNT = re.compile(r"\$(\d{1,3}(?:,\d{3})+\.\d{2})")
_LINK = re.compile(r"https?://\S+/link/(?:[a-z]+/)?([\w-]{20,})")
#: Written by people, by git and by the interpreter, not by the assistant.
_NOT_OURS = {".git", ".venv", "tests", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}


@pytest.fixture(scope="module")
def canaries(conversed: WatchedAssistant) -> set[str]:
    return canaries_of(conversed)


def canaries_of(conversed: WatchedAssistant) -> set[str]:
    """Names and descriptors; what she typed; tokens, pages and figures that she was told."""
    words = {STEM, "Zephyra", EMAIL, PHONE, CODE, CARD, CARD.replace(" ", ""), "000817236455901", AMOUNT[1:], "7319.46"}
    words |= {PERSON.account_id(spec.key) for spec in PERSON.accounts}
    for tokens in conversed.tokens:
        words |= {tokens.access_token, tokens.refresh_token, tokens.consent_id, tokens.id_token} - {""}
    for reply in conversed.replies:
        words |= set(_LINK.findall(reply))
        for amount in _AMOUNT.findall(reply):
            words |= {amount, amount.replace(",", "")}
    return words


def test_the_conversation_was_about_her(conversed: WatchedAssistant, canaries: set[str]) -> None:
    told = "\n".join(conversed.replies)
    assert "Zqxcanary Reserve" in told and "Dental" in told
    assert len(_AMOUNT.findall(told)) >= 10
    assert len({tokens.access_token for tokens in conversed.tokens}) == 3  # renewed on the way, and linked anew
    assert _LINK.search(told), "she was sent no page"
    # Kept, as sealed as it is: there is something to be found.
    assert len(conversed.customers.conversations.everything("somebody")) > 200
    stored = str(conversed.customers.conversations.everything("somebody"))
    assert STEM in stored.lower() and EMAIL in stored
    assert conversed.customers.shared.last_words.everything(conversed.customer_id)


def test_the_logs_were_as_talkative_as_they_can_be(conversed: WatchedAssistant) -> None:
    logs = conversed.logs()
    assert "DEBUG" in logs["assistant.log"] and len(logs["assistant.log"]) > 50_000
    assert "Action failed" in logs["action-server.log"]


def test_no_file_holds_any_of_it_in_clear(conversed: WatchedAssistant, canaries: set[str]) -> None:
    folders = [conversed.folder / name for name in ("home", "tmp", "user")]
    names = {path.name for path in files_under(folders)}
    assert {"tellerline.db", "keys.db", "assistant.log", "action-server.log"} <= names
    assert Traces(canaries).under(folders) == {}


def test_no_file_written_meanwhile_in_the_checkout_holds_any_of_it(
    conversed: WatchedAssistant, canaries: set[str]
) -> None:
    traces = Traces(canaries)
    changed = [
        path
        for top in ROOT.iterdir()
        if top.name not in _NOT_OURS
        for path in (files_under([top]) if top.is_dir() else [top])
        if not _NOT_OURS & set(path.parts) and path.stat().st_mtime >= conversed.started_at
    ]
    assert {path: found for path in changed if (found := traces.within(path.read_bytes()))} == {}


@pytest.mark.services
def test_no_row_of_postgresql_holds_any_of_it_in_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = PostgresSchema()
    try:
        monkeypatch.setenv("TELLERLINE_CLOCK", CLOCK)
        with WatchedAssistant(tmp_path / "watched", TELLERLINE_DATABASE_URL=schema.url) as assistant:
            converse(assistant)
            traces = Traces(canaries_of(assistant))
            assert traces.under([assistant.folder / name for name in ("home", "tmp", "user")]) == {}
            rows = 0
            with assistant.customers.storage.database.engine.connect() as connection:
                for table in inspect(connection).get_table_names():
                    for row in connection.execute(text(f"SELECT * FROM {table}")):
                        rows += 1
                        for value in row:
                            plain = bytes(value) if isinstance(value, memoryview) else str(value).encode()
                            assert traces.within(plain) == "", table
            assert rows > 50
            assistant.customers.storage.database.dispose()
    finally:
        schema.drop()


def test_the_action_server_tells_nobody_what_it_was_doing(conversed: WatchedAssistant) -> None:
    call = {"next_action": "action_balances", "sender_id": STEM, "tracker": {"latest_message": CARD}, "domain": {}}
    answer = conversed.act(call)
    assert answer.status_code >= 400
    assert Traces([STEM, CARD]).within(answer.content) == ""


@pytest.mark.parametrize(
    "written",
    [
        b"... zqxcanary ...",
        b"ZQXCANARY",
        "zqxcanary".encode("utf-16-le"),
        base64.b64encode(b"a zqxcanary sings"),
        base64.b64encode(b"12 Zqxcanary sings"),
        base64.urlsafe_b64encode(b"123 ZQXCANARY sings"),
        b"zqxcanary".hex().encode(),
        gzip.compress(b"so zqxcanary packed"),
        b'"\\u007a\\u0071\\u0078\\u0063\\u0061\\u006e\\u0061\\u0072\\u0079"',
    ],
)
def test_the_search_finds_a_canary_however_it_was_written(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "file").write_bytes(written)
    assert Traces([STEM]).under([tmp_path])
    (tmp_path / "file").write_bytes(b"nothing of hers")
    assert Traces([STEM]).under([tmp_path]) == {}


def test_forgotten_she_is_nowhere_and_a_copy_taken_before_is_noise(
    conversed: WatchedAssistant, canaries: set[str]
) -> None:
    """The last of this conversation: "forget me", her code, "yes". The thief has the copy and every key there is."""
    customers, customer_id = conversed.customers, conversed.customer_id
    customers.storage.database.compact()
    copy = conversed.folder / "copy.db"
    shutil.copy(conversed.home / "tellerline.db", copy)
    thief = open_customers(replace(conversed.settings, database_url=f"sqlite:///{copy}"))
    assert STEM in str(thief.conversations.everything("somebody")).lower() and thief.vault.links(customer_id)
    with customers.storage.database.write() as session:
        session.execute(delete(StepUpPassRow))  # as if she had been idle: the code is asked for again
    assert "Go ahead?" in give_code(conversed, Browser(conversed), "forget me")
    assert "erased" in conversed.say("yes")
    assert thief.vault.links(customer_id), "the copy has its rows"
    assert thief.conversations.everything("somebody") == []
    with pytest.raises(KeyDestroyed):
        thief.shared.last_words.everything(customer_id)
    with pytest.raises(NotLinked):
        thief.vault.tokens(customer_id, "sandbox").load()
    assert not [
        owner for owner in customers.storage.keys.owners() if customer_id in owner or owner.endswith("somebody")
    ]
    conversed.stop()
    folders = [conversed.folder / name for name in ("home", "tmp", "user")]
    assert Traces(canaries).under(folders) == {}
    hers = Traces([customer_id]).under(folders)
    assert {path.parent.name for path in hers} <= {"logs"}  # an id that stands for nobody now
