"""The tellerline command, short of starting servers."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support.installation import settings_in

from assistant import cli
from assistant.cli import Plan, main, project_root, write_endpoints

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command changes folder and environment; both come back, and nothing is written in the checkout."""
    monkeypatch.chdir(tmp_path)
    for name, value in os.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TELLERLINE_HOME", str(tmp_path / "home"))


def test_runs_the_bot_in_this_folder_else_its_own(tmp_path: Path) -> None:
    assert project_root() == ROOT
    (tmp_path / "config.yml").touch()
    assert project_root() == ROOT
    (tmp_path / "domain.yml").touch()
    assert project_root() == tmp_path


def test_the_endpoints_file_holds_the_secret_for_us_alone(tmp_path: Path) -> None:
    source = tmp_path / "endpoints.yml"
    source.write_text("action_endpoint: {url: 'http://elsewhere/webhook'}\ntracker_store: {type: some.Store}\n")
    target = tmp_path / "home-endpoints.yml"
    settings = settings_in(tmp_path, action_port=5066)
    write_endpoints(settings, source, target)
    write_endpoints(settings, source, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert json.loads(target.read_text()) == {
        "action_endpoint": {
            "url": "http://127.0.0.1:5066/webhook",
            "headers": {"X-Tellerline-Secret": settings.action_secret},
        },
        "tracker_store": {"type": "some.Store"},
    }


def test_rasa_reads_what_we_write_and_the_guard_asks_for_it(tmp_path: Path) -> None:
    from rasa.utils.endpoints import read_endpoint_config

    from actions.guard import SECRET_HEADER

    settings = settings_in(tmp_path)
    write_endpoints(settings, ROOT / "endpoints.yml", tmp_path / "endpoints.yml")
    endpoint = read_endpoint_config(str(tmp_path / "endpoints.yml"), "action_endpoint")
    assert endpoint is not None
    assert endpoint.headers == {SECRET_HEADER: settings.action_secret}


def test_no_secret_on_a_command_line_or_in_the_environment_we_set(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    plan = Plan(settings, tmp_path / "model.tar.gz", "maya")
    for program in (plan.sandbox(), plan.action_server(), plan.rasa("shell"), plan.rasa("run")):
        told = " ".join([*program.command, *program.environment.values()])
        assert settings.action_secret not in told
        assert program.environment["RASA_TELEMETRY_ENABLED"] == "false"
        assert program.environment["TELLERLINE_HOME"] == str(settings.home)


def test_servers_listen_on_this_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANIC_HOST", raising=False)
    plan = Plan(settings_in(tmp_path), tmp_path / "model.tar.gz", "maya")
    assert plan.action_server().environment["SANIC_HOST"] == "127.0.0.1"
    shell = list(plan.rasa("shell").command)
    assert shell[shell.index("--interface") + 1] == "127.0.0.1"


def test_a_bad_setting_is_one_line_and_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TELLERLINE_ENV", "prod")
    assert main(["train"]) == 1
    assert capsys.readouterr().err.strip() == "TELLERLINE_ENV is either development or production"


def test_train_says_when_there_is_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("config.yml", "domain.yml"):
        (tmp_path / name).touch()
    model = cli.model_path(tmp_path)
    model.parent.mkdir()
    model.touch()
    assert main(["train"]) == 0
    assert capsys.readouterr().out == f"Nothing has changed; the model is models/{model.name}\n"


def test_ctrl_c_leaves_without_a_trace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "train", interrupted)
    assert main(["train"]) == 130
    assert capsys.readouterr().err == ""


def test_unknown_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["train", "--fast"])
    assert refused.value.code == 2
    assert "--fast" in capsys.readouterr().err


def test_the_bank_takes_its_own_options() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assistant.cli", "bank", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "--admin-key" in done.stdout


def test_an_empty_ledger_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify"]) == 0
    assert capsys.readouterr().out == "0 entries, 0 of them erased. The ledger is sound.\n"
