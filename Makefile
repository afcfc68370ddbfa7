# Every command does all the set-up: a virtual environment of the project's own, with the networks
# that a build takes out of public packages, then the job.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Processes that run tests: as many as there are cores, at most four; 0: the one of pytest itself.
JOBS ?= logical

.PHONY: demo test bench lint docs clean

demo: $(STAMP)
	$(BIN)/livefacs demo

test: $(STAMP)
	$(BIN)/python -m pytest -n $(JOBS) --maxprocesses 4 --dist loadfile $(OPTIONS)

bench: $(STAMP)
	$(BIN)/python -m pytest bench --benchmark-enable --timeout 600 -p no:randomly

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --strict examples
	$(BIN)/lint-imports

# Read it with `python3 -m http.server --directory build/site`; pages open from the disk, too.
docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	! grep -rE '<(script|link|img|iframe)[^>]*(src|href)="(https?:)?//' build/site --include='*.html'

$(STAMP): pyproject.toml livefacs/data/models.json
	$(PYTHON) -c "import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else 'livefacs needs Python 3.11 or newer, this is %d.%d: make PYTHON=python3.12' % v[:2])"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"  # the first that knows --group
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group test --group lint --group bench
	touch $(STAMP)

clean:
	rm -rf $(VENV)
