# Each target does what it needs first and skips what is done.
SHELL := /bin/sh
.DEFAULT_GOAL := help
# Before anything of Rasa is imported, in every process: it reports crashes and usage to third parties otherwise.
export RASA_TELEMETRY_ENABLED := false
BIN := .venv/bin

.PHONY: help ready shell serve train test test-fast test-long lint replies bench lock doctor clean

help:  ## This list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile | expand -t 20

ready:  ## Set up .venv (every other target does this first)
	@sh scripts/bootstrap.sh

shell: ready  ## Talk to the assistant in the terminal
	@$(BIN)/tellerline shell

serve: ready  ## Run everything that channels need
	@$(BIN)/tellerline serve

train: ready  ## Train the model, if anything it learns from has changed
	@$(BIN)/tellerline train

test: lint train  ## Lint, types, contracts and every test
	$(BIN)/pytest

test-long: train  ## The tests that take minutes: hundreds of people at once, workers killed again and again
	$(BIN)/pytest -m long

test-fast: ready  ## The unit tests alone, on all cores
	$(BIN)/pytest -n auto -m "not slow and not conversation and not services and not long"

lint: ready  ## Style, formatting, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

replies: ready train  ## Record what test sentences are answered, for those without a reply (then read what it wrote)
	$(BIN)/python scripts/replies.py

bench: ready train  ## Measure ourselves beside the peer (some minutes)
	$(BIN)/python benchmarks/run.py

doctor: ready  ## Check this installation and say what to fix
	@$(BIN)/tellerline doctor

# The lock is resolved for the oldest Python we support and installs on both. Needs uv (https://docs.astral.sh/uv).
lock:  ## Resolve requirements.lock anew from pyproject.toml
	uv pip compile pyproject.toml --extra dev -p 3.10 --python-platform x86_64-manylinux_2_28 \
		--generate-hashes -o requirements.lock --no-annotate --no-header

# The database and the secrets in var/ stay: without its master key a database is lost.
clean:  ## Remove models, caches and results (keeps .venv and var/)
	rm -rf models .rasa build dist benchmarks/results *.egg-info .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
