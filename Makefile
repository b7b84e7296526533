# Every way to set up, use and check the project. `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup run up test lint format lock superset

VENV := .venv
SUPERSET := .venv-superset
BIN := $(VENV)/bin
# The first Python on the PATH that is new enough, and not newer than the lock was made for.
PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11; do \
	$$candidate -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$candidate && break; done)

# Packages are installed uncompiled, and compiled when they are first used. Where this variable forbids to keep what was
# compiled, as it does in many containers, every process would begin with compiling all of them anew.
export PYTHONDONTWRITEBYTECODE :=

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.complete ## Make .venv and install the lock into it

$(VENV)/.complete: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed on the PATH (or: make PYTHON=/path/to/python)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	# Compiling every module of every package takes a third of the time; those that are used are compiled when they are.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## Land, check, build and publish once; print a summary
	@$(BIN)/datainsight run

up: setup ## Keep it running: PostgreSQL, Dagster's web pages and the HTTP API, until Ctrl-C
	@$(BIN)/datainsight up

test: setup ## Run every test
	@$(BIN)/python -m pytest

lint: setup ## Style, types, import walls and SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint dbt_project/models

format: setup ## Let the formatters rewrite what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix dbt_project/models

superset: setup $(SUPERSET)/.ready ## Look at the warehouse through a Superset of its own
	@$(BIN)/python -m pytest -n 0 tests/bi/test_superset.py

# numpy, as Superset wants it, has no wheels for Python 3.13.
$(SUPERSET)/.ready: tests/bi/requirements-superset.txt
	$(PYTHON) -m venv $(SUPERSET)
	$(SUPERSET)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --requirement $<
	# Its own notes, without anybody in them yet: to make them takes longer than all that is asked of it.
	$(SUPERSET)/bin/python -c 'import secrets; print("SECRET_KEY =", repr(secrets.token_urlsafe(48)))' > $(SUPERSET)/superset_config.py
	echo "SQLALCHEMY_DATABASE_URI = 'sqlite:///$(CURDIR)/$(SUPERSET)/superset.db'" >> $(SUPERSET)/superset_config.py
	for command in "db upgrade" init; do \
		FLASK_APP=superset SUPERSET_HOME=$(CURDIR)/$(SUPERSET) SUPERSET_CONFIG_PATH=$(CURDIR)/$(SUPERSET)/superset_config.py \
		$(SUPERSET)/bin/superset $$command > $(SUPERSET)/superset.log 2>&1 || { cat $(SUPERSET)/superset.log >&2; exit 1; }; \
	done
	@touch $@

lock: setup ## Renew requirements.txt from pyproject.toml (needs uv on the PATH)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header \
		--extra dev pyproject.toml --output-file requirements.txt
