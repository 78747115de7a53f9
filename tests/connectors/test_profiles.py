from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.token_store import MemoryTokenStore, tokens

from assistant.connectors import profiles
from assistant.connectors.fdx import FdxConnector
from assistant.connectors.profiles import ProfileError, check_egress, parse_profile
from assistant.connectors.registry import BUILT_IN, bank_http, load_profiles, open_connector

GOOD: dict[str, Any] = {
    "name": "Some Bank",
    "base_url": "https://api.bank.example/fdx/v6",
    "hosts": ["api.bank.example", "login.bank.example"],
    "oauth": {
        "authorize_url": "https://login.bank.example/authorize",
        "token_url": "https://login.bank.example/token",
        "client_id": "us",
    },
}

#: Every host a built-in profile may send to. A new one here is a decision about where customers' data goes.
EGRESS = {
    "sandbox": {"127.0.0.1:8801"},
    "sandbox_v5": {"127.0.0.1:8801"},
    "chase": {"api2.chase.com", "${TELLERLINE_CHASE_OAUTH_HOST}"},
    "wells_fargo": {"${TELLERLINE_WELLS_FARGO_HOST}"},
    "citi": {"partner.citi.com", "${TELLERLINE_CITI_OAUTH_HOST}"},
    "us_bank": {"${TELLERLINE_US_BANK_HOST}"},
    "akoya": {"products.ddp.akoya.com", "${TELLERLINE_AKOYA_OAUTH_HOST}"},
}


def test_the_egress_of_the_profiles_that_ship() -> None:
    assert {bank: set(profile.hosts) for bank, profile in load_profiles(env={}).items()} == EGRESS


def test_every_real_bank_says_what_it_takes() -> None:
    for bank, profile in load_profiles(env={}).items():
        if not bank.startswith("sandbox"):
            assert profile.needs_agreement
            assert profile.unpublished
            assert profile.missing()


def test_no_secret_is_written_in_the_profiles() -> None:
    for line in BUILT_IN.read_text(encoding="utf-8").splitlines():
        if "secret" in line and not line.lstrip().startswith("#"):
            key, _, value = line.strip().partition(": ")
            assert key == "client_secret_env"
            assert value.startswith("TELLERLINE_")


def test_the_sandbox_is_found_where_the_environment_says() -> None:
    profile = load_profiles(env={"TELLERLINE_SANDBOX_URL": "http://127.0.0.1:9999"})["sandbox"]
    assert profile.base_url == "http://127.0.0.1:9999/fdx/v6"
    assert profile.hosts == ("127.0.0.1:9999",)
    assert profile.missing() == ()


def test_rasa_in_the_same_process_does_not_read_our_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """On import it changes the YAML library for everybody: whatever looks like ${NAME} is looked up, or fails."""
    from rasa.shared.utils.io import read_yaml

    monkeypatch.setenv("TELLERLINE_SOME_NAME", "value")
    assert read_yaml("key: ${TELLERLINE_SOME_NAME}") == {"key": "value"}
    profile = load_profiles(env={"TELLERLINE_SANDBOX_URL": "http://127.0.0.1:9999"})["sandbox"]
    assert profile.base_url == "http://127.0.0.1:9999/fdx/v6"


def test_own_banks_come_on_top(tmp_path: Path) -> None:
    mine = tmp_path / "banks.yml"
    mine.write_text(
        "banks:\n  chase: {name: Mine}\n  harbor:\n    name: Harbor\n"
        "    base_url: https://h.example\n    hosts: [h.example]\n"
    )
    loaded = load_profiles(mine, env={})
    assert loaded["chase"].name == "Mine"
    assert loaded["harbor"].hosts == ("h.example",)
    assert "sandbox" in loaded


@pytest.mark.parametrize("text", ["banks: [", "[]", "other: {}", "banks: []"])
def test_a_file_that_is_no_banks_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.yml").write_text(text)
    with pytest.raises(ProfileError):
        load_profiles(tmp_path / "b.yml", env={})
    with pytest.raises(ProfileError):
        load_profiles(tmp_path / "absent.yml", env={})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"colour": "red"}, "colour"),
        ({"page_size": "many"}, "page_size"),
        ({"page_size": True}, "page_size"),
        ({"name": 5}, "name"),
        ({"paging": "guess"}, "paging"),
        ({"oauth": {"client_secret": "inline"}}, "client_secret"),
        ({"base_url": "http://api.bank.example/fdx"}, "https"),
        ({"base_url": "https://elsewhere.example/fdx"}, "elsewhere.example"),
        ({"base_url": "https://api.bank.example@elsewhere.example/"}, "user name"),
        ({"base_url": "https://api.bank.example:8443/"}, "api.bank.example:8443"),
        ({"oauth": {"token_url": "https://elsewhere.example/token"}}, "elsewhere.example"),
        ({"hosts": []}, "not in the profile's hosts"),
    ],
)
def test_a_profile_that_is_wrong_says_where(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ProfileError, match=says) as caught:
        parse_profile("some", {**GOOD, **change}, {})
    assert "some" in str(caught.value)


def test_a_value_from_the_environment() -> None:
    entry = {**GOOD, "name": "${BANK_NAME:-Default}", "headers": {"X-Id": "${BANK_ID}"}}
    assert parse_profile("some", entry, {"BANK_NAME": "Real"}).name == "Real"
    profile = parse_profile("some", entry, {})
    assert (profile.name, profile.missing()) == ("Default", ("BANK_ID",))


@pytest.mark.parametrize(
    "url", ["ftp://api.bank.example", "http://127.0.0.1.evil.example/", "http://localhost:1/", "/x", ""]
)
def test_egress_is_denied_by_default(url: str) -> None:
    with pytest.raises(ProfileError):
        check_egress(parse_profile("some", GOOD, {}), url)


def test_opening_a_bank(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = parse_profile("some", GOOD, {})
    store = MemoryTokenStore(tokens())
    assert isinstance(open_connector(profile, store, time_zone="America/New_York"), FdxConnector)
    assert bank_http(profile) is bank_http(profile), "one pool and one breaker for all customers of a bank"
    with pytest.raises(ProfileError, match="TELLERLINE_CITI_CLIENT_ID"):
        open_connector(load_profiles(env={})["citi"], store, time_zone="America/New_York")
    with pytest.raises(ProfileError, match="telepathy"):
        open_connector(parse_profile("some", {**GOOD, "api": "telepathy"}, {}), store, time_zone="America/New_York")


def test_a_missing_client_secret_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    oauth = {**GOOD["oauth"], "client_auth": "basic", "client_secret_env": "SOME_BANK_SECRET"}
    profile = parse_profile("some", {**GOOD, "oauth": oauth}, {})
    assert profile.missing() == ("SOME_BANK_SECRET",)
    monkeypatch.setenv("SOME_BANK_SECRET", "x")
    assert profile.missing() == ()
    assert profile.oauth.client_secret() == "x"
    assert profiles.ClientAuth(profile.oauth.client_auth) is profiles.ClientAuth.BASIC
