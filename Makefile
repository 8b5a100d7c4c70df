# Two commands matter: `make release` publishes everything offline, `make test` checks everything.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: release test lint types imports tests screenshot clean

release: .venv
	$(BIN)/hanjul release

test: .venv lint types imports tests

# torch first and pinned: an open range pulls gigabytes of CUDA packages.
# deepeval last and without its dependencies: its click<8.4 contradicts huggingface_hub's click>=8.4.2 (see pyproject.toml).
.venv: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps deepeval
	touch .venv

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

tests:
	$(BIN)/pytest

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
