# Everything a person or CI runs. Each target sets up what it needs by itself; `make help` lists them.

PORT ?= 8080
SIM_PORT ?= 8090
ROUNDS ?= 200
# Tests wait for disks, leases and other processes a third of their time: one more of them than there are cores of the smallest machine.
WORKERS ?= 3
SECONDS ?= 60
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --quiet --disable-pip-version-check --no-input
PIP_FAILED := { echo "pip could not install the packages (its message is above). Usually the network or a proxy is the cause: check it and run the same command again." >&2; exit 1; }

# Tests start the service many times: without compiled files each start, and each worker, would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test check chaos fuzz bench bench-peers lock clean test-servers

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

setup: $(VENV)/packages.stamp var/assets/assets.stamp ## make .venv and the front-end files; PYTHON= names the Python to use
	@:

run: setup ## start the service and the simulator with demo data; PORT= and SIM_PORT= move them
	@exec $(PY) -m tests.simulator.with_service --port $(PORT) --sim-port $(SIM_PORT)

test: setup test-servers ## run every test, on SQLite and on PostgreSQL and Redis; ARGS= goes to pytest
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

chaos: setup test-servers ## break the service in many rounds; ROUNDS= how many, SEED= the first, ARGS= as in tests/chaos/__main__.py
	@$(PY) -m tests.chaos --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

fuzz: setup ## fuzz what reads webhooks, led by coverage, where atheris installs; SECONDS= how long in all
	@$(PY) -m tests.fuzz --seconds $(SECONDS)

check: setup test-servers ## lint, format, types, import contracts, then the fast tests
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not browser and not processes" $(ARGS)

bench: setup test-servers ## measure and write var/bench.json; ARGS= takes names of figures, --quick, --runs
	@$(PY) -m tests.bench $(ARGS)

bench-peers: setup ## do the same work the way peers do it and print how many times as fast ours is; ARGS=--quick
	@$(PY) -m tests.setup.servers
	@$(PY) -m tests.bench.peers $(ARGS)

test-servers: $(VENV)/packages.stamp
	@$(PY) -m tests.setup.servers
	@$(PY) -m tests.setup.browser

lock: setup ## renew the locks of Python and npm packages within the bounds of pyproject.toml and package.json
	@uv=$$(command -v uv || command -v $(VENV)/bin/uv) || { echo "make lock needs uv: https://docs.astral.sh/uv" >&2; exit 1; }; \
	compile="$$uv pip compile pyproject.toml --universal --python-version 3.11 --no-python-downloads --generate-hashes --no-annotate --no-header --quiet"; \
	$$compile --upgrade --extra dev -o requirements.lock && \
	$$compile --constraint requirements.lock -o requirements-service.lock
	@npm install --package-lock-only

clean: ## remove what set-up made; the demo data in var/run stays
	rm -rf $(VENV) node_modules var/assets var/servers *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/made.stamp:
	@if $(PY) -c 'import pip' 2>/dev/null; then touch $@; exit 0; fi; \
	for candidate in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
	  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Python 3.11 or newer is needed and was not found as: $(or $(PYTHON),python3 python3.13 python3.12 python3.11)." >&2; \
	  echo "Install one, or name it: make $(or $(MAKECMDGOALS),setup) PYTHON=/path/to/python3" >&2; exit 1; fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	  version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "This Python $$version cannot make virtual environments: its ensurepip or venv module is missing." >&2; \
	  echo "On Debian and Ubuntu: apt-get install python$$version-venv (as root), then run the same command again." >&2; exit 1; fi; \
	echo "Making $(VENV) with $$($$python --version)"; \
	$$python -m venv --clear $(VENV) || { echo "The virtual environment $(VENV) could not be made (see above)." >&2; exit 1; }; \
	touch $@

$(VENV)/packages.stamp: $(VENV)/made.stamp requirements.lock pyproject.toml
	@echo "Installing the locked Python packages, about a minute the first time"
	@$(PIP) --require-hashes -r requirements.lock || $(PIP_FAILED)
	@$(PIP) --no-deps --no-build-isolation -e . || $(PIP_FAILED)
	@touch $@

var/assets/assets.stamp: package-lock.json requirements-node.lock templates/icons.txt bot/assets.py | $(VENV)/packages.stamp
	@$(PY) -m bot.assets
	@touch $@
