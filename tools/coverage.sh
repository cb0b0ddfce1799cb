#!/usr/bin/env bash
# coverage.sh BUILD LLVM_VERSION: runs all tests and fuzz targets of a build with clang's source-based coverage, and prints
# lines and branches by file, then of the core (the header-only rooms) and of the engine. Called by `make coverage`.
set -eu
build=$1 llvm=$2 profiles=$PWD/$1/profiles
rm -rf "$profiles" && mkdir -p "$profiles"
export LLVM_PROFILE_FILE=$profiles/%4m.profraw # runs of the same program add up
"$build/tests/vpcflow_tests" --gtest_brief=1
"$build/tests/vpcflow_faults" --gtest_brief=1
"$build/tests/vpcflow_fuzz" all 1000 tests/corpus/regress/*
PYTHONPATH=$PWD/$build/package "$PYTHON" -m pytest -q -p no:cacheprovider
"llvm-profdata-$llvm" merge -sparse "$profiles"/*.profraw -o "$profiles/all.profdata"
"llvm-cov-$llvm" report "$build/tests/vpcflow_tests" -object "$build/tests/vpcflow_faults" -object "$build/tests/vpcflow_fuzz" \
  -object "$build"/python/_core*.so -instr-profile "$profiles/all.profdata" -ignore-filename-regex='(tests|python/src|/usr|/lib)/' |
  "$PYTHON" tools/coverage_summary.py
