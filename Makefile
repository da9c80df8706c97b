# What a person types. Everything sets itself up in .venv, with Python 3.11 or 3.12 and nothing else:
#   make demo     the whole pipeline on a bank's traffic, with planned mishaps
#   make test     all tests        make check   style, types, directions of import
#   make up       start, and return when all is ready          make down   stop
#   make bench    measure the worker, pipeline included
#   make alibi    alibi-detect in an environment of its own, for tidegate run monitors --backend alibi
#   make clean    remove what was installed and, after asking, the data
# On a machine with an NVIDIA GPU: make setup LOCK=gpu

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := setup
.PHONY: setup alibi demo test check bench up down clean
.NOTPARALLEL:

PYTHON ?=
LOCK ?= cpu
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
LOCKS := requirements/$(LOCK).lock requirements/dev.lock
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))
CACHE = $${TIDEGATE_CACHE:-$$HOME/.cache/tidegate}
DATA = $${TIDEGATE_DATA:-.tidegate}

# Nothing may call home.
export DO_NOT_TRACK := 1
export HF_HUB_OFFLINE := 1
export TRANSFORMERS_OFFLINE := 1
export VLLM_NO_USAGE_STATS := 1

setup: $(VENV)/.fetched

$(VENV)/bin/python:
	@for python in $(or $(PYTHON),python3 python3.12 python3.11); do \
	  if "$$python" -c '$(FITS)' 2>/dev/null; then "$$python" -m venv $(VENV); exit; fi; \
	done; \
	echo "Tidegate needs Python 3.11 or 3.12 with its venv module (on Debian: python3-venv);" \
	  "say where it is with: make setup PYTHON=/path/to/python3" >&2; exit 2

$(VENV)/.installed-$(LOCK): $(LOCKS) | $(VENV)/bin/python
	@echo "Installing what $(LOCKS) list into $(VENV): some minutes, about 8 GB of disk."
	@rm -f $(VENV)/.installed-*
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  $(addprefix -r ,$(LOCKS))
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.installed-$(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation --editable .
	@touch $@

$(VENV)/.fetched: infra/kafka.lock $(VENV)/.project
	@TQDM_DISABLE=1 $(BIN)/python -m infra.fetch
	@touch $@

# alibi-detect needs numpy below 2, which nothing else here runs with, so it has an environment of its
# own. From 0.12 its licence (BSL 1.1) does not allow use in production free of charge.
alibi: $(VENV)-alibi/.installed

$(VENV)-alibi/.installed: requirements/alibi.lock | $(VENV)/bin/python
	@echo "Installing alibi-detect into $(VENV)-alibi: some minutes, about 6 GB of disk."
	@rm -f $@
	@$(BIN)/python -m venv $(VENV)-alibi
	@$(VENV)-alibi/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --require-hashes -r requirements/alibi.lock
	@touch $@

demo: setup
	@$(BIN)/tidegate demo $(ARGS)

test: setup
	@$(BIN)/pytest --numprocesses 2 --no-loadscope-reorder $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	@$(BIN)/tidegate bench worker $(ARGS)

up: setup
	@$(BIN)/tidegate up --wait $(ARGS)

down:
	@if [ -x $(BIN)/tidegate ]; then $(BIN)/tidegate down; fi

clean:
	@$(MAKE) --no-print-directory down || echo "It could not be stopped; cleaning all the same."
	@rm -rf $(VENV) $(VENV)-alibi build dist .coverage .hypothesis .*_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@rm -rf "$(CACHE)/jars" "$(CACHE)/models"
	@rmdir "$(CACHE)" 2>/dev/null || true
	@if [ -d "$(DATA)" ]; then \
	  printf 'Remove all data in %s as well? [y/N] ' "$(DATA)"; \
	  read -r answer || true; \
	  if [ "$${answer:-}" = y ]; then rm -rf "$(DATA)"; else echo "The data stays."; fi; \
	fi
