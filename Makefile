# What there is to run: `make serve` and `make test`. Everything goes into .venv; nothing outside this folder is touched but the
# model cache (TUWEN_MODELS__DIR, by default the user's cache folder).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
QUESTION ?= How long did the seized bearing keep Heron closed?

.PHONY: serve test install check models lock vllm clean

serve: $(VENV)/.installed  ## install, fetch the models, ingest the example corpus, answer a question, open the page
	$(BIN)/tuwen models pull
	$(BIN)/tuwen ingest examples/corpus
	$(BIN)/tuwen serve --open --ask "$(QUESTION)"

test: $(VENV)/.installed-dev  ## format, lint, types, imports and every test
	BIN=$(BIN) scripts/check
	$(BIN)/tuwen models pull multilingual-e5-small efficientnet-lite2 smollm2-135m-instruct
	$(BIN)/python -m pytest -m "slow or model"

check: $(VENV)/.installed-dev  ## format, lint, types, imports and the fast tests
	BIN=$(BIN) scripts/check

install: $(VENV)/.installed

lock:  ## write the lock files from pyproject.toml (needs uv)
	scripts/lock

vllm: $(VENV)/.installed  ## serve a small model by vLLM on the CPU, in an environment of its own
	BIN=$(BIN) scripts/vllm

clean:
	rm -rf $(VENV) build *.egg-info

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/.installed-dev: $(BIN)/python requirements-dev.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@
