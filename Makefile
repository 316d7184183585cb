# What a person types: `make run`, `make demo`, `make test`. Each sets up what it needs first; a second time that is quick.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup run demo test lint types unit kill mutants contract lock clean

help:
	@echo "make run    start the studio on http://127.0.0.1:3333"
	@echo "make demo   draw a picture, without a server or an account"
	@echo "make test   run every check"
	@echo "make kill   kill a server sixty times while it works, and look for what is lost"
	@echo "make mutants OF=core/ima2/jobs   put small wrongs into the code, and look whether the tests notice"

setup: $(READY)

$(READY): pyproject.toml constraints.txt ima2-provider-grok/pyproject.toml ima2-provider-gemini/pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
		echo "Python cannot make virtual environments. On Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		-e . -e ./ima2-provider-grok -e ./ima2-provider-gemini
	@touch $(READY)

run: $(READY)
	@$(BIN)/ima2 serve

demo: $(READY)
	@$(BIN)/ima2 gen "a lighthouse on a cliff at dawn" --provider demo

test: $(READY) lint types unit contract

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not alone"
	$(BIN)/python -m pytest -m alone

kill: $(READY)
	IMA2_KILLS=60 $(BIN)/python -m pytest -s tests/kill

SEED ?= 20261126
COUNT ?= 150
mutants: $(READY)
	$(BIN)/python -m tests.mutants --seed $(SEED) --count $(COUNT) $(OF)

contract: $(READY)
	$(BIN)/python -m tests.contract.replay

lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --extra dev --no-emit-package ima2 -o constraints.txt \
		pyproject.toml ima2-provider-grok/pyproject.toml ima2-provider-gemini/pyproject.toml

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build
