#!/usr/bin/env bash
# The long tests, each with its time: sanitizers, kernels on 10,000,000 lines, all 2^32 addresses, every target of
# `make fuzz`, the Python tests. Called by `make soak`, which names the interpreter, the build folder and the jobs.
set -eu
build() { # FOLDER SANITIZERS
  cmake -S . -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DVPCFLOW_SANITIZE="$2" -DVPCFLOW_FUZZ_RUNS=300 -DVPCFLOW_INSTALL=OFF >/dev/null
  cmake --build "$1" -j "$JOBS" >"$1/build.log" 2>&1 || { tail -n 40 "$1/build.log"; return 1; }
}
step() { # WHAT COMMAND...
  local what=$1 began=$SECONDS log
  shift
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    grep -E '^fuzz |tests passed|PASSED|passed|skipped' "$log" | sed 's/^/    /' || true
    echo "$what: $((SECONDS - began)) s"
  else
    tail -n 60 "$log"
    echo "$what: FAILED after $((SECONDS - began)) s"
    exit 1
  fi
  rm -f "$log"
}
asan() { build build/asan address,undefined && ctest --test-dir build/asan --output-on-failure -j "$JOBS" -LE install; }
tsan() { build build/tsan thread && ctest --test-dir build/tsan --output-on-failure -j "$JOBS" -LE install; }
asserting() {
  cmake -S . -B build/assert -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS="-O1 -D_GLIBCXX_ASSERTIONS" -DVPCFLOW_INSTALL=OFF >/dev/null
  cmake --build build/assert -j "$JOBS" >/dev/null && ctest --test-dir build/assert --output-on-failure -j "$JOBS" -LE install
}
# Of a build without much optimising: with it, gcc tests values before it asks whether they are there.
valgrind_of() {
  command -v valgrind >/dev/null || { echo "valgrind is not installed: skipped"; return 0; }
  valgrind -q --error-exitcode=9 build/assert/tests/vpcflow_fuzz all 1000 tests/corpus/regress/*
}
whole_consumer() {
  cmake -S . -B "$BUILD" -DVPCFLOW_TEST_WHOLE_CONSUMER=ON >/dev/null
  ctest --test-dir "$BUILD" --output-on-failure -R 'install\.add_subdirectory'
}
unit() { "$BUILD/tests/vpcflow_tests" --gtest_brief=1 --gtest_filter="$1"; }

began=$SECONDS
step "ASan and UBSan, all C++ tests" asan
step "TSan, all C++ tests" tsan
step "_GLIBCXX_ASSERTIONS, all C++ tests" asserting
step "a consumer that builds the engine" whole_consumer
step "valgrind, 1,000 inputs for each fuzz target" valgrind_of
make --no-print-directory cpp-build >/dev/null
step "every kernel on 10,000,000 lines" env VPCFLOW_KERNEL_LINES=2500000 "$BUILD/tests/vpcflow_tests" --gtest_brief=1 --gtest_filter='SameKernels.*'
step "10,000,000 questions at rules and ACLs" env VPCFLOW_REACH_SEEDS=100000 "$BUILD/tests/vpcflow_tests" --gtest_brief=1 --gtest_filter='Reach.*'
step "all 2^32 IPv4 addresses by every kernel" env VPCFLOW_IPV4_STEP=1 "$BUILD/tests/vpcflow_tests" --gtest_brief=1 --gtest_filter='Kernels.T6EveryIpv4Address'
step "fuzzing without clang" make --no-print-directory fuzz
step "Python tests, with the long ones" env VPCFLOW_LONG=1 "$PYTHON" -m pytest -q
echo "soak: all of it holds, $((SECONDS - began)) s"
