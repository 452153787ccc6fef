# The workshop: `make` lists the targets. Every one makes .venv when it is missing or stale.

SHELL := /usr/bin/env bash -euo pipefail
.DEFAULT_GOAL := help
.PHONY: help setup pipeline test test-all parity lint bench base-image lock clean

PYTHON ?=
OUTPUT ?= build/pipeline
ARGS ?=
RUN := .venv/bin/python

help: ## List the targets
	@printf 'make TARGET\n\n'
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
	@printf '\nVariables: PYTHON (interpreter for .venv), OUTPUT (folder for artifacts), ARGS (more arguments).\n'

setup: ## Make or refresh .venv with everything that tests and linters need
	@requirements/setup.sh workshop $(PYTHON)

pipeline: ## From source to a running service in the staging environment; artifacts in build/pipeline
	@requirements/setup.sh pipeline $(PYTHON)
	@$(RUN) ci/main.py --output $(OUTPUT) $(ARGS)

test: setup ## Run the tests, against the real engine and the real image
	@$(RUN) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -m "not slow" $(ARGS)

test-all: setup ## Run the slow tests too: the pipeline, broken and changed in many ways
	@$(RUN) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

parity: setup ## Compare the embedded engine with Dagger's own, or with its answers on record
	@$(RUN) -m tests.parity $(ARGS)

lint: setup ## Run every linter and type checker over everything
	@.venv/bin/pre-commit run --all-files --hook-stage pre-push $(ARGS)

bench: setup ## Measure the pipeline against the same work by hand; writes docs/benchmarks.md
	@$(RUN) -m tests.bench $(ARGS)

base-image: ## Write the base image as an OCI archive, for a Dagger engine without a registry
	@requirements/setup.sh pipeline $(PYTHON)
	@$(RUN) ci/main.py base-image --output build/base-image $(ARGS)

lock: setup ## Lock the requirements again after a change of pyproject.toml
	@$(RUN) requirements/lock.py $(ARGS)

clean: ## Remove what was made here: .venv, build, tool caches (the engine's state is kept)
	@rm -rf .venv build dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
