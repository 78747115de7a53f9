"""A turn, a cold start, memory and training: ours beside the stock pipeline of `rasa init`.

Both are trained from nothing on the same data, and answer the same questions over Rasa's REST channel, with the same
action server and sandbox bank behind them. The peer keeps its conversations in memory, as `rasa init` sets it up;
ours keeps them on disk, sealed. Stock policies learn from stories, so the peer is given every rule as a story too.
Memory is the proportional set size of Rasa and the action server, after the turns. ``ratio`` is peer/ours, but
ours/peer for memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import requests
from installation import ROOT, Installation, installation, unused_port
from results import Metric, report
from ruamel.yaml import YAML

from assistant.cli import link_demo, write_endpoints

QUESTIONS = (
    "hi",
    "what's my balance",
    "how much is in my savings account",
    "show me my last five transactions",
    "how much did I spend on groceries last month",
    "what about restaurants?",
    "and the month before?",
    "what did I spend the most on this year",
    "when did I last pay Comcast?",
    "which subscriptions do I have",
    "what bills are due before payday",
    "how much did I earn in August",
    "any transactions over $100 this month",
    "how much do I owe on my credit card",
    "thanks",
)
WARM_UP, ROUNDS, STARTS = 1, 10, 3
START_LIMIT = 600


@dataclass
class Side:
    """One of the two: where it trains, and what was measured."""

    name: str
    project: Path
    training: float = 0.0
    memory: float = 0.0
    starts: list[float] = field(default_factory=list)
    turns: list[float] = field(default_factory=list)

    @property
    def model(self) -> Path:
        return self.project / "models" / "model.tar.gz"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, help="keep the models here; one that is here is not trained again")
    options = parser.parse_args()
    with installation() as place:
        ours = Side("ours", project(place.folder / "ours", ROOT / "config.yml", stories=False))
        peer = Side("peer", project(place.folder / "peer", ROOT / "benchmarks" / "stock_config.yml", stories=True))
        for side in (ours, peer):
            if not (options.models and restore(side, options.models)):
                train(side, place)
                if options.models:
                    keep(side, options.models)
        link_demo(place.plan)
        for _ in range(STARTS):
            for side in (ours, peer):
                measure(side, place)
    report(
        "turn",
        metrics(ours, peer),
        [f"{len(ours.turns)} turns each; median of {STARTS} starts; {os.cpu_count()} cores"],
    )


def project(folder: Path, config: Path, *, stories: bool) -> Path:
    """The project's data with one configuration, in a folder of its own."""
    folder.mkdir()
    shutil.copy(ROOT / "domain.yml", folder)
    # A copy: what was trained stays with the code it was trained by, whatever is edited meanwhile.
    for name in ("data", "assistant", "actions"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "rasa_sdk_plugins.py", folder)
    shutil.copy(config, folder / "config.yml")
    if stories:
        (folder / "data" / "stories.yml").write_text(rules_as_stories(sorted((ROOT / "data" / "rules").glob("*.yml"))))
    return folder


def rules_as_stories(files: Sequence[Path]) -> str:
    """Each rule that a story can say: one without a condition and with a message to start from."""
    lines = ['version: "3.1"', "stories:"]
    for file in files:
        for rule in YAML(typ="safe").load(file.read_text()).get("rules", []):
            steps = rule["steps"]
            if "condition" in rule or not any("intent" in step for step in steps):
                continue
            lines += [f"- story: {rule['rule']} (story)", "  steps:"]
            for step in steps:
                ((kind, value), *_) = [item for item in step.items() if item[0] in {"intent", "action"}] or [("", "")]
                if kind:
                    lines.append(f"  - {kind}: {value}")
    return "\n".join(lines) + "\n"


def restore(side: Side, folder: Path) -> bool:
    kept = folder / f"{side.name}.tar.gz"
    if not kept.exists():
        return False
    side.model.parent.mkdir()
    shutil.copy(kept, side.model)
    side.training = float(json.loads((folder / f"{side.name}.json").read_text())["training"])
    return True


