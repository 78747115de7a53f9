"""Settings: defaults, secrets made once, and what production refuses."""

from __future__ import annotations

import base64
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.settings import Settings, SettingsError, load_settings

MASTER = base64.b64encode(bytes(range(32))).decode()
SECRET = "s" * 40


def test_defaults_live_under_home(tmp_path: Path) -> None:
    settings = load_settings({"TELLERLINE_HOME": str(tmp_path)})
    assert settings.home == tmp_path
    assert settings.database_url == f"sqlite:///{tmp_path}/tellerline.db"
    assert settings.banks_file is None
    assert not settings.production
    assert (settings.action_port, settings.rasa_port) == (5055, 5005)
    assert settings.sandbox_url == "http://127.0.0.1:8801"
    assert (settings.time_zone, settings.locale) == ("America/New_York", "en_US")


def test_home_does_not_depend_on_where_a_later_process_stands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings({}).home == tmp_path / "var"


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    env = {"TELLERLINE_HOME": str(tmp_path)}
    first = load_settings(env)
    again = load_settings(env)
    assert (first.master_key, first.action_secret) == (again.master_key, again.action_secret)
    assert len(first.master_key) == 32
    secrets = tmp_path / "secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert sorted(path.name for path in secrets.iterdir()) == ["action_secret", "master_key"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in secrets.iterdir())


def test_processes_that_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    found: list[bytes] = []
    start = threading.Barrier(8)

    def load() -> None:
        start.wait()
        found.append(load_settings({"TELLERLINE_HOME": str(tmp_path)}).master_key)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    env = {"TELLERLINE_HOME": str(tmp_path)}
    load_settings(env)
    (tmp_path / "secrets" / "master_key").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_settings(env)


def test_production_takes_secrets_from_the_environment_only(tmp_path: Path) -> None:
    env = {"TELLERLINE_HOME": str(tmp_path)}
    load_settings(env)
    production = {**env, "TELLERLINE_ENV": "production"}
    with pytest.raises(SettingsError, match="TELLERLINE_MASTER_KEY"):
        load_settings(production)
    with pytest.raises(SettingsError, match="TELLERLINE_ACTION_SECRET"):
        load_settings({**production, "TELLERLINE_MASTER_KEY": MASTER})
    settings = load_settings({**production, "TELLERLINE_MASTER_KEY": MASTER, "TELLERLINE_ACTION_SECRET": SECRET})
    assert settings.production
    assert settings.master_key == bytes(range(32))
    assert settings.action_secret == SECRET


def test_production_writes_no_secret(tmp_path: Path) -> None:
    env = {
        "TELLERLINE_HOME": str(tmp_path / "home"),
        "TELLERLINE_ENV": "production",
        "TELLERLINE_MASTER_KEY": MASTER,
        "TELLERLINE_ACTION_SECRET": SECRET,
    }
    load_settings(env)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELLERLINE_ENV", "prod"),
        ("TELLERLINE_MASTER_KEY", "not base64!"),
        ("TELLERLINE_MASTER_KEY", base64.b64encode(b"short").decode()),
        ("TELLERLINE_ACTION_SECRET", "short"),
        ("TELLERLINE_ACTION_SECRET", "x" * 40 + "\nX-Other: header"),
        ("TELLERLINE_ACTION_PORT", "0"),
        ("TELLERLINE_RASA_PORT", "70000"),
        ("TELLERLINE_RASA_PORT", "five"),
        ("TELLERLINE_TIME_ZONE", "Mars/Olympus"),
        ("TELLERLINE_TIME_ZONE", "../../etc/passwd"),
    ],
)
def test_a_bad_setting_names_itself_and_never_its_value(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"TELLERLINE_HOME": str(tmp_path), name: value})
    assert name in str(refused.value)
    if "SECRET" in name or "KEY" in name:
        assert value not in str(refused.value)


def test_no_secret_in_the_repr(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "TELLERLINE_HOME": str(tmp_path),
            "TELLERLINE_MASTER_KEY": MASTER,
            "TELLERLINE_ACTION_SECRET": SECRET,
            "TELLERLINE_DATABASE_URL": "postgresql://teller:hunter2@db/tellerline",
        }
    )
    shown = repr(settings)
    assert isinstance(settings, Settings)
    assert SECRET not in shown
    assert "hunter2" not in shown
    assert repr(settings.master_key) not in shown


def test_pages_are_on_this_machine_unless_said_otherwise(tmp_path: Path) -> None:
    env = {"TELLERLINE_HOME": str(tmp_path)}
    settings = load_settings({**env, "TELLERLINE_RASA_PORT": "5015"})
    assert settings.public_url == "http://127.0.0.1:5015"
    assert replace(settings, rasa_port=5016).public_url == "http://127.0.0.1:5016"
    public = load_settings({**env, "TELLERLINE_PUBLIC_URL": "https://assistant.example.com/"})
    assert public.public_url == "https://assistant.example.com"


@pytest.mark.parametrize(
    "url",
    [
        "assistant.example.com",
        "ftp://assistant.example.com",
        "https://assistant.example.com/chat",
        "https://assistant.example.com?x=1",
        "https://me:secret@assistant.example.com",
        "https://assistant.example.com:port",
        "https://",
    ],
)
def test_a_public_address_that_browsers_cannot_use_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="TELLERLINE_PUBLIC_URL") as raised:
        load_settings({"TELLERLINE_HOME": str(tmp_path), "TELLERLINE_PUBLIC_URL": url})
    assert "secret" not in str(raised.value)


def test_production_has_no_pages_in_clear(tmp_path: Path) -> None:
    env = {
        "TELLERLINE_HOME": str(tmp_path),
        "TELLERLINE_ENV": "production",
        "TELLERLINE_MASTER_KEY": MASTER,
        "TELLERLINE_ACTION_SECRET": SECRET,
    }
    assert load_settings(env).production
    with pytest.raises(SettingsError, match="https://"):
        load_settings({**env, "TELLERLINE_PUBLIC_URL": "http://assistant.example.com"})
