# Every target makes .venv and installs what it needs; the machine needs only Python 3.11 or newer, git and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
QUICK_RUN := runs/quick
BENCH ?= .
TESTS ?=
SECTIONS ?=

# These two variables make OpenBLAS use another machine's kernels. Some machines set them for old builds that crash;
# the build in .venv is current, and half as fast with them, so what is measured here does not inherit them.
UNPINNED := env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE

# Two test processes with as many threads as there are cores each would wait for each other most of the time.
ONE_THREAD := OMP_NUM_THREADS=1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help report test lint format hooks bench judge scorecard speed clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' Makefile | column -t -s '|'

report: $(VENV)/installed-report ## measure the quick profile and write the page that compares the methods
	@$(UNPINNED) $(BIN)/gradmark run --profile quick --out $(QUICK_RUN)
	@$(UNPINNED) $(BIN)/gradmark report $(QUICK_RUN)

test: $(VENV)/installed-test ## run the tests, two at a time; TESTS=tests/documents for a part of them
	@$(ONE_THREAD) $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

lint: $(VENV)/installed-test ## check format, style and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: $(VENV)/installed-test ## mend format and style where that can be done by a program
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

hooks: $(VENV)/installed-test ## check every commit before it is made (pre-commit)
	@$(BIN)/pre-commit install

bench: $(VENV)/installed-bench ## run the asv suite on the current commit; BENCH=REGEX for a part of it
	@git diff --quiet HEAD || echo "Note: changes that are not committed are measured too, and filed under the current commit."
	@$(BIN)/asv machine --yes > /dev/null
	@$(UNPINNED) $(BIN)/asv run --python=same --set-commit-hash=HEAD --bench '$(BENCH)'

judge: $(VENV)/installed-report ## judge every built-in method thoroughly; the verdicts in docs/judge.json are committed
	@$(UNPINNED) $(BIN)/gradmark validate --all --profile full --quiet --brief docs/judge.json

scorecard: $(VENV)/installed-report ## gradmark's checks beside those of torch, jax, autograd and SciPy, on known faults
	@$(UNPINNED) $(BIN)/gradmark scorecard --out runs/scorecard

speed: $(VENV)/installed-report ## how fast and exact the methods are beside what people use; SECTIONS="dense forward" for a part
	@$(UNPINNED) $(BIN)/python -m benchmarks.speed $(SECTIONS)

clean: ## remove .venv, caches and built files; runs and asv results stay
	rm -rf $(VENV) build dist *.egg-info .asv/env .asv/html .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of extras. `whole` is absent while an install is under way, so one that was interrupted
# is begun anew instead of trusting half a package.
$(VENV)/installed-report: EXTRAS := [peers]
$(VENV)/installed-bench: EXTRAS := [bench,peers]
$(VENV)/installed-test: EXTRAS := [test,peers]
$(VENV)/installed-%: pyproject.toml constraints.txt Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "gradmark needs Python 3.11 or newer; \`$(PYTHON) --version\` says: $$($(PYTHON) --version 2>&1 | head -n 1)" >&2; \
	  echo "Install one and name it: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -e $(VENV)/whole || { rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); }
	@rm -f $(VENV)/whole
	@echo "Installing gradmark$(EXTRAS) into $(VENV) (a few minutes the first time) ..."
	@$(PIP) install --quiet -c constraints.txt -e '.$(EXTRAS)'
	@touch $(VENV)/whole $@
