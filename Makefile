# `make demo` and `make check` need Python 3.11 or later and nothing else: the first use of a target sets up .venv here.
# Another Python: make PYTHON=python3.13 …

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
BIN := .venv/bin
# Tests that need the reference data run where these lie beside the checkout, and are skipped elsewhere.
export REFERENCE_DATA ?= $(wildcard ../shared/data)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Tests on Spark have their own call, of one process: each would start a cluster. Without Java they are skipped.
SPARK := $(BIN)/python -m pytest -n 0 -q tests/engine -m
WITH_SPARK := $(if $(shell command -v java),.venv-spark/.made)
PYTEST := $(BIN)/python -m pytest -m "not spark" -q

.PHONY: help demo test test-spark check reliability bench bench-detection bench-peers bench-scale relations rooms pins clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo    make an hour of records, run the whole job on it, show what it finds'
	@echo 'make test    all tests'
	@echo 'make test-spark  all conformance tests on a Spark cluster of this machine; needs Java 17'
	@echo 'make check   everything CI runs: format, lint, types, SQL, import contract, tests'
	@echo 'make reliability  tests 1 to 26 and 36 of docs/reliability.md in full, and what they saw'
	@echo 'make bench   what it costs, as ratios'
	@echo 'make bench-detection  how good the detectors are, and the peers'
	@echo 'make bench-scale  days of up to 10^9 records on this machine and on a Spark cluster of it, written to docs/scaling.md'
	@echo 'make bench-peers  what others find in the same event files, written to docs/peers.md'
	@echo 'make relations  write docs/relations.md from the comments of the store'
	@echo 'make rooms   draw the picture of the rooms in CONTRIBUTING.md'
	@echo 'make pins    choose the newest versions that pyproject.toml allows, and pin them'
	@echo 'make clean   remove what the targets made, .venv too; var/ stays'

demo: .venv/.runtime
	@$(BIN)/streammetrics demo

test: .venv/.dev $(WITH_SPARK)
	@$(SPARK) "spark and not spark_full"
	@$(PYTEST)

test-spark: .venv/.dev .venv-spark/.made
	@SPARK_FULL=1 $(SPARK) spark

check: .venv/.dev $(WITH_SPARK)
	$(BIN)/python -m ruff format --check --quiet .
	$(BIN)/python -m ruff check --quiet .
	$(BIN)/python -m mypy
	$(BIN)/python -m sqlfluff lint --disable-progress-bar sql bench
	$(BIN)/lint-imports --no-cache
	$(SPARK) "spark and not spark_full"
	$(PYTEST)

reliability: .venv/.dev
	@RELIABILITY_FULL=1 $(BIN)/python -m pytest -m reliability -q tests/reliability tests/query/test_publish.py

bench: .venv/.dev
	@$(BIN)/python -m bench

relations: .venv/.dev
	@$(BIN)/python -m tests.relations_page > docs/relations.md

rooms: .venv/.dev
	@$(BIN)/python -m tests.rooms_page

bench-detection: .venv/.dev .venv-bench/.made
	@$(BIN)/python -m bench.detection $(FAMILIES)

bench-peers: .venv/.dev .venv-bench/.made .venv-peers/.made
	@$(BIN)/python -m bench.peers

bench-scale: .venv/.dev .venv-spark/.made
	@$(BIN)/python -m bench.scale

# apache-otava pins a numpy of its own, so that peers from PyPI live apart from what is ours. gbstats needs numpy and pandas below
# 2, which PyPI has ready for Python 3.11 and not for later ones.
.venv-bench/.made: requirements-bench.txt | .venv/.made
	$(BIN)/python -m venv .venv-bench
	.venv-bench/bin/python -m pip --disable-pip-version-check --quiet install --requirement requirements-bench.txt
	@touch $@

.venv-spark/.made: requirements-spark.txt | .venv/.made
	$(BIN)/python -m venv .venv-spark
	.venv-spark/bin/python -m pip --disable-pip-version-check --quiet install --requirement requirements-spark.txt
	@touch $@

.venv-peers/.made: requirements-peers.txt | .venv/.made
	$(BIN)/python -m venv .venv-peers
	.venv-peers/bin/python -m pip --disable-pip-version-check --quiet install --requirement requirements-peers.txt
	@touch $@

.venv/.made:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'make: Python 3.11 or later is needed; name one with PYTHON=/path/to/python3' >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo 'make: $(PYTHON) lacks its venv module; on Debian or Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	"$(PYTHON)" -m venv .venv
	@touch $@

.venv/.runtime: requirements.txt pyproject.toml | .venv/.made
	$(PIP) install --requirement requirements.txt
	$(PIP) install --no-deps --editable .
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	$(PIP) install --requirement requirements-dev.txt
	@touch $@

# In an environment of its own: first what the package needs, then what developing it needs on top.
pins:
	rm -rf .venv-pins
	"$(PYTHON)" -m venv .venv-pins
	.venv-pins/bin/python -m pip --disable-pip-version-check --quiet install .
	{ echo '# What running needs. Made by `make pins` from the ranges in pyproject.toml; not edited by hand.'; \
		.venv-pins/bin/python -m pip freeze --exclude streammetrics; } > requirements.txt
	.venv-pins/bin/python -m pip --disable-pip-version-check --quiet install --constraint requirements.txt '.[dev]'
	{ echo '# What developing needs on top. Made by `make pins` from the ranges in pyproject.toml; not edited by hand.'; \
		echo '-r requirements.txt'; \
		.venv-pins/bin/python -m pip freeze --exclude streammetrics | grep -vxFf requirements.txt; } > requirements-dev.txt
	rm -rf .venv-pins
	"$(PYTHON)" -m venv .venv-pins
	.venv-pins/bin/python -m pip --disable-pip-version-check --quiet install apache-otava savvi matplotlib polars
	{ echo '# Peers of `make bench-detection` and `make bench-peers`, in an environment of their own. Made by `make pins`; not edited by hand.'; \
		echo '# savvi imports matplotlib and does not say so.'; \
		.venv-pins/bin/python -m pip freeze; } > requirements-bench.txt
	rm -rf .venv-pins
	"$(PYTHON)" -m venv .venv-pins
	.venv-pins/bin/python -m pip --disable-pip-version-check --quiet install elastalert2 gbstats polars
	{ echo '# The Spark cluster of tests, in an environment of its own. Made by `make pins`; not edited by hand.'; \
		echo 'pyspark==4.3.0'; echo 'py4j==0.10.9.9'; } > requirements-spark.txt
	{ echo '# Peers of `make bench-peers` that fit neither, in an environment of their own. Made by `make pins`; not edited by hand.'; \
		.venv-pins/bin/python -m pip freeze; } > requirements-peers.txt
	rm -rf .venv-pins

clean:
	rm -rf .venv .venv-bench .venv-peers .venv-pins .venv-spark build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
