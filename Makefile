# Gridsentry. `make` alone explains the targets.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test test-fast lint format docs bench bench-router bench-center score-falls score-water score-lines score-router setup setup-test clean

help: ## what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: sudo apt-get install python3" >&2; exit 1; }
	@$(PYTHON) tools/setup.py run

setup-test:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: sudo apt-get install python3" >&2; exit 1; }
	@$(PYTHON) tools/setup.py test

run: setup ## the demo town on this machine, live at http://127.0.0.1:8080 (Ctrl-C stops it all)
	@exec $(PY) -m gridsentry demo $(ARGS)

test: setup-test lint ## everything: unit, laws, scenarios, real servers, faults, browser (some 17 minutes)
	@$(PY) -m pytest -n 2 --dist loadgroup

test-fast: setup-test ## what runs without servers (within 2 minutes)
	@$(PY) -m pytest -m "not slow" -n 2

lint: setup-test ## ruff, mypy --strict, import contracts, types of the pages' modules
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PY) -m tools.typecheck

format: setup-test ## let ruff format and mend what it can
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

docs: setup-test ## write docs/generated anew (tests compare it with what is committed)
	@$(PY) -m tools.generate

bench: setup-test ## how fast, beside Node-RED and others (QUICK=1 a minute or two's worth, SOAK=30 memory for half an hour)
	@$(PY) -m bench.ingest

bench-router: setup-test ## how fast somebody is sent, of half a million (SEED=7 another province, QUICK=1 a minute's worth)
	@$(PY) -m bench.router

bench-center: setup-test ## how fast the pages are, of a city with 106,000 grids (SEED=7 another city, QUICK=1 less)
	@$(PY) -m bench.center

score-falls: setup-test ## how well falls are found (SEED=7 other films, QUICK=1 a minute's worth)
	@$(PY) -m bench.falls

score-water: setup-test ## how early floods and blocked pipes are told (SEED=7 other runs, QUICK=1 a minute's worth)
	@$(PY) -m bench.water

score-lines: setup-test ## which cut cables are told, how soon, where, and what is none (SEED=7 other takes, QUICK=1 a minute's worth)
	@$(PY) -m bench.lines

score-router: setup-test ## how long a storm night waits for somebody, beside greedy and the best plan (SEED=7 other nights, QUICK=1 a minute's worth)
	@$(PY) -m bench.nights

clean: ## remove what was built (not the state of a service)
	rm -rf build .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