def keep(side: Side, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    shutil.copy(side.model, folder / f"{side.name}.tar.gz")
    (folder / f"{side.name}.json").write_text(json.dumps({"training": side.training}))


def train(side: Side, place: Installation) -> None:
    """From nothing: no cache of an earlier training."""
    cache = place.folder / f"cache-{side.name}"
    command = [sys.executable, "-m", "rasa", "train", "--force", "--fixed-model-name", "model"]
    log = place.folder / f"train-{side.name}.log"
    print(f"Training {side.name} ...", flush=True)
    started = time.monotonic()
    with log.open("wb") as file:
        done = subprocess.run(
            command,
            cwd=side.project,
            env={**os.environ, "RASA_CACHE_DIRECTORY": str(cache)},
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    side.training = time.monotonic() - started
    if done.returncode != 0 or not side.model.exists():
        raise SystemExit(f"Training {side.name} failed:\n" + "\n".join(log.read_text().splitlines()[-20:]))


def measure(side: Side, place: Installation) -> None:
    """One cold start, then turns."""
    plan = place.with_rasa_port(unused_port())
    url = f"http://127.0.0.1:{plan.settings.rasa_port}/webhooks/rest/webhook"
    credentials = place.folder / "credentials.yml"
    credentials.write_text("rest:\n")
    stock = place.folder / "no-endpoints.yml"
    stock.write_text("{}\n")
    endpoints = place.folder / f"endpoints-{side.name}.yml"
    write_endpoints(plan.settings, ROOT / "endpoints.yml" if side.name == "ours" else stock, endpoints)
    # Ours as `tellerline serve` starts it, the peer as `rasa run` does.
    python = [sys.executable, "-m", *(["assistant.guarded"] if side.name == "ours" else [])]
    command = [
        *(*python, "rasa", "run", "--model", str(side.model), "--endpoints", str(endpoints)),
        *("--credentials", str(credentials), "--port", str(plan.settings.rasa_port), "--interface", "127.0.0.1"),
    ]
    print(f"Starting {side.name} ...", flush=True)
    started = time.monotonic()
    actions = start(plan.action_server().command, side.project, plan.action_server().environment, place)
    rasa = start(command, side.project, plan.environment, place)
    try:
        with requests.Session() as client:
            while not answered(client, url, "start", "what's my balance"):
                late = time.monotonic() - started > START_LIMIT
                if late or rasa.poll() is not None or actions.poll() is not None:
                    raise SystemExit(f"{side.name} did not start:\n" + (place.folder / "run.log").read_text()[-3000:])
                time.sleep(0.05)
            side.starts.append(time.monotonic() - started)
            talk(side, client, url)
        side.memory = max(side.memory, sum(memory(process.pid) for process in (rasa, actions)))
    finally:
        for process in (rasa, actions):
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def start(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], place: Installation
) -> subprocess.Popen[bytes]:
    with (place.folder / "run.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
        )


def talk(side: Side, client: requests.Session, url: str) -> None:
    for number in range(WARM_UP + ROUNDS):
        for question in QUESTIONS:
            began = time.perf_counter()
            if not answered(client, url, f"{side.name}-{len(side.starts)}-{number}", question):
                raise SystemExit(f"{side.name} gave no answer to {question!r}")
            if number >= WARM_UP:
                side.turns.append(time.perf_counter() - began)


def answered(client: requests.Session, url: str, sender: str, message: str) -> bool:
    try:
        answer = client.post(url, json={"sender": sender, "message": message}, timeout=60)
        return answer.status_code == 200 and bool(answer.json())
    except requests.ConnectionError:
        return False


def memory(pid: int) -> float:
    """Proportional set size of a process and its children, in MB: shared pages are counted once."""
    kilobytes = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            kilobytes = int(line.split()[1])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return kilobytes / 1024 + sum(memory(int(child)) for child in children)


def metrics(ours: Side, peer: Side) -> list[Metric]:
    def turn(quantile: int) -> tuple[float, float]:
        a, b = (statistics.quantiles(side.turns, n=100)[quantile - 1] * 1000 for side in (ours, peer))
        return a, b

    p50, p95 = turn(50), turn(95)
    cold = statistics.median(ours.starts), statistics.median(peer.starts)
    return [
        Metric("turn_p50", p50[0], "ms", p50[1], p50[1] / p50[0], "5 times faster", p50[1] / p50[0] >= 5),
        Metric("turn_p95", p95[0], "ms", p95[1], p95[1] / p95[0]),
        Metric("cold_start", cold[0], "s", cold[1], cold[1] / cold[0], "4 times faster", cold[1] / cold[0] >= 4),
        Metric(
            "memory",
            ours.memory,
            "MB",
            peer.memory,
            ours.memory / peer.memory,
            "at most 0.6 of it",
            ours.memory / peer.memory <= 0.6,
        ),
        Metric(
            "training",
            ours.training,
            "s",
            peer.training,
            peer.training / ours.training,
            "under 60 s",
            ours.training < 60,
        ),
    ]


if __name__ == "__main__":
    main()
