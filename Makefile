# The tasks of the project. `make` lists them.
PYTHON ?= python3
BUILD := build/dev

.DEFAULT_GOAL := help
.PHONY: help build test core-test lint types layers bench clean

help: ## list the tasks
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

build: ## compile the kernels into rapideval/ (incremental)
	@cmake -S core -B $(BUILD) -G Ninja -DRAPIDEVAL_INPLACE=ON -DPython_EXECUTABLE=$$($(PYTHON) -c 'import sys; print(sys.executable)') > /dev/null
	cmake --build $(BUILD)

test: build ## run the Python tests
	PYTHONPATH=. $(PYTHON) -m pytest -n auto -q

core-test: ## run the C++ tests under AddressSanitizer and UBSan
	@cmake -S core -B build/sanitize -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DRAPIDEVAL_PYTHON=OFF -DRAPIDEVAL_TESTS=ON -DRAPIDEVAL_SANITIZE=ON > /dev/null
	cmake --build build/sanitize
	build/sanitize/core_tests

lint: ## ruff: lint and format
	ruff check .
	ruff format --check .

types: ## mypy, strict
	$(PYTHON) -m mypy

layers: ## imports run downwards only
	PYTHONPATH=. lint-imports

bench: build ## rapideval and its peers side by side
	PYTHONPATH=. $(PYTHON) -m benchmarks

clean: ## remove what was built
	rm -rf build rapideval/_core*.so
