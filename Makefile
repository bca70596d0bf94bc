# Everything sets itself up; a second time costs nothing. Needs Python >= 3.11, git, and Go or an `opa` on the PATH.

PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := pip install --quiet --disable-pip-version-check
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate

# Every test process would compile our sources anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup installed chromium dev demo test lint gen docs bench bite soak spark spark-bench languages authzen resolution lowest systemd-analyze ops lock clean

help:
	@echo "make demo    the story of one export, on real parts"
	@echo "make dev     a decision point on this machine, until Ctrl-C"
	@echo "make test    lint, types, Rego tests, all tests (make lint: the first two)"
	@echo "make test T=pdp/workflow   only the tests of one folder or file below tests/"
	@echo "make gen     what is generated: pdp/v1, docs/reference, the links of docs/guarantees.md"
	@echo "make docs    the documents as a site in build/site; not part of make test"
	@echo "make bench   decisions and masked values per second; not part of make test"
	@echo "make bite    take each safeguard out and see its test fail; not part of make test"
	@echo "make soak    the fault and race tests, broken Arrow and odd files, fifty rounds, then a fuzzer; not part of make test"
	@echo "make spark   masks on a real Spark cluster of this machine: two versions of Spark, executors of their own"
	@echo "make spark-bench  what masks cost on that cluster, beside what Spark itself offers; not part of make test"
	@echo "make languages  builds and tests the clients in other languages, where their tools are; not part of make test"
	@echo "make authzen  the OpenID certification scenario of AuthZEN against a decision point; not part of make test"
	@echo "make resolution  the client and the guard beside the newest frameworks for agents; needs the package index"
	@echo "make ops     what is in ops/: images, units, charts and a backup, by tools that it builds; not part of make test"
	@echo "make lowest  the demo on the lowest version of each package that pyproject.toml allows; needs the package index"
	@echo "make lock    the newest versions that pyproject.toml allows"
	@echo "make setup   what all of these need; make clean removes it"

setup: installed .venv-gen/.installed chromium

# The tests read the inbox's pages in a real browser.
chromium:
	@command -v chromium-headless-shell > /dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		echo "installing chromium-headless-shell by apt-get: a minute, once"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium-headless-shell > /dev/null \
		|| command -v chromium > /dev/null \
		|| echo "it could not be installed; the tests of the pages need it: apt-get install chromium-headless-shell"; \
	else command -v chromium > /dev/null \
		|| echo "the tests of the pages need a browser; run as root: apt-get install chromium-headless-shell"; fi

# The tool cache is outside this folder and may be emptied at any time, so OPA is looked for each time.
installed: $(BIN)/pdp
	@$(BIN)/python -m pdp.process.toolcache > /dev/null

$(BIN)/pdp: .venv/.installed pyproject.toml
	@$(BIN)/$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python >= 3.11 is needed: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "installing $< into .venv: about a minute, once"
	@$(PYTHON) -m venv .venv
	@$(BIN)/$(PIP_INSTALL) --require-hashes --requirement $<
	@touch $@

.venv-gen/.installed: requirements-gen.lock
	@echo "installing $< into .venv-gen: a few seconds, once"
	@$(PYTHON) -m venv --clear .venv-gen
	@.venv-gen/bin/$(PIP_INSTALL) --require-hashes --requirement $<
	@touch $@

.venv-bench/.installed: requirements-bench.lock
	@echo "installing $< into .venv-bench: half a minute, once"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/$(PIP_INSTALL) --require-hashes --requirement $<
	@touch $@

.venv-soak/.installed: requirements-soak.lock
	@echo "installing $< into .venv-soak: a few seconds, once"
	@$(PYTHON) -m venv .venv-soak
	@.venv-soak/bin/$(PIP_INSTALL) --require-hashes --requirement $<
	@touch $@

.venv-spark/.installed .venv-spark35/.installed: .venv-%/.installed: requirements-%.lock
	@echo "installing $< into .venv-$*: two minutes, once"
	@$(PYTHON) -m venv .venv-$*
	@.venv-$*/bin/$(PIP_INSTALL) --require-hashes --requirement $<
	@touch $@

.venv-ops/.installed: requirements-ops.lock
	@echo "installing $< into .venv-ops: a few seconds, once"
	@$(PYTHON) -m venv .venv-ops
	@.venv-ops/bin/$(PIP_INSTALL) --require-hashes --requirement $<
	@touch $@

.venv-docs/.installed: requirements-docs.lock
	@echo "installing $< into .venv-docs: a few seconds, once"
	@$(PYTHON) -m venv .venv-docs
	@.venv-docs/bin/$(PIP_INSTALL) --require-hashes --requirement $<
	@touch $@

dev: installed
	@$(BIN)/pdp dev

