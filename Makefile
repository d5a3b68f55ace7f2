# Every verb works on a fresh machine with git, make and Python 3.11 or newer.  make help  lists them.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
INSTALL := $(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt
# The stamps are written last: a half-built .venv is never taken for a whole one.
STAMP := $(VENV)/.built
BENCH_STAMP := $(VENV)/.built-bench
DEMO := build/demo

.DEFAULT_GOAL := help
.PHONY: demo test test-all lint bench help

demo: $(STAMP)  ## run a real study from its protocol to the report
	@rm -rf $(DEMO)
	@$(VENV)/bin/counterpulse example stanford-heart $(DEMO)
	@$(VENV)/bin/counterpulse run $(DEMO)/stanford-heart.protocol.yaml --out $(DEMO)/report

test: lint  ## style, types and the fast tests
	@$(RUN) pytest -m "not slow" -n 2

test-all: lint  ## style, types and every test, the long proofs too, properties on new examples
	@COUNTERPULSE_EXAMPLES=new $(RUN) pytest -n 2

lint: $(STAMP)  ## style and types only
	@$(RUN) ruff check
	@$(RUN) ruff format --check --quiet || { echo "Format with: $(RUN) ruff format" >&2; exit 1; }
	@$(RUN) mypy

bench: $(BENCH_STAMP)  ## measure against the peers; writes docs/benchmarks.md
	@$(RUN) bench.run

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python cannot make an environment here; install what is missing: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo "Building $(VENV) (about a minute) ..."
	@test -f $@ || $(PYTHON) -m venv --clear $(VENV)
	@$(INSTALL) -e ".[dev]"
	@touch $@

$(BENCH_STAMP): $(STAMP)
	@$(INSTALL) -e ".[bench]"
	@touch $@
