# One word each: lab, test, check, notebooks, reference, bench, pictures. Works on a fresh Debian with Python 3.11 or newer, as root or with sudo;
# elsewhere install Python's venv module yourself, and name a Chromium by CHROMIUM=path for the browser tests.

PYTHON ?= python3
BIN := .venv/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: lab test check notebooks reference bench pictures clean

lab: .venv/lab                  ## JupyterLab on the first notebook, in a copy of your own
	$(BIN)/cstar-explore lab

test: check chromium            ## everything that has to hold: lint, types, tests, notebooks, browser
	$(BIN)/pytest -q -n auto --maxprocesses 4 --dist loadfile tests --ignore tests/browser
	@cat build/explain-score.txt build/audit-score.txt
	rm -rf build/lessons && $(BIN)/python -m tests.support.lessons build/lessons
	$(BIN)/pytest -q -p no:cacheprovider --nbval --nbval-current-env --nbval-cell-timeout=60 \
		--nbval-sanitize-with tests/nbval_sanitise.cfg build/lessons
	$(BIN)/pytest -q tests/browser

check: .venv/dev                ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

notebooks: .venv/dev            ## run the notebooks and keep their outputs
	$(BIN)/python -m tools.execute_notebooks

reference: .venv/dev            ## write docs/reference.md from the docstrings
	$(BIN)/python -m tests.write_reference

bench: .venv/dev chromium       ## side by side with what people would use otherwise
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks

pictures: .venv/dev chromium    ## take the README's pictures anew
	$(BIN)/python -m tools.take_pictures

clean:                          ## the virtual environment and everything built
	rm -rf .venv build dist

.venv/lab: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/dev: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@ .venv/lab

# Debian splits venv's own pip off into a package.
.venv/bin/python:
	$(PYTHON) -m venv .venv || { rm -rf .venv; $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy python3-venv && $(PYTHON) -m venv .venv; }

.PHONY: chromium
chromium:
	@[ -n "$$CHROMIUM" ] || command -v chromium > /dev/null \
		|| { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy --no-install-recommends chromium fonts-dejavu-core; } \
		|| $(BIN)/playwright install chromium
