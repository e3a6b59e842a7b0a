# What one does with this repository; `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help install install-dev serve check rules types tools compiled test test-fast test-llm cases faults injection hostile kills soak tenants widget browser screenshots bench yardsticks yardsticks-baseline train-reader train-checker encoder-network calibrate-reader calibrate-checker report-screenshot lock wheel docker-check clean
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV ?= .venv
PYTHON ?= python3
# SLIM=1: install without torch and what goes with it; what ships works, models by name and training do not.
SLIM ?=
# Where `make serve` listens: make serve HOST=… PORT=…, else QA_HOST and QA_PORT or their defaults. Only from the command
# line: some shells export HOST, and mean the name of the machine.
given = $(if $(filter command line,$(origin $(1))),--$(2) $($(1)))
# Where `make yardsticks` finds the data sets; more words for it: make yardsticks YARDSTICKS="--only news --news 200"
DATA ?= ../shared/data
YARDSTICKS ?=
# Where training keeps its state; more words for it: make train-reader TRAIN="--examples 300000"
TRAINING ?= .cache/training
TRAIN ?=
# Where `make cases` finds its inputs.
CASES ?= ../shared/cases
# Where `make test-llm` keeps its model and the server that runs it.
LLM_CACHE ?= .cache/llm
# How many passages `make bench BENCH=million` makes.
SIZE ?= 1000000
# More words for pytest: make test PYTEST_ARGS="-k chunking"; -n 0 runs one test after the other.
PYTEST_ARGS ?=
export PYTHON
# Tests start hundreds of programs: each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := $(VENV)/bin
SOURCES := qa embeddings prompts seeds scripts tests

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 16

install: ## create .venv and install the locked packages (does nothing when up to date); SLIM=1: without torch and other models
	@scripts/install.sh $(VENV) $(if $(SLIM),requirements-slim.lock,requirements.lock)

install-dev:
	@scripts/install.sh $(VENV) requirements-dev.lock

serve: install ## start the service; puts the sample articles into an empty store first
	@scripts/serve.sh $(VENV) $(call given,HOST,host) $(call given,PORT,port)

check: rules types ## formatting, lint, types, import rules, sizes

rules: install-dev
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_sizes.py qa embeddings prompts seeds

types: install-dev
	$(BIN)/mypy
	$(BIN)/mypy scripts

# What tests need besides packages: most of it is waiting.
tools:
	@scripts/install_browser.sh
	@scripts/install_clients.sh

# Once for all processes that test; it takes half a minute the first time.
compiled: install-dev
	@[ -e $(VENV)/.tests-compiled ] || $(BIN)/pytest -p no:cacheprovider --collect-only -q >/dev/null 2>&1 || true
	@touch $(VENV)/.tests-compiled

test: ## check, then every test
	@$(MAKE) -j 2 check tools compiled
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

test-fast: install-dev ## unit and contract tests alone
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS) tests/unit tests/contracts

widget: ## build qa/widget/dist from its source (needs Node.js)
	@scripts/build_widget.sh

cases: install-dev ## send the small inputs of CASES that once failed; right and wrong, kind by kind
	$(BIN)/python scripts/cases.py $(CASES)

injection: install-dev ## let a model obey every order in all injected documents, not only in those of make test
	INJECTION=full $(BIN)/pytest -q tests/integration/test_injection.py

hostile: install-dev ## read 2,000 damaged files of all kinds, each within 10 s and 512 MB
	HOSTILE_FILES=2000 $(BIN)/pytest --timeout 7200 tests/integration/test_hostile_files.py

kills: install-dev ## kill a service, a worker, PostgreSQL and what keeps conversations 60 times each while articles come and go and encoders are switched; promote replicas; kill what watches 1,400 files: nothing acknowledged is lost (an hour)
	KILLS=60 $(BIN)/pytest -s --timeout 7200 tests/integration/postgres/kills.py
	KILLS=60 $(BIN)/pytest --timeout 7200 tests/integration/test_conversations_kill.py
	WATCHED_FILES=1400 $(BIN)/pytest --timeout 7200 tests/integration/sources/test_watch.py -k killed

soak: install-dev ## the long forms of what holds for both stores: 100 histories, 80,000 upserts by 24 writers, four services asked alike, all sample questions with the reader that ships; and 480 claims, true and falsified (an hour)
	HISTORIES=100 POSTGRES_HISTORIES=100 $(BIN)/pytest --timeout 7200 tests/contracts/test_corpus_stateful.py
	UPSERTS=20000 $(BIN)/pytest -s --timeout 7200 tests/integration/postgres/upserts.py
	SEED_READER= SEED_QUESTIONS=1 $(BIN)/pytest --timeout 7200 tests/integration/postgres/test_seed_questions.py
	CLAIMS=240 $(BIN)/pytest --timeout 7200 tests/integration/test_claim_mutations.py

