# Targets: lab, test, nightly, matrix, check, docs, notebooks, bench, mutants, pictures, clean. They work on a fresh Debian with Python 3.11 or newer, as root or with sudo.
# Elsewhere, install Python's venv module and set CHROMIUM to the path of a Chromium.

PYTHON ?= python3
BIN := .venv/bin
# uv installs in a tenth of pip's time. It does not read pip's settings, such as the address of another index; pip does.
INSTALL = @echo 'Installing packages, about half a minute the first time …'; \
	$(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt -e '.$(EXTRAS)' \
	|| $(BIN)/pip install -c constraints.txt -e '.$(EXTRAS)'
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# Types are checked while the browsers are installed.
MAKEFLAGS += --jobs=2

.PHONY: lab test nightly matrix check docs notebooks bench mutants pictures clean

lab: .venv/lab                  ## Open JupyterLab on the first lesson, in your own copy
	@$(BIN)/cstar-explore lab

# One more than there are processors, as many tests wait; five at most.
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$(((n < 4 ? n : 4) + 1)))

test: check browsers            ## Run all checks: lint, types, tests, docs, notebooks, browser
	$(BIN)/pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder tests README.md docs --ignore tests/browser
	@cat build/explain-score.txt build/audit-score.txt
	rm -rf build/lessons && $(BIN)/python -m tests.support.lessons build/lessons
	$(BIN)/pytest -q -n $(WORKERS) --dist loadfile -p no:cacheprovider --nbval --nbval-current-env --nbval-cell-timeout=60 \
		--nbval-sanitize-with tests/nbval_sanitise.cfg build/lessons
	$(BIN)/pytest -q -n 2 --dist loadfile tests/browser

nightly: .venv/dev browsers     ## Run the long tests whole: every cell of the fault matrix, many more generated inputs
	! command -v npm > /dev/null || npm ci --prefix tests/receivers/languages/node --no-audit --no-fund
	NIGHTLY=1 FUZZ_EXAMPLES=1000 $(BIN)/pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder tests \
		--ignore tests/browser --ignore tests/probing
	NIGHTLY=1 $(BIN)/pytest -q tests/probing tests/browser  # one at a time: probes measure seconds

matrix:                         ## Run the central tests on each Python, with the newest and oldest dependencies
	nice -n 10 $(PYTHON) -m tools.matrix $(PYTHONS)

check: .venv/dev                ## Check lint, format, types and imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/dev                 ## Build the documentation into build/docs
	$(BIN)/sphinx-build -q -E -W --keep-going -b html docs build/docs

notebooks: .venv/dev            ## Execute the notebooks and store their outputs
	$(BIN)/python -m tools.execute_notebooks

bench: private EXTRAS = [bench]
bench: .venv/dev browsers       ## Measure against other libraries
	$(INSTALL)
	$(BIN)/python -m benchmarks

mutants: private EXTRAS = [mutants]
mutants: .venv/dev              ## Change three packages in small ways, and list the changes that no test notices
	$(INSTALL)
	rm -rf mutants && nice -n 10 $(BIN)/python -m tools.mutants

pictures: .venv/dev browsers    ## Take the screenshots of the README and the docs
	$(BIN)/python -m tools.take_pictures

clean:                          ## Delete the virtual environment and everything built
	rm -rf .venv build dist mutants

.venv/lab: pyproject.toml constraints.txt | .venv/bin/uv
	$(INSTALL)
	@touch $@

.venv/dev: private EXTRAS = [dev,docs]
.venv/dev: pyproject.toml constraints.txt | .venv/bin/uv
	$(INSTALL)
	@touch $@ .venv/lab

.venv/bin/uv: | .venv/bin/python
	@$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt uv

# On Debian, venv needs the package python3-venv.
.venv/bin/python:
	@echo "Creating a virtual environment in .venv …"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy python3-venv && $(PYTHON) -m venv .venv; }

# The packages of Debian that are missing, in one installation. Without apt, Playwright's Chromium.
NODE := tests/browser/node
MISSING = $(if $(CHROMIUM)$(shell command -v chromium),,chromium fonts-dejavu-core) \
	$(if $(shell command -v firefox-esr || command -v firefox),,firefox-esr) $(if $(shell command -v npm),,nodejs npm)

.PHONY: browsers
browsers: $(NODE)/node_modules  ## Install what the browser tests need

$(NODE)/node_modules: $(NODE)/package-lock.json | packages
	@npm ci --prefix $(NODE) --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: packages
packages:
	@[ -z "$(strip $(MISSING))" ] || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy --no-install-recommends $(MISSING); } \
		|| $(BIN)/playwright install chromium
