# Needs Python 3.11 or newer with pip and venv, and make; nothing else.
#
#   make demo     set up, then run the service in sandbox mode      (PORT=8080)
#   make test     set up, then run the whole test suite             (ARGS="-k kidney")
#   make check    every check that a change must pass; runs all of them and counts the failures
#   make fuzz     search for hostile requests and broken properties twenty times as long as the tests do (PROPERTY_SEARCH=20)
#   make content  write the generated documents anew: clinical content, conformance
#   make pictures draw the pictures of the README anew (needs Chromium)
#   make bench    measure the speed against its yardsticks
#   make bench-full  the same and all else that is measured, over HTTP: benchmarks/RESULTS.md (a quarter of an hour)
#   make soak     ten minutes beside a FHIR server that fails       (SECONDS=60)
#   make lock     renew the lock files after a change of the dependencies in pyproject.toml
#   make clean    remove what the others made

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check fuzz content pictures bench bench-full soak lock clean

PORT ?= 8080
SECONDS ?= 600
PROPERTY_SEARCH ?= 20
ARGS ?=
VENV ?= .venv
PY   := $(VENV)/bin/python
PIP  := $(PY) -m pip --disable-pip-version-check --no-input install --quiet

MADE     := $(VENV)/.made
FOR_DEMO := $(VENV)/.for-demo
FOR_TEST := $(VENV)/.for-test

help:
	@sed -n '3,/^$$/s/^#  *//p' Makefile

demo: $(FOR_DEMO)
	@echo
	@echo 'Workbench  http://127.0.0.1:$(PORT)/workbench           play the EHR: pick a patient, sign a baclofen order'
	@echo 'Discovery  http://127.0.0.1:$(PORT)/cds-services        (another port: make demo PORT=9000; Ctrl-C stops)'
	@echo 'Try it     curl -s http://127.0.0.1:$(PORT)/cds-services/baclofen-safety -H "Content-Type: application/json" -d @$(EXAMPLE)'
	@echo
	@exec $(VENV)/bin/baclofen-cds serve --sandbox --port $(PORT)

EXAMPLE := fixtures/requests/patients/synthea-isaiah-schaden.json

test: $(FOR_TEST)
	@$(PY) -m pytest $(ARGS)

fuzz: $(FOR_TEST)
	@PROPERTY_SEARCH=$(PROPERTY_SEARCH) $(PY) -m pytest -q tests/properties $(ARGS)

content: $(FOR_TEST)
	@$(VENV)/bin/baclofen-cds content --unversioned > docs/clinical-content.new
	@mv docs/clinical-content.new docs/clinical-content.md
	@$(PY) -m tests.conformance.coverage > docs/conformance.new
	@mv docs/conformance.new docs/conformance.md

pictures: $(FOR_TEST)
	@$(PY) -m tests.e2e.pictures

bench: $(FOR_TEST)
	@$(PY) -m benchmarks.speed $(ARGS)

bench-full: $(FOR_TEST)
	@$(PY) -m benchmarks.full

soak: $(FOR_TEST)
	@$(PY) -m benchmarks.soak --seconds $(SECONDS) $(ARGS)

check: $(FOR_TEST)
	@failed=0; \
	run() { name=$$1; shift; printf '\n=== %s\n' "$$name"; "$$@" || { failed=$$((failed + 1)); echo "=== $$name: failed"; }; }; \
	run 'format'             $(PY) -m ruff format --check . ; \
	run 'style'              $(PY) -m ruff check . ; \
	run 'types'              $(PY) -m mypy ; \
	run 'layers'             $(VENV)/bin/lint-imports ; \
	run 'architecture tests' $(PY) -m pytest -q tests/architecture ; \
	run 'all other tests'    $(PY) -m pytest -q --ignore=tests/architecture ; \
	printf '\n%s of 6 checks failed\n' "$$failed"; \
	test "$$failed" -eq 0

# ------------------------------------------------------------------------------------------------------------- set-up
# Stamp files: a second run starts at once, a changed lock or pyproject installs again.

$(FOR_DEMO): $(MADE) requirements.lock requirements-build.lock pyproject.toml
	@echo 'Installing the locked libraries (half a minute the first time) ...'
	@$(PIP) --require-hashes -r requirements.lock -r requirements-build.lock
	@echo 'Installing Baclofen CDS ...'
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(FOR_TEST): $(MADE) requirements-dev.lock pyproject.toml
	@echo 'Installing the locked libraries and test tools (a minute the first time) ...'
	@$(PIP) --require-hashes -r requirements-dev.lock
	@echo 'Installing Baclofen CDS ...'
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(MADE):
	@for python in $(PYTHON) python3 python3.11 python3.12 python3.13 python3.14 python; do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	    python=; \
	done; \
	if [ -z "$$python" ]; then \
	    echo 'No Python 3.11 or newer on the PATH. Install one, or name it: make test PYTHON=/path/to/python3.11' >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$python ($$("$$python" -c 'import platform; print(platform.python_version())')) ..."; \
	rm -rf $(VENV); \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); \
	    echo 'Python has no working venv and pip. On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@touch $@

# ---------------------------------------------------------------------------------------------------------- locks
# docs/decisions/0001-lock-files.md: pins and hashes only, no address of any package index.

LOCK = build/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
       --no-emit-index-url --custom-compile-command 'make lock'

lock: $(MADE)
	@$(PY) -m venv build/uv
	@build/uv/bin/python -m pip --disable-pip-version-check --no-input install --quiet uv
	@$(LOCK) --output-file requirements-dev.lock --all-extras --group build --group dev pyproject.toml
	@$(LOCK) --output-file requirements.lock --constraints requirements-dev.lock --extra insights pyproject.toml
	@$(LOCK) --output-file requirements-build.lock --constraints requirements-dev.lock --group build
	@! grep -n '://' requirements*.lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
