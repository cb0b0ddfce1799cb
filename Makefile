# vpcflow: the two commands are `make demo` and `make test`; each works alone on a fresh clone of Debian 12.
#
#   make demo     the main job on the bundled sample logs; writes a report and says where
#   make test     build everything, C++ and Python tests
#   make bench    benchmarks against yardsticks and peers (PEERS=0 for ours alone, RECORDS=10000000 for the full size)
#   make docs     the site of the documents, build/site/index.html
#   make lint     format, ruff, mypy, who includes whom, the site without warnings
#   make soak     all the long tests with their times: sanitizers, 10,000,000 lines, 2^32 addresses, make fuzz, long Python tests
#   make fuzz     every fuzz target with ASan and UBSan, FUZZ_RUNS executions each (default 100,000; no clang needed)
#   make libfuzzer  the same targets guided by coverage, FUZZ_SECONDS each (default an hour; FUZZ_CXX=clang++-16)
#   make coverage lines and branches of C++ that all the tests and the fuzz targets run (clang and llvm; about 15 minutes)
#   make wheels   a wheel for each of CPython 3.9 to 3.13, repaired, installed into a clean environment and tested there
#   make scale    20 GB of generated logs: flat memory, constant rate (12 GB of disk, some minutes)
#   make pictures the gallery of docs/, the report and the dashboard of README.md, by Chromium and VictoriaMetrics where installed
#   make keys     what a record costs as the number of keys grows; draws docs/explanation/performance-keys.svg
#   SKIP_APT=1    do not install Debian packages

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BUILD := build/cmake
APT := build-essential cmake ninja-build pkg-config python3-venv python3-dev libabsl-dev libre2-dev libxsimd-dev libisal-dev libsimdjson-dev libzstd-dev zlib1g-dev libcurl4-openssl-dev libexpat1-dev libgtest-dev libgmock-dev libbenchmark-dev
JOBS := $(shell nproc)
# Workers of pytest: more than cores, as some of the tests wait.
WORKERS := $(shell expr $(JOBS) + \( $(JOBS) + 1 \) / 2)
SOURCES := $(shell find include src python cmake CMakeLists.txt pyproject.toml -type f -not -name '*.pyc')

.PHONY: demo test bench docs lint lint-python lint-types lint-stubs lint-cpp soak fuzz libfuzzer coverage wheels scale keys pictures clean cpp-build

# -- bootstrap: each step leaves a stamp and is nothing to do the second time

build/.apt: Makefile
	@mkdir -p build
	@missing=""; for p in $(APT); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ] && [ -z "$(SKIP_APT)" ]; then \
	  echo "Installing Debian packages:$$missing"; \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq $$missing >/dev/null; \
	elif [ -n "$$missing" ]; then echo "Not installed, as SKIP_APT asks:$$missing"; fi
	@touch $@

$(VENV)/.made: build/.apt
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --upgrade pip
	@$(BIN)/pip install -q "scikit-build-core>=0.10" "pybind11>=2.13.2"
	@touch $@

# The extension module is built in the tree of the engine and its tests, so that the engine is compiled once.
$(VENV)/.package: $(VENV)/.made $(SOURCES)
	@echo "Building and installing the Python package"
	@$(BIN)/pip install -q --no-build-isolation '.[report]' $(foreach setting,build-dir=$(BUILD) build.targets=_core $(addprefix cmake.define.VPCFLOW_,BUILD_TESTS=ON BUILD_EXAMPLES=ON INSTALL=ON WERROR=ON UNITY=ON),-C $(setting))
	@touch $@

$(VENV)/.test-packages: $(VENV)/.made pyproject.toml
	@echo "Installing the packages that the tests use"
	@$(BIN)/python tools/requirements.py test | $(BIN)/pip install -q -r /dev/stdin
	@touch $@

$(VENV)/.lint-packages: $(VENV)/.made pyproject.toml
	@$(BIN)/python tools/requirements.py lint | $(BIN)/pip install -q -r /dev/stdin
	@touch $@

$(VENV)/.docs-packages: $(VENV)/.made pyproject.toml
	@echo "Installing the packages that make the site"
	@$(BIN)/python tools/requirements.py docs | $(BIN)/pip install -q -r /dev/stdin
	@touch $@

# -- the commands

demo: $(VENV)/.package
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh

cpp-build: $(VENV)/.made
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release -DVPCFLOW_S3=ON -DVPCFLOW_UNITY=ON >/dev/null
	@cmake --build $(BUILD) -j $(JOBS)

build/.servers: tools/servers.sh build/.apt
	@$< build/servers
	@touch $@

test: cpp-build $(VENV)/.package $(VENV)/.test-packages build/.servers
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

bench: $(VENV)/.package
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release -DVPCFLOW_BUILD_BENCH=ON >/dev/null
	@cmake --build $(BUILD) -j $(JOBS)
	@$(BIN)/python bench/run.py --build $(BUILD)
	@$(BIN)/python bench/tables.py $${RECORDS:-1000000}

