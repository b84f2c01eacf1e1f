# The tasks of the project. `make` lists them.
PYTHON ?= $(if $(VIRTUAL_ENV),python3,$(if $(wildcard .venv/bin/python),.venv/bin/python,python3))
CLANG_FORMAT ?= clang-format-14
FUZZ_CXX ?= clang++-14
FUZZ_SECONDS ?= 20
BUILD := build/dev
export PYTHONPATH := $(CURDIR)

.DEFAULT_GOAL := help
.PHONY: help build test core-test fuzz lint format types layers schemas formats-page demo bench ci clean

help: ## list the tasks
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

build: ## compile the kernels into rapideval/ (incremental)
	@cmake -S core -B $(BUILD) -G Ninja -DRAPIDEVAL_INPLACE=ON -DPython_EXECUTABLE=$$($(PYTHON) -c 'import sys; print(sys.executable)') > /dev/null
	cmake --build $(BUILD)

test: build ## run the Python tests
	$(PYTHON) -m pytest -n auto -q

core-test: ## run the C++ tests under AddressSanitizer and UBSan
	@cmake -S core -B build/sanitize -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DRAPIDEVAL_PYTHON=OFF -DRAPIDEVAL_TESTS=ON -DRAPIDEVAL_SANITIZE=ON > /dev/null
	cmake --build build/sanitize
	build/sanitize/core_tests

fuzz: ## run every fuzzer for FUZZ_SECONDS under the same sanitizers (clang's libFuzzer)
	@cmake -S core -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=$(FUZZ_CXX) -DCMAKE_BUILD_TYPE=RelWithDebInfo -DRAPIDEVAL_PYTHON=OFF -DRAPIDEVAL_FUZZERS=ON -DRAPIDEVAL_SANITIZE=ON > /dev/null
	cmake --build build/fuzz
	@set -e; for source in $(wildcard core/fuzz/*.cpp); do \
	  name=$$(basename $$source .cpp); found=build/fuzz/found/$$name; seeds=core/fuzz/seeds/$$name; \
	  mkdir -p $$found; [ -d $$seeds ] || seeds=; \
	  echo "$$name for $(FUZZ_SECONDS) s"; \
	  build/fuzz/$$name -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=build/fuzz/$$name- $$found $$seeds; \
	done

lint: ## ruff and clang-format: nothing is changed
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	find core -name '*.[ch]pp' | xargs $(CLANG_FORMAT) --dry-run --Werror

format: ## mend what ruff and clang-format can
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .
	find core -name '*.[ch]pp' | xargs $(CLANG_FORMAT) -i

types: ## mypy, strict
	$(PYTHON) -m mypy

layers: ## imports run downwards only
	$(PYTHON) -c 'import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())'

schemas: ## write the JSON Schemas of all documents anew, from their types
	$(PYTHON) -m rapideval schema --write schemas

formats-page: ## write docs/formats.md anew, from what the formats declare
	$(PYTHON) -m rapideval formats --markdown > docs/formats.md

demo: ## run the demo
	$(PYTHON) -m rapideval demo

bench: build ## rapideval and its peers side by side
	$(PYTHON) -m benchmarks

ci: ## everything that must hold before a change is kept
	bash .ci/run

clean: ## remove what was built
	rm -rf build rapideval/_core*.so