tenants: install-dev ## let two tenants act at random beside each other, 2,000 times over each store: neither may learn of the other (two hours)
	TENANTS=2000 $(BIN)/pytest --timeout 7200 tests/integration/server/test_http_tenants.py

test-llm: install-dev ## the tests that need a real language model; fetches one (1.1 GB) into LLM_CACHE
	$(BIN)/python scripts/fetch_llm.py $(LLM_CACHE)
	LLM_FOLDER=$(abspath $(LLM_CACHE)) $(BIN)/pytest -m llm tests/e2e/test_real_model.py

faults: install-dev ## every fault of a model x streamed or not x 20 seeds, and 200 readers who leave (ten minutes)
	FAULT_SEEDS=20 FAULT_READERS=200 $(BIN)/pytest --timeout 3600 tests/integration/server/test_http_model_faults.py

browser: install-dev ## the tests of the chat in a browser, the long form
	@scripts/install_browser.sh
	LONG=1 $(BIN)/pytest $(PYTEST_ARGS) tests/e2e/browser

screenshots: install-dev ## take the pictures of README and docs/ anew (look at them before committing)
	@scripts/install_browser.sh
	$(BIN)/pytest -q tests/e2e/browser/screenshots.py

bench: install-dev ## measure speed and quality; one JSON report each in reports/bench/ (BENCH="sentences parity" for some; BENCH=table: the peers, too, AGAINST=CHECKOUT; BENCH=million SIZE=1000000: a large store)
	@SIZE=$(SIZE) scripts/bench.sh $(VENV) $(BENCH)

yardsticks: install-dev ## quality on the data sets of DATA, in one table in reports/yardsticks/ (half an hour, then less)
	$(BIN)/python -m qa.evaluation.benchmarks.suite --data $(DATA) $(YARDSTICKS)

yardsticks-baseline: install-dev ## take what the tests measure as the new baseline of the gate
	$(BIN)/python -m qa.evaluation.benchmarks.suite --data $(DATA) --baseline tests/yardsticks/baseline.json

train-reader: install-dev ## train the reader on DATA/reader, export it to qa/reading/weights, calibrate it (two hours; goes on where it stopped)
	$(BIN)/python -m qa.training.train_reader --data $(DATA)/reader --out $(TRAINING)/reader $(TRAIN)
	$(BIN)/python -m qa.training.ship reader --data $(DATA)/reader --from $(TRAINING)/reader/model --out qa/reading/weights

train-checker: install-dev ## train the support checker on DATA, from the shipped reader; export it to qa/grounding/weights, calibrate it (two hours; goes on where it stopped)
	$(BIN)/python -m qa.training.export --from qa/reading/weights/reader.onnx --out $(TRAINING)/checker-start
	$(BIN)/python -m qa.training.train_checker --data $(DATA)/support --texts $(DATA)/reader --sets $(DATA)/grounding \
		--made 6000 --asked 4000 --answers 12000 --edited 2000 --short 0.2 --examples 140000 --decay-share 0.5 --learning-rate 2e-4 --frozen 2 \
		--start $(TRAINING)/checker-start --out $(TRAINING)/checker --threads 2 $(TRAIN)
	$(BIN)/python -m qa.training.ship checker --data $(DATA)/support --sets $(DATA)/grounding --from $(TRAINING)/checker --out qa/grounding/weights

encoder-network: install-dev ## quantise the bundled encoder's weights anew (its hash changes: all stores need encoding again)
	$(BIN)/python -m qa.training.ship encoder --out embeddings/encoders/bundled_network

calibrate-reader: install-dev ## fit anew what the reader's log-odds are worth, and where it declines; how passages are ranked stays
	$(BIN)/python -m qa.training.calibrate_reader --data $(DATA)/reader --ranking qa/reading/weights/reader.json \
		--out qa/reading/weights/reader.json

report-screenshot: install-dev ## draw the report's pictures in docs/ anew (needs Chromium)
	@scripts/report_screenshot.sh $(VENV) docs

calibrate-checker: install-dev ## fit anew what the checker's log-odds are worth, and from where a claim is shown
	$(BIN)/python -m qa.training.ship checker --data $(DATA)/support --sets $(DATA)/grounding --out qa/grounding/weights

lock: ## resolve pyproject.toml anew and write requirements*.lock
	@$(PYTHON) scripts/write_locks.py

wheel: install-dev ## build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

docker-check: install-dev ## check Dockerfile and docker-compose.yml (no engine needed)
	$(BIN)/pytest -q tests/architecture/test_container.py
	@if docker compose version >/dev/null 2>&1; then docker compose --profile llm config --quiet && echo "docker compose config: ok"; \
	else echo "docker compose is not installed here: only the structure was checked"; fi

clean: ## remove .venv, caches and build results (keeps data/)
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
