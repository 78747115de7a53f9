"""Understanding, ours beside the stock DIET pipeline of `rasa init`, both through Rasa in the same run.

    python benchmarks/nlu.py --dataset DIR [--peer-epochs 100] [--peer-few-epochs 100]

DIR (or the environment's BANKING77) holds train.csv and test.csv of BANKING77 (github.com/PolyAI-LDN/
task-specific-datasets, banking_data). Accuracy is the share of the test half whose likeliest intent, before any
fallback, is right; the test half is read once a table. "10 shot" trains on ten examples of each intent, drawn with a
fixed seed. Parsing, loading and training are measured on the assistant's own data and model, parsing on one core.
Without a dataset only these are. The peer may be given fewer epochs, since 100 take it hours on one core; the table
says how many it had.
"""

# ruff: noqa: E402  (Rasa reads its environment when it is imported)

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

os.environ["RASA_TELEMETRY_ENABLED"] = "false"
os.environ["RASA_MAX_CACHE_SIZE"] = "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import structlog
from rasa.core.agent import Agent
from rasa.model_training import train_nlu
from results import Metric, report
from ruamel.yaml import YAML
from support.sentences import sentences

SHOTS, SEED = 10, 7
#: Of the peer's classifier, as `rasa init` has it.
EPOCHS = 100
WARM_UP = 50

Pairs = list[tuple[str, str]]


def read(path: Path) -> Pairs:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def few(pairs: Pairs) -> Pairs:
    by_intent = defaultdict(list)
    for pair in pairs:
        by_intent[pair[1]].append(pair)
    chance = random.Random(SEED)
    return [pair for intent in sorted(by_intent) for pair in chance.sample(by_intent[intent], SHOTS)]


def write_data(pairs: Pairs, to: Path) -> Path:
    by_intent = defaultdict(list)
    for text, intent in pairs:
        by_intent[intent].append(" ".join(text.replace("[", "(").replace("]", ")").split()))
    blocks = [{"intent": i, "examples": "".join(f"- {t}\n" for t in texts)} for i, texts in by_intent.items()]
    with to.open("w", encoding="utf-8") as file:
        YAML().dump({"version": "3.1", "nlu": blocks}, file)
    return to


def peer_config(epochs: int, to: Path) -> Path:
    yaml = YAML()
    config = yaml.load((ROOT / "benchmarks" / "stock_config.yml").read_text(encoding="utf-8"))
    for component in config["pipeline"]:
        if "epochs" in component:
            component["epochs"] = epochs
    with to.open("w", encoding="utf-8") as file:
        yaml.dump(config, file)
    return to


def train(config: Path, data: Path, folder: Path, name: str) -> tuple[str, float]:
    """The trained model's path and the seconds it took."""
    started = time.perf_counter()
    model = train_nlu(str(config), str(data), str(folder), fixed_model_name=name)
    if model is None:
        raise SystemExit(f"{name} could not be trained")
    return model, time.perf_counter() - started


async def accuracy(model: str, pairs: Pairs) -> float:
    agent = Agent.load(model)
    right = 0
    for text, intent in pairs:
        parsed = await agent.parse_message(text)
        ranking = [one["name"] for one in parsed["intent_ranking"] if one["name"] != "nlu_fallback"]
        right += bool(ranking) and ranking[0] == intent
    return right / len(pairs)


async def parse_ms(agent: Agent, texts: Sequence[str]) -> float:
    """Median of parsing each text once, warm, on one core."""
    for text in texts[:WARM_UP]:
        await agent.parse_message(text)
    took = []
    for text in texts:
        started = time.perf_counter()
        await agent.parse_message(text)
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


def load(model: str) -> tuple[Agent, float]:
    started = time.perf_counter()
    agent = Agent.load(model)
    return agent, time.perf_counter() - started


def own_data(folder: Path, peer: Path) -> list[Metric]:
    """Training, loading and parsing on the assistant's own data."""
    ours, our_training = train(ROOT / "config.yml", ROOT / "data", folder, "own-ours")
    theirs, their_training = train(peer, ROOT / "data", folder, "own-peer")
    texts = [sentence.text for sentence in sentences()]
    random.Random(SEED).shuffle(texts)
    cores = os.sched_getaffinity(0)
    our_agent, our_load = load(ours)
    their_agent, their_load = load(theirs)
    os.sched_setaffinity(0, {min(cores)})
    our_parse = asyncio.run(parse_ms(our_agent, texts[:1000]))
    their_parse = asyncio.run(parse_ms(their_agent, texts[:300]))
    os.sched_setaffinity(0, cores)
    return [
        _faster("parse_p50_ms", our_parse, their_parse, "ms", 6),
        _faster("model_load_s", our_load, their_load, "s", 3),
        _faster("training_s", our_training, their_training, "s", 60),
    ]


def _faster(name: str, ours: float, peer: float, unit: str, most: float) -> Metric:
    return Metric(name, ours, unit, peer, peer / ours, f"<= {most}", ours <= most)


def banking77(dataset: Path, folder: Path, full_peer: Path, few_peer: Path) -> list[Metric]:
    training, test = read(dataset / "train.csv"), read(dataset / "test.csv")
    metrics = []
    for name, pairs, target, peer in (
        ("banking77_accuracy", training, 94.5, full_peer),
        ("banking77_10shot_accuracy", few(training), None, few_peer),
    ):
        data = write_data(pairs, folder / f"{name}.yml")
        ours = 100 * asyncio.run(accuracy(train(ROOT / "config.yml", data, folder, f"{name}-ours")[0], test))
        print(f"{name}: ours {ours:.2f} %, the peer is still to come", flush=True)
        theirs = 100 * asyncio.run(accuracy(train(peer, data, folder, f"{name}-peer")[0], test))
        wanted = f">= {target}" if target else ""
        reached = ours >= target if target else None
        metrics.append(Metric(name, ours, "%", theirs, ours / theirs if theirs else None, wanted, reached))
    return metrics


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found = os.environ.get("BANKING77")
    parser.add_argument("--dataset", type=Path, default=found, help="folder of BANKING77 (default: $BANKING77)")
    parser.add_argument("--peer-epochs", type=int, default=EPOCHS, help="epochs of the peer's DIETClassifier")
    parser.add_argument("--peer-few-epochs", type=int, default=EPOCHS, help="the same, for 10 shot")
    given = parser.parse_args()
    os.chdir(ROOT)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with tempfile.TemporaryDirectory(prefix="tellerline-bench-") as name:
        folder = Path(name)
        peer = peer_config(given.peer_epochs, folder / "peer.yml")
        few_peer = peer_config(given.peer_few_epochs, folder / "peer-few.yml")
        metrics = banking77(given.dataset, folder, peer, few_peer) if given.dataset else []
        metrics += own_data(folder, peer)
    notes = [f"The peer's DIETClassifier trained for {given.peer_epochs} epochs (rasa init: {EPOCHS})."]
    if given.dataset:
        notes.append(f"On 10 examples of each intent it trained for {given.peer_few_epochs} epochs.")
    else:
        notes.append("BANKING77 was not measured: name its folder with --dataset.")
    report("nlu", metrics, notes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
