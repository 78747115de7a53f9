"""Builds .venv from requirements.lock. Started by bootstrap.sh with a Python that will do; standard library only.

Run again, it skips what is done; run after an interruption, it goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What packages are built with, and those that have no wheel to download.
BUILD_TOOLS = ("setuptools", "wheel")
SOURCE_ONLY = ("docopt", "mattermostwrapper", "randomname")
#: Rasa reports crashes and usage to third parties unless this is set before it is imported. A .pth file is
#: read by every Python of this environment, a bare `rasa` among them, and touches nothing outside it.
TELEMETRY_OFF = 'import os; os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")\n'


class StepFailed(Exception):
    """A step that went wrong; the message says what to do."""


def main(arguments: Sequence[str] = tuple(sys.argv[1:]), root: Path = ROOT) -> int:
    try:
        bootstrap(root, new="--new" in arguments)
    except StepFailed as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run it again to go on from here.", file=sys.stderr)
        return 130
    return 0


def bootstrap(root: Path, *, new: bool) -> None:
    environment = root / ".venv"
    lock = root / "requirements.lock"
    stamp = environment / ".tellerline-ready"
    wanted = fingerprint(lock, root / "pyproject.toml", environment)
    if not new and stamp.exists() and stamp.read_text() == wanted:
        return
    check_platform()
    if new:
        make_environment(environment)
    stamp.unlink(missing_ok=True)
    clear_interrupted(site_packages(environment))
    (site_packages(environment) / "tellerline_telemetry_off.pth").write_text(TELEMETRY_OFF)
    log = environment / "install.log"
    log.unlink(missing_ok=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--no-deps", "--root-user-action=ignore"]
    locked = [*pip, "--require-hashes", "--ignore-requires-python", "--no-build-isolation", "-r"]
    # Rasa needs packaging 21, setuptools a newer one, which it carries with it: for building, that comes first.
    carried = {"PYTHONPATH": str(site_packages(environment) / "setuptools" / "_vendor")}
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part.lock"
        part.write_text("".join(pick(lock.read_text(), BUILD_TOOLS)))
        run("Installing the build tools", [*locked, str(part)], log)
        part.write_text("".join(pick(lock.read_text(), SOURCE_ONLY)))
        run(f"Building {', '.join(SOURCE_ONLY)}", [*locked, str(part)], log, extra=carried)
    packages = lock.read_text().count("==")
    run(f"Installing {packages} packages (about 3 GB, once)", [*locked, str(lock)], log, packages)
    run("Installing Tellerline itself", [*pip, "--no-build-isolation", "-e", str(root)], log, extra=carried)
    stamp.write_text(fingerprint(lock, root / "pyproject.toml", environment))
    print("The environment is ready: .venv", flush=True)


def check_platform() -> None:
    if sys.platform != "linux" or platform.machine() not in {"x86_64", "AMD64"}:
        raise StepFailed(
            f"requirements.lock is made for Linux on x86-64; this is {platform.system()} on {platform.machine()}. "
            "docs/deploying.md says what would have to be locked anew."
        )
    free = shutil.disk_usage(ROOT).free
    if free < 5 * 10**9:
        raise StepFailed(f"The environment needs about 5 GB of disk; {free / 10**9:.1f} GB are free here.")


def make_environment(environment: Path) -> None:
    """With whatever stood there before replaced: it had no Python that works."""
    print(f"Making .venv with Python {platform.python_version()}", flush=True)
    try:
        venv.EnvBuilder(with_pip=True, clear=True).create(environment)
    except (subprocess.CalledProcessError, OSError) as problem:
        raise StepFailed(
            f"Could not make {environment}: {problem}. Remove that folder and run this again."
        ) from problem


def site_packages(environment: Path) -> Path:
    return next(environment.glob("lib/python3.*/site-packages"))


def fingerprint(lock: Path, project: Path, environment: Path) -> str:
    """Changes when what should be installed does, or when the environment's Python does."""
    digest = hashlib.sha256()
    for path in (lock, project, environment / "pyvenv.cfg"):
        if path.exists():
            digest.update(path.read_bytes())
    # An environment that was moved or copied points at the old place.
    digest.update(str(environment).encode())
    return digest.hexdigest()


def clear_interrupted(packages: Path) -> None:
    """pip writes a package's RECORD last: without one, it was interrupted and would be taken for installed."""
    for info in packages.glob("*.dist-info"):
        if not (info / "RECORD").exists():
            shutil.rmtree(info)
    for remains in packages.glob("~*"):
        shutil.rmtree(remains, ignore_errors=True)


def pick(lock: str, names: Sequence[str]) -> Iterator[str]:
    """The lock's entries of these packages, with their hashes."""
    for entry in re.split(r"(?m)^(?=\S)", lock):
        if entry.split("==")[0] in names:
            yield entry


def run(title: str, command: list[str], log: Path, packages: int = 0, extra: Mapping[str, str] | None = None) -> None:
    """One pip command: its output goes to the log, its progress to the screen."""
    started = time.monotonic()
    show = Progress(title, packages)
    with log.open("a") as file:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **(extra or {})},
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                file.write(line)
                show.line(line)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        status = process.wait()
    if status != 0:
        errors = [line for line in log.read_text().splitlines() if "ERROR" in line or "error:" in line]
        raise StepFailed("\n".join([f"{title} failed:", *errors[-5:], advice(" ".join(errors)), f"All of it: {log}"]))
    show.end(time.monotonic() - started)


def advice(errors: str) -> str:
    if "No space left" in errors:
        return "The disk is full: free about 5 GB and run this again."
    if "HASHES" in errors:
        return "A download is not the file that was locked. Empty pip's cache (pip cache purge) and run this again."
    if "No matching distribution" in errors or "Connection" in errors or "Temporary failure" in errors:
        return (
            "Check the network and pip's index settings (pip config list), then run this again; it goes on from here."
        )
    return "Run this again; it goes on from here. If it fails in the same place, report it with the log."


class Progress:
    """A line that counts on a terminal; elsewhere a line every ten seconds."""

    def __init__(self, title: str, packages: int) -> None:
        self.title, self.packages, self.done = title, packages, 0
        self.terminal = sys.stdout.isatty()
        self.next_line = time.monotonic() + 10
        print(f"{title} ...", end="" if self.terminal else "\n", flush=True)

    def line(self, line: str) -> None:
        said = line.strip()
        if said.startswith(("Collecting ", "Requirement already satisfied")):
            self.done += 1
        state = f"{self.done} of {self.packages}" if self.packages else ""
        if self.packages and said.startswith("Installing collected packages"):
            state = "all fetched, unpacking (a minute or two)"
        if self.terminal:
            print(f"\r\033[K{self.title} ... {state}", end="", flush=True)
        elif state and (time.monotonic() >= self.next_line or "unpacking" in state):
            self.next_line = time.monotonic() + 10
            print(f"  {state}", flush=True)

    def end(self, seconds: float) -> None:
        print(f"\r\033[K{self.title} ... done ({seconds:.0f} s)" if self.terminal else f"  done ({seconds:.0f} s)")


if __name__ == "__main__":
    os.environ.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    sys.exit(main())