demo: installed
	@$(BIN)/pdp demo

# T=pdp/workflow runs what is below tests/pdp/workflow, without lint; a single file needs no workers.
test: $(if $(T),setup,lint)
	$(if $(T),,$(BIN)/pdp policy test --core --coverage 100 > /dev/null)
	$(BIN)/pytest -n $(if $(filter %.py,$(T)),0,3) $(T:%=tests/%) || $(if $(T),false,{ [ $$? -eq 1 ] && $(BIN)/python -m tests.again; })

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy tools/contract.py tools/guarantees.py tools/reference.py tools/site.py
	$(BIN)/mypy examples/*/*.py
	$(BIN)/python tools/contract.py
	$(BIN)/python tools/reference.py --check
	$(BIN)/pdp policy check

gen: setup
	rm -f pdp/v1/*_pb2*
	$(BIN)/buf generate
	$(BIN)/python tools/reference.py
	$(BIN)/python tools/guarantees.py
	$(if $(shell command -v go),cd clients/go && PROTOC=$(CURDIR)/.venv-gen/bin/python-grpc-tools-protoc sh generate.sh,@echo "clients/go: not generated, for lack of go")

docs: .venv-docs/.installed
	@$(PYTHON) tools/site.py .venv-docs/bin/zensical

bench: setup .venv-bench/.installed
	$(BIN)/python -m tests.bench

# T=test_types.py runs one file.
spark: setup .venv-spark/.installed .venv-spark35/.installed
	$(BIN)/python -m tests.spark $(T)

PACKAGES = $(wildcard $(CURDIR)/$(1)/lib/python*/site-packages)
spark-bench: setup .venv-spark/.installed .venv-bench/.installed
	PYTHONPATH=$(call PACKAGES,.venv-spark):$(call PACKAGES,.venv-bench) $(BIN)/python -m tests.bench.spark

languages: setup
	$(BIN)/pdp dev -- $(BIN)/python -m tests.languages

authzen: setup
	$(BIN)/pdp dev --policy tests/cases/authzen/scenario -- $(BIN)/python -m tests.authzen

# systemd's own check of units.
systemd-analyze:
	@command -v systemd-analyze > /dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends systemd > /dev/null; \
	else echo "make ops needs systemd-analyze; run as root: apt-get install systemd"; fi

ops: setup .venv-ops/.installed systemd-analyze
	$(BIN)/python -m tests.ops

resolution: setup
	$(BIN)/pdp dev -- $(BIN)/python -m tests.resolution

# SECONDS of fuzzing come on top. The fuzzer runs on our own packages; without the compiler it sees into the kernels.
SECONDS ?= 600
soak: setup .venv-soak/.installed
	$(BIN)/pytest tests/e2e tests/pdp/arrow/test_hostile.py tests/fuzz tests/masker/arrow/test_corpus_of_tools.py --rounds 50 --timeout 0
	NUMBA_DISABLE_JIT=1 PYTHONPATH=$$(echo .venv-soak/lib/python*/site-packages) $(BIN)/python -m tests.fuzz $(SECONDS)

lowest: setup
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/lowest
	$(BIN)/uv pip install --quiet --python build/lowest/bin/python --resolution lowest-direct ".[server,mask,lineage,inbox,otel,mongod]"
	cd build/lowest && bin/pdp demo

bite: setup
	$(BIN)/python -m tests.bite

lock: setup
	$(BIN)/uv pip compile --upgrade $(LOCK) --extra server --extra mask --extra lineage --extra inbox --extra suggest --extra otel --extra mongod --group dev -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile --upgrade $(LOCK) --group gen -o requirements-gen.lock
	$(BIN)/uv pip compile --upgrade $(LOCK) --group bench -o requirements-bench.lock
	$(BIN)/uv pip compile --upgrade $(LOCK) --group soak -o requirements-soak.lock
	$(BIN)/uv pip compile --upgrade $(LOCK) --constraint requirements.lock --group spark -o requirements-spark.lock
	$(BIN)/uv pip compile --upgrade $(LOCK) --constraint requirements.lock --group spark35 -o requirements-spark35.lock
	$(BIN)/uv pip compile --upgrade $(LOCK) --group docs -o requirements-docs.lock
	$(BIN)/uv pip compile --upgrade $(LOCK) --group ops -o requirements-ops.lock
	$(BIN)/uv pip compile $(LOCK) --constraint requirements.lock --extra server --group image -o ops/requirements-server.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCK) --constraint requirements.lock --extra server --extra mask --extra lineage --group image -o ops/requirements-server-mask.lock pyproject.toml

clean:
	rm -rf .venv .venv-gen .venv-bench .venv-soak .venv-spark .venv-spark35 .venv-docs .venv-ops .placet .cache build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
