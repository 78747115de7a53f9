"""Rasa on versions it does not declare (docs/deploying.md): that what it offers still imports, trains and answers."""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
os.environ["RASA_TELEMETRY_ENABLED"] = "false"


def packages() -> dict[str, str]:
    return dict(re.findall(r"(?m)^([A-Za-z0-9_.-]+)==(\S+)", (ROOT / "requirements.lock").read_text()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    [
        "rasa.cli.shell",
        "rasa.cli.run",
        "rasa.cli.train",
        "rasa.cli.test",
        "rasa.core.agent",
        "rasa.core.brokers.kafka",
        "rasa.core.brokers.pika",
        "rasa.core.brokers.sql",
        "rasa.core.channels.facebook",
        "rasa.core.channels.rest",
        "rasa.core.channels.slack",
        "rasa.core.channels.socketio",
        "rasa.core.channels.telegram",
        "rasa.core.channels.twilio",
        "rasa.core.channels.twilio_voice",
        "rasa.core.evaluation.marker",
        "rasa.core.lock_store",
        "rasa.core.policies.ted_policy",
        "rasa.core.policies.unexpected_intent_policy",
        "rasa.core.tracker_store",
        "rasa.nlu.classifiers.diet_classifier",
        "rasa.nlu.classifiers.logistic_regression_classifier",
        "rasa.nlu.classifiers.sklearn_intent_classifier",
        "rasa.nlu.extractors.crf_entity_extractor",
        "rasa.nlu.extractors.spacy_entity_extractor",
        "rasa.nlu.featurizers.dense_featurizer.spacy_featurizer",
        "rasa.nlu.selectors.response_selector",
        "rasa.server",
        "rasa_sdk.endpoint",
    ],
)
def test_what_rasa_offers_imports(module: str) -> None:
    importlib.import_module(module)


def test_the_lock_holds_what_the_lifts_promise() -> None:
    locked = packages()
    assert locked["rasa"] == "3.6.21"
    assert locked["aiohttp"].startswith("3.14.")
    assert locked["sqlalchemy"].startswith("2.0.")
    assert locked["setuptools"].split(".")[0] == "80"
    # Rasa imports pkg_resources, which 81 drops, and LegacyVersion, which packaging 22 drops.
    assert int(locked["packaging"].split(".")[0]) < 22


NLU = """
version: "3.1"
nlu:
- intent: greet
  examples: |
    - hi
    - hello
    - good morning
- intent: ask_balance
  examples: |
    - what is my balance
    - how much is in my [checking](account)
    - balance of my [savings](account) please
"""
DOMAIN = """
version: "3.1"
intents: [greet, ask_balance]
entities: [account]
slots:
  account: {type: text, mappings: [{type: from_entity, entity: account}]}
responses:
  utter_greet: [{text: Hello there}]
  utter_balance: [{text: A lot}]
"""
STORIES = """
version: "3.1"
stories:
- story: ask
  steps: [{intent: greet}, {action: utter_greet}, {intent: ask_balance}, {action: utter_balance}]
- story: ask at once
  steps: [{intent: ask_balance}, {action: utter_balance}]
rules:
- rule: greet
  steps: [{intent: greet}, {action: utter_greet}]
"""
#: A second way through Rasa: what the stock pipeline leaves out.
CLASSIC = {
    "recipe": "default.v1",
    "assistant_id": "test",
    "language": "en",
    "pipeline": [
        {"name": "WhitespaceTokenizer"},
        {"name": "RegexFeaturizer"},
        {"name": "LexicalSyntacticFeaturizer"},
        {"name": "CountVectorsFeaturizer"},
        {"name": "CRFEntityExtractor", "max_iterations": 1},
        {"name": "LogisticRegressionClassifier", "max_iter": 1},
        {"name": "FallbackClassifier"},
    ],
    "policies": [{"name": "MemoizationPolicy"}, {"name": "RulePolicy"}],
}


def one_epoch(config: Path) -> dict[str, object]:
    """The stock configuration, trained as briefly as can be."""
    stock = yaml.safe_load(config.read_text())
    for component in [*stock["pipeline"], *stock["policies"]]:
        if "epochs" in component:
            component["epochs"] = 1
    return dict(stock)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["stock", "classic"])
def test_trains_and_answers(tmp_path: Path, kind: str) -> None:
    """`rasa train` in a process of its own, as people run it; then a turn."""
    config = one_epoch(ROOT / "benchmarks" / "stock_config.yml") if kind == "stock" else CLASSIC
    (tmp_path / "config.yml").write_text(yaml.safe_dump(config))
    (tmp_path / "domain.yml").write_text(DOMAIN)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "nlu.yml").write_text(NLU)
    (tmp_path / "data" / "stories.yml").write_text(STORIES)
    done = subprocess.run(
        [sys.executable, "-m", "rasa", "train", "--fixed-model-name", "model"],
        cwd=tmp_path,
        env={**os.environ, "RASA_CACHE_DIRECTORY": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    from rasa.core.agent import Agent

    agent = Agent.load(str(tmp_path / "models" / "model.tar.gz"))
    answers = asyncio.run(agent.handle_text("/greet"))
    assert [answer["text"] for answer in answers or []] == ["Hello there"]
    parsed = asyncio.run(agent.parse_message("what is my balance"))
    assert parsed["intent"]["name"] in {"greet", "ask_balance", "nlu_fallback"}
