# Everything runs in .venv, which the first command makes: no other set-up is needed.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ENVS := .venv-consumers
CONSUMERS := trl together mistral mlx
HEAVY := llamafactory axolotl torchtune

.DEFAULT_GOAL := help
.PHONY: help demo test test-system test-browser test-consumers \
  test-consumers-heavy check docs bench bench-data clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY)  ## Go the whole way once with the embedded teacher; no key needed
	@$(BIN)/distillgen demo

test: $(READY)  ## Run the tests that need no root
	@$(BIN)/python -m pytest -n auto

test-system: $(READY)  ## Run the tests that need root
	@$(BIN)/python -m pytest tests/system -n auto -o addopts="-q --strict-markers"

test-browser: $(READY)  ## Run the tests that need Chromium and Firefox
	@$(BIN)/python -m pytest tests/browser -o addopts="-q --strict-markers"

test-consumers: $(READY)  ## Train two steps with the trainers themselves, from our files
	@$(MAKE) --no-print-directory -j2 -Otarget $(CONSUMERS:%=consumer-%) consumer-rules

test-consumers-heavy: $(READY)  ## The same with LLaMA-Factory, axolotl and torchtune
	@$(MAKE) --no-print-directory $(HEAVY:%=consumer-%)

check: $(READY)  ## Run ruff, mypy --strict and the docs check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python docs/generate.py --check

docs: $(READY)  ## Write docs/cli.md and docs/records.md anew
	@$(BIN)/python docs/generate.py

bench: $(READY)  ## Measure everything but the million rows; takes half an hour
	@$(BIN)/python benchmarks/start_up.py
	@$(BIN)/python benchmarks/answers.py
	@$(BIN)/python benchmarks/pacing.py
	@$(BIN)/python benchmarks/expand.py
	@$(BIN)/python benchmarks/soak.py
	@$(BIN)/python benchmarks/dedupe.py
	@$(BIN)/python benchmarks/splits.py
	@$(BIN)/python benchmarks/decontaminate.py
	@$(BIN)/python benchmarks/report.py
	@$(BIN)/python benchmarks/review.py
	@$(BIN)/python benchmarks/review_page.py
	@$(BIN)/python benchmarks/embedded.py

bench-data: $(READY)  ## Measure on public data in the folder DATA=DIR
	@test -n "$(DATA)" || { echo "Name the folder: make bench-data DATA=DIR"; exit 2; }
	@$(BIN)/python benchmarks/stats.py "$(DATA)"
	@$(BIN)/python benchmarks/decontaminate.py "$(DATA)"
	@$(BIN)/python benchmarks/augment.py "$(DATA)"
	@$(BIN)/python benchmarks/dedupe_data.py "$(DATA)"
	@$(BIN)/python benchmarks/choosing.py "$(DATA)"
	@$(BIN)/python benchmarks/palm.py "$(DATA)"
	@$(BIN)/python benchmarks/checks.py "$(DATA)"

clean:  ## Remove the environment and what tools left behind
	rm -rf .venv $(ENVS) .mypy_cache .ruff_cache .pytest_cache dist build

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "distillgen needs Python 3.11 or newer; here is $$($(PYTHON) --version 2>&1) ($$(command -v $(PYTHON)))."; \
	  echo "Install it, then:  make $(MAKECMDGOALS) PYTHON=python3.11"; exit 2; }
	@printf "installing distillgen and its tools into .venv, once "
	@{ $(PYTHON) -m venv .venv || { \
	    echo "Python cannot make environments here; on Debian: apt install python3-venv"; rm -rf .venv; exit 2; } && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'; } & job=$$!; \
	  while kill -0 $$job 2>/dev/null; do printf .; sleep 1; done; echo; wait $$job
	@touch $@

# Each consumer has an environment of its own: their wishes do not go together. uv installs these in a
# fifth of the time that pip takes; it does not know pip's settings.
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
endif
UV := $(ENVS)/uv/bin/uv
CONSUMER_TESTS = -m pytest -c tests/consumers/pytest.ini \
  $(wildcard tests/consumers/test_$1.py tests/consumers/test_$1_*.py)

.PHONY: material
.PRECIOUS: $(ENVS)/%/.ready
material: $(READY)
	@$(BIN)/python tests/consumers/material.py

consumer-rules: material
	@$(BIN)/python $(call CONSUMER_TESTS,rules)

consumer-%: $(ENVS)/%/.ready material
	@$(ENVS)/$*/bin/python $(call CONSUMER_TESTS,$*)

$(UV): | $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade \
	  --target $(ENVS)/uv uv==0.13.9
	@touch $@

$(ENVS)/%/.ready: tests/consumers/%.requirements.txt tests/consumers/overrides.txt | $(UV)
	@echo "installing $* into $(@D), once"
	@$(UV) venv --quiet --clear --python $(BIN)/python $(@D)
	@$(UV) pip install --quiet --python $(@D)/bin/python --requirements $< \
	  --overrides tests/consumers/overrides.txt
	@touch $@
