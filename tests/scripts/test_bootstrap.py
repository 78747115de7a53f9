"""The set-up: which Python it takes, what it installs first, and how it goes on after an interruption."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap_script", ROOT / "scripts" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Machine:
    """A machine with only the Pythons that a test puts there, and a bootstrap.py that says which was taken."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bin"
        self.home = folder / "home"
        self.scripts = folder / "checkout" / "scripts"
        for made in (self.path, self.home, self.scripts):
            made.mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "bootstrap.sh", self.scripts)
        for tool in ("dirname", "sh", "env"):
            found = shutil.which(tool)
            assert found is not None
            (self.path / tool).symlink_to(found)

    def put(self, place: Path, script: str) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"#!/bin/sh\n{script}\n")
        place.chmod(0o755)

    def python(self, place: Path) -> None:
        """A Python that passes the check and, given the script, says where it is."""
        self.put(place, f'if [ "$1" = -c ]; then echo "{place}"; else echo "ran by {place} $2"; fi')

    def run(self, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.path / "sh"), str(self.scripts / "bootstrap.sh")],
            env={"PATH": str(self.path), "HOME": str(self.home), **env},
            capture_output=True,
            text=True,
            timeout=30,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_takes_the_python_on_the_path(machine: Machine) -> None:
    machine.python(machine.path / "python3.11")
    assert machine.run().stdout == f"ran by {machine.path}/python3.11 --new\n"


def test_prefers_311_in_pyenv_to_310_on_the_path(machine: Machine) -> None:
    machine.python(machine.path / "python3.10")
    pyenv = machine.home / ".pyenv/versions/3.11.7/bin/python"
    machine.python(pyenv)
    assert machine.run().stdout == f"ran by {pyenv} --new\n"


def test_passes_over_a_pyenv_stub_that_does_not_run(machine: Machine) -> None:
    machine.put(machine.path / "python3.11", "echo 'pyenv: python3.11: command not found' >&2; exit 127")
    machine.python(machine.path / "python3.10")
    assert machine.run().stdout == f"ran by {machine.path}/python3.10 --new\n"


def test_fetches_one_with_uv_when_there_is_none(machine: Machine) -> None:
    fetched = machine.home / "uv/python3.11"
    machine.python(fetched)
    machine.put(machine.path / "uv", f'if [ "$2" = find ]; then echo "{fetched}"; fi')
    done = machine.run()
    assert done.stdout.splitlines()[-1] == f"ran by {fetched} --new"


def test_says_in_one_line_what_to_install(machine: Machine) -> None:
    done = machine.run()
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "CPython 3.11" in done.stderr


def test_a_named_python_that_will_not_do_is_not_replaced_silently(machine: Machine) -> None:
    machine.python(machine.path / "python3.11")
    done = machine.run(TELLERLINE_PYTHON="/nowhere/python")
    assert done.returncode == 1
    assert "/nowhere/python" in done.stderr


def test_uses_the_environment_that_is_there(machine: Machine) -> None:
    ready = machine.scripts.parent / ".venv/bin/python"
    machine.python(ready)
    (machine.scripts.parent / ".venv/pyvenv.cfg").touch()
    assert machine.run().stdout == f"ran by {ready} \n"


def test_the_check_passes_a_real_python(machine: Machine) -> None:
    (machine.scripts / "bootstrap.py").write_text("import sys; print('version', sys.version_info[:2])")
    assert machine.run(TELLERLINE_PYTHON=sys.executable).stdout == f"version {sys.version_info[:2]}\n"


def test_build_tools_come_from_the_lock_with_their_hashes(bootstrap: ModuleType) -> None:
    wanted = (*bootstrap.BUILD_TOOLS, *bootstrap.SOURCE_ONLY)
    entries = list(bootstrap.pick((ROOT / "requirements.lock").read_text(), wanted))
    assert sorted(entry.split("==")[0] for entry in entries) == sorted(wanted)
    assert all("--hash=sha256:" in entry for entry in entries)


def test_every_package_in_the_lock_has_a_hash(bootstrap: ModuleType) -> None:
    lock = (ROOT / "requirements.lock").read_text()
    names = [line.split("==")[0] for line in lock.splitlines() if line[:1].isalpha()]
    entries = list(bootstrap.pick(lock, names))
    assert len(entries) == len(names) > 150
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_an_interrupted_package_is_installed_again(bootstrap: ModuleType, tmp_path: Path) -> None:
    for name, whole in (("done-1.0", True), ("half-1.0", False)):
        info = tmp_path / f"{name}.dist-info"
        info.mkdir()
        (info / "METADATA").touch()
        if whole:
            (info / "RECORD").touch()
    (tmp_path / "~umpy").mkdir()
    bootstrap.clear_interrupted(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["done-1.0.dist-info"]


def test_a_changed_lock_is_noticed(bootstrap: ModuleType, tmp_path: Path) -> None:
    lock, project, environment = tmp_path / "requirements.lock", tmp_path / "pyproject.toml", tmp_path / ".venv"
    lock.write_text("a==1\n")
    project.write_text("")
    before = bootstrap.fingerprint(lock, project, environment)
    assert bootstrap.fingerprint(lock, project, environment) == before
    lock.write_text("a==2\n")
    assert bootstrap.fingerprint(lock, project, environment) != before
    assert bootstrap.fingerprint(lock, project, tmp_path / "moved") != bootstrap.fingerprint(lock, project, environment)


def test_a_failed_step_shows_the_error_and_what_to_do(
    bootstrap: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "print('noise'); print('ERROR: No matching distribution found for nothing==1'); raise SystemExit(1)"
    with pytest.raises(bootstrap.StepFailed) as failed:
        bootstrap.run("Installing", [sys.executable, "-c", script], tmp_path / "log")
    assert "No matching distribution" in str(failed.value)
    assert "noise" not in str(failed.value)
    assert "network" in str(failed.value)
    assert str(tmp_path / "log") in str(failed.value)
    assert "Installing" in capsys.readouterr().out


def test_progress_counts_packages(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    show = bootstrap.Progress("Installing", 3)
    for line in ("Collecting a==1", "Requirement already satisfied: b==2", "Collecting c==3"):
        show.line(line)
    assert "3 of 3" in capsys.readouterr().out


def test_no_python_of_this_environment_reports_to_rasa() -> None:
    """The set-up leaves a .pth file in the environment: a bare `rasa` is silent too."""
    env = {name: value for name, value in os.environ.items() if name != "RASA_TELEMETRY_ENABLED"}
    shown = subprocess.run(
        [sys.executable, "-c", "import os; print(os.environ.get('RASA_TELEMETRY_ENABLED'))"],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "false\n"
