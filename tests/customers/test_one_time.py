"""Links that work once: whose, for what, how long, and under a race."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from support.installation import PostgresSchema

from assistant.banking import clock
from assistant.customers.one_time import EXPORT, LinkKind, OneTimeLinks, OneTimeReason, OneTimeRefused
from assistant.storage.db import Database
from assistant.storage.schema import upgrade
from assistant.storage.tables import CustomerRow, OneTimeLinkRow

CODE, DATA, READABLE = LinkKind.FIRST_CODE, LinkKind.EXPORT_DATA, LinkKind.EXPORT_READABLE


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-03-15T16:00:00Z")
    schema = PostgresSchema() if request.param == "postgres" else None
    database = Database(schema.url if schema else f"sqlite:///{tmp_path / 'x.db'}")
    upgrade(database)
    with database.write() as session:
        for name in ("ann", "bob"):
            session.add(
                CustomerRow(id=name, created_at=clock.now(), time_zone="Europe/Paris", locale="en_GB", demo_login="")
            )
    yield database
    database.dispose()
    if schema:
        schema.drop()


@pytest.fixture
def links(database: Database) -> OneTimeLinks:
    return OneTimeLinks(database)


def why(links: OneTimeLinks, token: str, *kinds: LinkKind) -> OneTimeReason:
    with pytest.raises(OneTimeRefused) as looking:
        links.look(token, *kinds)
    with pytest.raises(OneTimeRefused) as claiming:
        links.claim(token, kinds[0])
    assert looking.value.reason is claiming.value.reason
    return looking.value.reason


def test_a_link_says_whose_it_is_and_how_to_write_to_her(links: OneTimeLinks) -> None:
    token = links.issue("ann", *EXPORT)
    found = links.look(token, *EXPORT)
    assert (found.customer.id, found.customer.conversation_id, found.kinds) == ("ann", "", EXPORT)
    assert (found.customer.profile.time_zone, found.customer.profile.locale) == ("Europe/Paris", "en_GB")
    assert found.left == timedelta(minutes=10)


def test_each_kind_once(links: OneTimeLinks) -> None:
    token = links.issue("ann", *EXPORT)
    assert links.claim(token, DATA).id == "ann"
    assert why(links, token, DATA) is OneTimeReason.USED
    assert links.look(token, *EXPORT).kinds == (READABLE,)
    assert links.claim(token, READABLE).id == "ann"
    assert why(links, token, READABLE, DATA) is OneTimeReason.USED


def test_what_did_not_happen_is_given_back(links: OneTimeLinks) -> None:
    token = links.issue("ann", *EXPORT)
    links.claim(token, DATA)
    links.claim(token, READABLE)
    links.give_back(token, DATA)
    assert links.look(token, *EXPORT).kinds == (DATA,)
    assert links.claim(token, DATA).id == "ann"


def test_good_for_its_own_purpose_alone(links: OneTimeLinks) -> None:
    token = links.issue("ann", CODE)
    assert why(links, token, LinkKind.NEW_CODE) is OneTimeReason.UNKNOWN
    assert why(links, token, DATA) is OneTimeReason.UNKNOWN
    assert why(links, "guessed", CODE) is OneTimeReason.UNKNOWN


def test_not_for_long(links: OneTimeLinks, monkeypatch: pytest.MonkeyPatch) -> None:
    token, longer = links.issue("ann", CODE), links.issue("ann", DATA, life=timedelta(hours=1))
    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-03-15T16:10:00Z")
    assert why(links, token, CODE) is OneTimeReason.EXPIRED
    assert links.claim(longer, DATA).id == "ann"


def test_a_newer_link_takes_the_place_of_her_older_one(links: OneTimeLinks) -> None:
    hers, other, his = links.issue("ann", CODE), links.issue("ann", *EXPORT), links.issue("bob", CODE)
    newer = links.issue("ann", CODE)
    assert why(links, hers, CODE) is OneTimeReason.UNKNOWN
    for token, kind in ((newer, CODE), (other, DATA), (his, CODE)):
        assert links.claim(token, kind)


def test_of_many_at_once_one_can(links: OneTimeLinks) -> None:
    token = links.issue("ann", CODE)
    results: list[object] = []
    start = threading.Barrier(8)

    def claim() -> None:
        start.wait()
        try:
            results.append(links.claim(token, CODE).id)
        except OneTimeRefused as refused:
            results.append(refused.reason)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == sorted(["ann", *[str(OneTimeReason.USED)] * 7])


def test_nothing_for_somebody_being_erased_and_no_row_after(links: OneTimeLinks, database: Database) -> None:
    token = links.issue("ann", CODE)
    with database.write() as session:
        row = session.get_one(CustomerRow, "ann")
        row.erasing_at = clock.now()
    assert why(links, token, CODE) is OneTimeReason.UNKNOWN
    with database.write() as session:
        session.execute(text("DELETE FROM customers WHERE id = 'ann'"))
    with database.read() as session:
        assert session.query(OneTimeLinkRow).count() == 0


def test_the_table_opens_nothing_and_forgets(
    links: OneTimeLinks, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = links.issue("ann", CODE)
    links.claim(token, CODE)
    with database.read() as session:
        [row] = session.query(OneTimeLinkRow).all()
    assert token not in repr(vars(row))
    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-03-16T16:11:00Z")
    links.issue("bob", CODE)
    with database.read() as session:
        assert [row.customer_id for row in session.query(OneTimeLinkRow)] == ["bob"]
