# Two commands do everything on a fresh machine: `make run` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# What the system has to have beside the libraries of the windows; see resources/system-libraries.sh.
test test-all cluster cluster-demo: NEEDS := cluster
bench: NEEDS := $(if $(ONLY),campaign)

# Python keeps what it compiled, as it does for everybody who has not forbidden it: else each of the many
# programs that start here compiles itself anew (a server's start: 0.41 s for 0.33).
unexport PYTHONDONTWRITEBYTECODE

# One worker a core; the tests bring their own PostgreSQL, one a worker.
WORKERS ?= 2

.PHONY: help run tour test test-all bench cluster cluster-demo lint setup libraries lock

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: setup ## open the program (without a display: the tour)
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then \
		$(BIN)/python -m app; \
	else \
		echo "There is no display here, so the program shows itself: the tour goes to build/tour/."; \
		$(BIN)/python -m tests.tour build/tour; \
	fi

tour: setup ## drive the real windows through the whole flow and leave pictures in build/tour/
	$(BIN)/python -m tests.tour build/tour

PYTEST := QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test: lint ## lint, types and the suite, without slow tests
	$(PYTEST) -m "not slow and not campaign and not display"

test-all: lint ## the same with the slow tests, and more examples of generated ones
	$(PYTEST) --hypothesis-profile thorough -m "not campaign and not display"

cluster: setup ## two regions of two servers on this computer, discovery, HAProxy, and the program (Ctrl+C ends)
	$(BIN)/python -m tests.cluster

cluster-demo: setup ## kill and drain those servers under the real windows; pictures in build/cluster-demo/
	$(BIN)/python -m tests.cluster demo

bench: setup ## performance rows; ONLY=a,b_ takes names (a trailing _ is a prefix); campaigns run by name only
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.bench $(ONLY)

lint: setup ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: libraries $(STAMP) ## everything that the other commands need

libraries:
	@PYTHON="$(PYTHON)" bash resources/system-libraries.sh $(NEEDS)

$(BIN)/python: | libraries
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed.")'
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lock: $(BIN)/python ## write requirements.lock anew from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --extra dev --python-version 3.11 pyproject.toml -o requirements.lock