# The text of the documents is made by tools/generate_docs.py and lies in docs/; MkDocs adds pages of headers and docstrings.
docs: $(VENV)/.docs-packages
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "The site: build/site/index.html"

lint: $(VENV)/.package $(VENV)/.test-packages $(VENV)/.lint-packages $(VENV)/.docs-packages
	@$(MAKE) --no-print-directory -j $(JOBS) --output-sync docs lint-python lint-types lint-stubs lint-cpp

lint-python:
	@$(BIN)/ruff check python tests/python bench examples tools

lint-types:
	@$(BIN)/mypy

lint-stubs:
	@$(BIN)/stubtest vpcflow._core --ignore-positional-only --allowlist tests/python/stubtest_allow.txt

lint-cpp:
	@$(PYTHON) tests/layers/check_includes.py
	@if command -v clang-format >/dev/null; then git ls-files '*.h' '*.cc' | xargs clang-format --dry-run -Werror; else echo "clang-format is not installed: C++ format not checked"; fi

soak: $(VENV)/.package $(VENV)/.test-packages build/.servers
	@tools/servers.sh build/servers all
	@PYTHON=$(BIN)/python BUILD=$(BUILD) JOBS=$(JOBS) tools/soak.sh

# `scans` and `splits` do whole scans in each execution, at a hundredth of the others' rate.
FUZZ_RUNS ?= 100000
FUZZ_TARGETS := lines kernels scalars formats json filters paths gzips records states arrow detections feeds
fuzz: $(VENV)/.made
	@cmake -S . -B build/asan -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DVPCFLOW_SANITIZE=address,undefined -DVPCFLOW_INSTALL=OFF >/dev/null
	@cmake --build build/asan -j $(JOBS) --target vpcflow_fuzz
	@for t in $(FUZZ_TARGETS); do build/asan/tests/vpcflow_fuzz $$t $(FUZZ_RUNS) tests/corpus/regress/* || exit 1; done
	@build/asan/tests/vpcflow_fuzz containers $$(($(FUZZ_RUNS) / 5)) tests/corpus/regress/*
	@build/asan/tests/vpcflow_fuzz splits $$(($(FUZZ_RUNS) / 10)) tests/corpus/regress/*
	@build/asan/tests/vpcflow_fuzz exports $$(($(FUZZ_RUNS) / 20)) tests/corpus/regress/*
	@build/asan/tests/vpcflow_fuzz scans $$(($(FUZZ_RUNS) / 20)) tests/corpus/regress/*

# Coverage-guided, by clang's libFuzzer: FUZZ_SECONDS for each target, what it learns stays in build/fuzz/corpus.
FUZZ_SECONDS ?= 3600
FUZZ_CXX ?= clang++
libfuzzer:
	@cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=$(FUZZ_CXX) -DCMAKE_BUILD_TYPE=RelWithDebInfo -DVPCFLOW_FUZZ=ON -DVPCFLOW_SANITIZE=address,undefined -DVPCFLOW_INSTALL=OFF -DVPCFLOW_BUILD_EXAMPLES=OFF >/dev/null
	@cmake --build build/fuzz -j $(JOBS)
	@build/fuzz/tests/vpcflow_fuzz seeds build/fuzz/corpus
	@ls build/fuzz/corpus | xargs -P $(JOBS) -I{} tools/libfuzzer.sh {} $(FUZZ_SECONDS)

# Lines and branches of the source, as clang counts them: COVERAGE_LLVM is the version of clang++, llvm-profdata, llvm-cov.
COVERAGE_LLVM ?= 16
COVERED := build/coverage/package
coverage: $(VENV)/.test-packages
	@cmake -S . -B build/coverage -G Ninja -DCMAKE_CXX_COMPILER=clang++-$(COVERAGE_LLVM) -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS="-fprofile-instr-generate -fcoverage-mapping -O1 -g0" -DVPCFLOW_WERROR=OFF -DVPCFLOW_INSTALL=OFF -DVPCFLOW_BUILD_EXAMPLES=OFF -DVPCFLOW_BUILD_PYTHON=ON -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python -Dpybind11_DIR=$$($(BIN)/python -m pybind11 --cmakedir) >/dev/null
	@cmake --build build/coverage -j $(JOBS)
	@rm -rf $(COVERED) && mkdir -p $(COVERED) && cp -r python/vpcflow $(COVERED)/ && cp build/coverage/python/_core*.so $(COVERED)/vpcflow/
	@PYTHON=$(CURDIR)/$(BIN)/python tools/coverage.sh build/coverage $(COVERAGE_LLVM)

wheels: build/.apt
	@$(PYTHON) tools/wheels.py $(VERSIONS)

scale: $(VENV)/.package
	@$(BIN)/python bench/scale.py

keys: $(VENV)/.package $(VENV)/.test-packages
	@$(BIN)/python bench/keys.py

pictures: $(VENV)/.package $(VENV)/.test-packages
	@$(BIN)/python tools/pictures.py

clean:
	rm -rf build out $(VENV)
