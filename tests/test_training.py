"""Training: only when something changed, and never half a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant import training
from assistant.training import TrainingFailed, ensure_model, fingerprint, model_path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("config.yml", "domain.yml", "data/nlu/balances.yml", "assistant/nlu/period.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.fixture
def rasa(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stands in for Rasa: a module `rasa` that does what the file it names says."""
    folder = tmp_path / "stand-in"
    (folder / "rasa").mkdir(parents=True)
    (folder / "rasa" / "__init__.py").touch()
    main = folder / "rasa" / "__main__.py"
    main.write_text(
        "import sys, pathlib, os\n"
        "out = pathlib.Path(sys.argv[sys.argv.index('--out') + 1])\n"
        "assert os.environ['RASA_TELEMETRY_ENABLED'] == 'false'\n"
        "(out / 'model.tar.gz').write_text('a model')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return main


def test_the_fingerprint_follows_contents_and_names(project: Path) -> None:
    before = fingerprint(project)
    assert fingerprint(project) == before
    (project / "data/nlu/balances.yml").write_text("changed")
    changed = fingerprint(project)
    assert changed != before
    (project / "data/nlu/balances.yml").rename(project / "data/nlu/other.yml")
    assert fingerprint(project) not in {before, changed}


@pytest.mark.parametrize("irrelevant", ["README.md", "assistant/skills/spending.py", "assistant/nlu/__pycache__/x.py"])
def test_what_the_model_is_not_made_from_does_not_count(project: Path, irrelevant: str) -> None:
    before = fingerprint(project)
    path = project / irrelevant
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("new")
    assert fingerprint(project) == before


def test_trains_once(project: Path, rasa: Path) -> None:
    model = ensure_model(project, project / "logs")
    assert model == model_path(project)
    rasa.write_text("raise SystemExit('trained again')")
    assert ensure_model(project, project / "logs") == model


def test_a_change_trains_anew_and_clears_the_old_model(project: Path, rasa: Path) -> None:
    old = ensure_model(project, project / "logs")
    mine = project / "models" / "20260101-mine.tar.gz"
    mine.touch()
    (project / "domain.yml").write_text("changed")
    new = ensure_model(project, project / "logs")
    assert new != old
    assert sorted((project / "models").iterdir()) == sorted([new, mine])


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("print('YAML is wrong here'); raise SystemExit(1)", "YAML is wrong here"),
        ("print('nothing to train')", "Rasa made no model"),
    ],
)
def test_a_failure_shows_what_rasa_said_and_leaves_no_model(project: Path, rasa: Path, script: str, told: str) -> None:
    rasa.write_text(script)
    with pytest.raises(TrainingFailed, match=told) as failed:
        ensure_model(project, project / "logs")
    assert "train.log" in str(failed.value)
    assert list((project / "models").iterdir()) == []


def test_an_interruption_stops_rasa_and_leaves_no_model(
    project: Path, rasa: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rasa.write_text("import time\nwhile True: time.sleep(1)")

    def interrupt(_step: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training.Step, "tick", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ensure_model(project, project / "logs")
    assert list((project / "models").iterdir()) == []


def test_going_back_makes_the_old_model_the_newest(project: Path, rasa: Path) -> None:
    """`rasa shell` on its own takes the newest file."""
    model = ensure_model(project, project / "logs")
    newer = project / "models" / "newer.tar.gz"
    newer.touch()
    ensure_model(project, project / "logs")
    assert model.stat().st_mtime_ns >= newer.stat().st_mtime_ns
