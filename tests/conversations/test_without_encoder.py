"""Without the weights of the sentence encoder: trained, said once, and still a conversation, on n-grams alone."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.assistant import Assistant
from support.sandbox import ROOT

pytestmark = [pytest.mark.conversation, pytest.mark.slow, pytest.mark.timeout(900)]

SAID = "n-grams alone"
#: Enough to train on: the answers asked for below, and what is none of a bank's business.
DATA = ("data/nlu/balances.yml", "data/nlu/conversation.yml", "data/nlu/spending.yml", "data/lookups", "data/rules")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The model that Rasa's own command trains where the weights are missing, and what it said."""
    folder = tmp_path_factory.mktemp("without")
    config = yaml.safe_load((ROOT / "config.yml").read_text())
    config["pipeline"][0]["model_folder"] = str(folder / "no-weights-here")
    (folder / "config.yml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "rasa", "train", "--config", str(folder / "config.yml"), "--out", str(folder)]
    done = subprocess.run(
        [*command, "--fixed-model-name", "plain", "--data", *DATA],
        cwd=ROOT,
        env={**os.environ, "RASA_TELEMETRY_ENABLED": "false"},
        capture_output=True,
        text=True,
        check=True,
    )
    return folder / "plain.tar.gz", done.stdout + done.stderr


def test_training_says_it_once_and_where_it_looked(trained: tuple[Path, str]) -> None:
    said = [line for line in trained[1].splitlines() if SAID in line]
    assert len(said) == 1, trained[1]
    assert "no-weights-here" in said[0]


def test_it_says_so_at_the_start_and_answers(
    trained: tuple[Path, str], assistant: Assistant, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="assistant.nlu.encoder_component"):
        assistant.load(trained[0])
    assert [record.getMessage() for record in caplog.records if SAID in record.getMessage()] == [
        "This model was trained without the sentence encoder: n-grams alone tell intents apart, and more sentences "
        "will be misunderstood. Install the weights and train again (docs/deploying.md)."
    ]
    talk = assistant.talk("maya")
    assert "$7,749.09 in Everyday Checking" in talk("what's the balance of my checking account")
    assert "You owe $3,331.07" in talk("when is my credit card payment due")
    assert "You spent $469.64 on groceries in February 2026" in talk("how much did i spend on groceries last month")
    assert "$" not in talk("what is the weather in paris tomorrow")
