# Every target builds the environment first, in .venv, from PyPI alone.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: all demo test accept lint bench fuzz soak docs dist clean

all: $(READY)

$(READY): pyproject.toml requirements/dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

demo: $(READY)
	$(BIN)/tocsin demo

test: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

# Every acceptance point that can be automated; a skipped test is a failure.
accept: $(READY)
	TOCSIN_REQUIRE_DATA=1 TOCSIN_NO_SKIPS=1 $(BIN)/python -m pytest --numprocesses auto --dist worksteal
	$(BIN)/tocsin demo > /dev/null

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m bench.run
	test -z "$$TOCSIN_PANTHER_ANALYSIS" || $(BIN)/python -m bench.panther "$$TOCSIN_PANTHER_ANALYSIS"

# Broken logs of every format; takes some minutes.
fuzz: $(READY)
	$(BIN)/python -m bench.fuzz

# Memory on inputs of many gigabytes; takes long and needs disk.
soak: $(READY)
	$(BIN)/python -m bench.soak

docs: $(READY)
	$(BIN)/python docs/generate.py

dist: $(READY)
	$(BIN)/python -m build

clean:
	rm -rf .venv dist build
