"""The doctor: right about what is wrong, and says what to do."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest
from support.installation import settings_in

from assistant import doctor
from assistant.doctor import Finding, State
from assistant.storage.db import Database
from assistant.storage.schema import HEAD, upgrade
from assistant.training import model_path

ROOT = Path(__file__).resolve().parents[1]


def only(found: object) -> Finding:
    (finding,) = list(found)  # type: ignore[call-overload]
    return finding


def test_this_environment_is_as_locked() -> None:
    """The one the tests run in: a package that drifted from the lock shows here."""
    assert doctor.check_python().state is State.OK
    assert doctor.check_packages(ROOT / "requirements.lock").state is State.OK


def test_packages_that_drifted_are_named(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("pytest==0.0.1 \\\n    --hash=sha256:00\nno-such-package==1.0 \\\n    --hash=sha256:00\n")
    finding = doctor.check_packages(lock)
    assert finding.state is State.FIX
    assert "2 of 2" in finding.what
    assert "pytest, no-such-package" in finding.what
    assert "make ready" in finding.what


def test_an_old_python_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", (3, 9, 1))
    assert doctor.check_python().state is State.FIX


def test_model_missing_old_and_fresh(tmp_path: Path) -> None:
    (tmp_path / "config.yml").touch()
    assert "no model yet" in doctor.check_model(tmp_path).what
    model = model_path(tmp_path)
    model.parent.mkdir()
    model.touch()
    assert doctor.check_model(tmp_path).state is State.OK
    (tmp_path / "config.yml").write_text("changed")
    assert "older" in doctor.check_model(tmp_path).what


def test_a_port_in_use_is_noted(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        found = {finding.what for finding in doctor.check_ports(settings_in(tmp_path, rasa_port=port))}
    assert f"Port {port} is in use; `tellerline` would take another for the assistant" in found


def test_database_absent_behind_and_current(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert doctor.check_database(settings).state is State.NOTE
    (tmp_path / "tellerline.db").touch()
    assert "no version" in doctor.check_database(settings).what
    database = Database(settings.database_url)
    upgrade(database)
    database.dispose()
    assert doctor.check_database(settings) == Finding(State.OK, f"The database answers and its tables are at {HEAD}")


def test_a_database_that_does_not_answer_keeps_its_password_to_itself(tmp_path: Path) -> None:
    url = "postgresql+psycopg2://teller:hunter2@127.0.0.1:1/tellerline"
    finding = doctor.check_database(settings_in(tmp_path, database_url=url))
    assert finding.state is State.FIX
    assert "TELLERLINE_DATABASE_URL" in finding.what
    assert "hunter2" not in finding.what


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "oracle://db/x"])
def test_a_database_url_that_makes_no_sense_is_told(tmp_path: Path, url: str) -> None:
    assert doctor.check_database(settings_in(tmp_path, database_url=url)).state is State.FIX


def test_banks_are_reached_for_and_those_not_set_up_are_named(tmp_path: Path) -> None:
    asked: list[str] = []

    def reach(url: str) -> str:
        asked.append(url)
        return ""

    found = list(doctor.check_banks(settings_in(tmp_path), reach))
    assert Finding(State.OK, "Sandbox Bank can be reached") in found
    assert any("Not set up" in finding.what and "Chase" in finding.what for finding in found)
    assert all(url.startswith("http://127.0.0.1:") for url in asked)


def test_a_sandbox_that_is_not_running_is_no_fault(tmp_path: Path) -> None:
    states = {
        finding.state for finding in doctor.check_banks(settings_in(tmp_path), lambda _url: "ConnectionRefusedError")
    }
    assert states == {State.NOTE}


def test_a_real_bank_that_cannot_be_reached_is(tmp_path: Path) -> None:
    banks = tmp_path / "banks.yml"
    banks.write_text(
        "banks:\n  harbor:\n    name: Harbor Bank\n    base_url: https://api.harbor.example/fdx\n"
        "    hosts: [api.harbor.example]\n    fdx_version: '6'\n    oauth:\n      client_id: us\n"
        "      authorize_url: https://api.harbor.example/authorize\n      token_url: https://api.harbor.example/token\n"
    )
    settings = settings_in(tmp_path, banks_file=banks)
    found = [finding for finding in doctor.check_banks(settings, lambda _url: "timeout") if "Harbor" in finding.what]
    assert only(found).state is State.FIX


def test_a_bank_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    banks = tmp_path / "banks.yml"
    banks.write_text("- not what it should be")
    assert only(doctor.check_banks(settings_in(tmp_path, banks_file=banks))).state is State.FIX


def test_nobody_at_home_cannot_be_reached() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        assert doctor._reach(f"http://127.0.0.1:{port}/fdx") == "ConnectionRefusedError"
        probe.listen()
        assert doctor._reach(f"http://127.0.0.1:{port}/fdx") == ""


def test_a_held_clock_is_noted_and_refused_in_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(tmp_path)
    assert list(doctor.check_clock(settings)) == []
    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-03-15T12:00:00Z")
    assert only(doctor.check_clock(settings)).state is State.NOTE
    assert only(doctor.check_clock(replace(settings, production=True))).state is State.FIX


def test_one_line_each_and_a_status_that_scripts_can_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        doctor, "findings", lambda _root: iter([Finding(State.OK, "fine"), Finding(State.NOTE, "so so")])
    )
    assert doctor.examine(tmp_path) == 0
    monkeypatch.setattr(
        doctor, "findings", lambda _root: iter([Finding(State.FIX, "mend it"), Finding(State.OK, "fine")])
    )
    assert doctor.examine(tmp_path) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ok    fine",
        "note  so so",
        "All is well.",
        "FIX   mend it",
        "ok    fine",
        "Something must be fixed.",
    ]


def test_settings_that_cannot_be_used_end_the_examination(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TELLERLINE_ENV", "prod")
    assert doctor.examine(ROOT) == 1
    assert "FIX   Settings: TELLERLINE_ENV is either development or production" in capsys.readouterr().out
