# Everything a person runs here. `make help` lists it.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-alerts test-browser test-examples faults overload bench bench-full bench-guard check contract format lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(VENV)/.installed ## make .venv with everything pinned in requirements-dev.lock

$(VENV)/.installed: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v >= (3, 11) else f"Python 3.11 or newer is needed, {sys.executable} is {v[0]}.{v[1]}. Try: make PYTHON=python3.12 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned packages into $(VENV) …"
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## run the whole pipeline on real input in a temporary folder and check every figure
	@$(BIN)/hfts demo

run: setup ## keep the pipeline up until Ctrl-C
	@$(BIN)/hfts up

test: setup ## pass all tests, on the embedded Kafka and PostgreSQL
	@$(BIN)/pytest --numprocesses=3 --dist=loadfile

test-browser: setup ## try the dashboard in Chromium, which must be installed; pictures go to build/screenshots
	@$(BIN)/pytest --numprocesses=2 --dist=loadfile tests/browser

test-examples: setup ## run the examples against a whole site; needs curl, node and kcat
	@$(BIN)/pytest tests/examples

test-alerts: setup ## put alert rules and dashboard to the test with promtool, which Debian has in its package prometheus
	@promtool="$$(.ci/promtool)" && "$$promtool" check config deploy/prometheus/prometheus.yml && \
		"$$promtool" test rules deploy/prometheus/alerts_test.yml && \
		rules="$$(mktemp)" && trap 'rm -f "$$rules"' EXIT && \
		$(BIN)/python tests/support/dashboard_rules.py > "$$rules" && "$$promtool" check rules "$$rules"

faults: setup ## break everything under load and check that nothing is lost or doubled: DURATION=15m SEED= BROKERS=3 FAULTS=words KILLS=
	@$(BIN)/python -m tests.faults.runner --duration "$(or $(DURATION),15m)" --brokers $(or $(BROKERS),3) --kills $(or $(KILLS),0) --faults "$(FAULTS)" $(if $(SEED),--seed $(SEED))

overload: setup ## flood an API with more connections than it serves, also without its broker: CONNECTIONS=3000 DURATION=20
	@$(BIN)/python -m tests.faults.overload --connections $(or $(CONNECTIONS),3000) --duration $(or $(DURATION),20)

bench: setup ## measure us beside our peers and the limits, about ten minutes, and renew docs/benchmarks.md
	@$(BIN)/python -m bench

bench-full: setup ## the same with every workload, about an hour
	@$(BIN)/python -m bench --full

bench-guard: setup ## compare us with pgbench for two minutes: loud when our lead has fallen below half of the recorded one
	@$(BIN)/python -m bench --guard

check: setup ## formatting, lint, types and the direction of imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

contract: setup ## make docs/openapi.json, asyncapi.yaml, schemas/ and errors.md of the program; RELEASE=yes: also as what was released
	@$(BIN)/python -m ops.contract $(if $(RELEASE),--release)

format: setup ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup ## pin the versions again
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --no-emit-index-url --upgrade --extra embedded --extra tracing --extra analysts pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --no-emit-index-url --extra embedded --extra tracing --extra analysts --extra bench --extra dev --constraint requirements.lock pyproject.toml -o requirements-dev.lock
	@echo hatchling | $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --no-emit-index-url --constraint requirements-dev.lock - -o deploy/build.lock

clean: ## remove .venv and every cache
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
