from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from assistant.storage.db import Database
from assistant.storage.keys import KeyDestroyed, KeyRing
from assistant.storage.seal import Cipher, MasterKey, Unreadable

KEY = bytes(range(32))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'keys.db'}", traceless=True)


@pytest.fixture
def ring(database: Database) -> KeyRing:
    return KeyRing(database, MasterKey(KEY))


@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_what_is_sealed_opens_in_its_place(plain: bytes, owner: str, place: str) -> None:
    cipher = Cipher(KEY, owner, "k")
    assert cipher.open(cipher.seal(plain, place), place) == plain


def test_a_value_that_was_moved_does_not_open() -> None:
    sealed = Cipher(KEY, "customer:a", "k").seal(b"tokens", "bank_links.tokens:chase")
    with pytest.raises(Unreadable):
        Cipher(KEY, "customer:a", "k").open(sealed, "bank_links.tokens:citi")  # another row
    with pytest.raises(Unreadable):
        Cipher(KEY, "customer:a", "k").open(sealed, "bank_cache.sealed:chase")  # another table
    with pytest.raises(Unreadable):
        Cipher(KEY, "customer:b", "k").open(sealed, "bank_links.tokens:chase")  # another customer


def test_owner_and_place_do_not_run_together() -> None:
    sealed = Cipher(KEY, "ab", "k").seal(b"x", "c")
    with pytest.raises(Unreadable):
        Cipher(KEY, "a", "k").open(sealed, "bc")


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=7))
def test_any_flipped_bit_is_noticed(position: int, bit: int) -> None:
    cipher = Cipher(KEY, "o", "k")
    sealed = bytearray(cipher.seal(b"a few bytes", "p"))
    sealed[position % len(sealed)] ^= 1 << bit
    with pytest.raises(Unreadable):
        cipher.open(bytes(sealed), "p")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + b"0" * 12, b"\x02" + b"0" * 40])
def test_a_stump_is_unreadable_not_a_crash(sealed: bytes) -> None:
    with pytest.raises(Unreadable):
        Cipher(KEY, "o", "k").open(sealed, "p")


def test_reprs_and_errors_show_no_key_and_no_content(ring: KeyRing) -> None:
    cipher = ring.cipher_or_new("customer:a")
    shown = f"{cipher!r} {ring!r} {MasterKey(KEY)!r}"
    assert KEY.hex() not in shown and repr(KEY) not in shown
    with pytest.raises(Unreadable) as raised:
        cipher.open(b"\x01" + b"secret content" * 4, "t.c:row")
    assert "secret" not in str(raised.value) and "row" not in str(raised.value)


def test_two_processes_agree_on_a_key(database: Database, ring: KeyRing) -> None:
    other = KeyRing(database, MasterKey(KEY))
    sealed = ring.cipher_or_new("customer:a").seal(b"x", "p")
    assert other.cipher_or_new("customer:a").open(sealed, "p") == b"x"
    assert other.cipher("customer:a").key_id == ring.cipher("customer:a").key_id


def test_destroying_reaches_a_process_that_had_the_key_in_hand(database: Database, ring: KeyRing) -> None:
    other = KeyRing(database, MasterKey(KEY))
    sealed = other.cipher_or_new("customer:a").seal(b"x", "p")
    ring.destroy("customer:a")
    ring.destroy("customer:a")
    with pytest.raises(KeyDestroyed):
        other.cipher("customer:a")
    with pytest.raises(Unreadable):
        other.cipher_or_new("customer:a").open(sealed, "p")  # a new key, not the old one back


def test_another_master_key_opens_nothing(database: Database, ring: KeyRing) -> None:
    ring.cipher_or_new("customer:a")
    with pytest.raises(Unreadable):
        KeyRing(database, MasterKey(os.urandom(32))).cipher("customer:a")


def test_a_wrapped_key_that_was_swapped_between_owners_does_not_open(database: Database, ring: KeyRing) -> None:
    ring.cipher_or_new("customer:a")
    ring.cipher_or_new("customer:b")
    with database.write() as session:
        session.execute(
            text(
                "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE owner = 'customer:b'),"
                " key_id = 'other' WHERE owner = 'customer:a'"
            )
        )
    with pytest.raises(Unreadable):
        ring.cipher("customer:a")


def test_rotation_keeps_the_data_and_retires_the_master_key(database: Database, ring: KeyRing) -> None:
    sealed = ring.cipher_or_new("customer:a").seal(b"x", "p")
    new = MasterKey(os.urandom(32))
    assert ring.rotate(new) == 1
    assert ring.rotate(new) == 0
    assert KeyRing(database, new).cipher("customer:a").open(sealed, "p") == b"x"
    with pytest.raises(Unreadable):
        KeyRing(database, MasterKey(KEY)).cipher("customer:a")


def test_rotation_that_fails_half_way_changes_nothing(database: Database, ring: KeyRing) -> None:
    for owner in ("customer:a", "customer:b", "customer:c"):
        ring.cipher_or_new(owner)
    wrapped = 0

    class Dying(MasterKey):
        def wrap(self, key: bytes, owner: str) -> bytes:
            nonlocal wrapped
            wrapped += 1
            if wrapped == 2:
                raise KeyboardInterrupt
            return super().wrap(key, owner)

    with pytest.raises(KeyboardInterrupt):
        ring.rotate(Dying(os.urandom(32)))
    fresh = KeyRing(database, MasterKey(KEY))
    for owner in ("customer:a", "customer:b", "customer:c"):
        fresh.cipher(owner)


def test_a_master_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32"):
        MasterKey(b"short")
