#!/usr/bin/env bash
# check.sh find_package|pkg_config|add_subdirectory|core SOURCE_DIR BUILD_DIR WHOLE: builds examples/cpp/consumer from
# outside and runs it on the bundled sample; `core` is a program that has the installed headers, and no library. With
# WHOLE=OFF, add_subdirectory compiles the consumer alone.
set -euo pipefail
how=$1 source=$2 build=$3 whole=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$source/examples/cpp/consumer" "$work/consumer"
sample="$source/examples/data/sample.log.gz"
case $how in
  find_package)
    cmake --install "$build" --prefix "$work/prefix" >/dev/null
    cmake -S "$work/consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
    cmake --build "$work/build" >/dev/null
    "$work/build/consumer" "$sample" ;;
  pkg_config)
    cmake --install "$build" --prefix "$work/prefix" >/dev/null
    # The package says where it is installed; it is here under another prefix.
    pc=$(find "$work/prefix" -name vpcflow.pc)
    flags=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$work/prefix" --cflags --libs vpcflow)
    c++ -std=c++20 -O1 "$work/consumer/consumer.cc" -o "$work/consumer/run" $flags
    "$work/consumer/run" "$sample" ;;
  add_subdirectory)
    cmake -S "$work/consumer" -B "$work/build" -G Ninja -DVPCFLOW_SOURCE_DIR="$source" -DCMAKE_BUILD_TYPE=Debug >/dev/null
    if [ "$whole" = ON ]; then
      cmake --build "$work/build" >/dev/null
      "$work/build/consumer" "$sample"
    else
      cmake --build "$work/build" --target CMakeFiles/consumer.dir/consumer.cc.o >/dev/null
    fi
    # To a file first: under pipefail, a grep that stops at its first match makes the writer of a long list fail.
    ninja -C "$work/build" -t targets all >"$work/targets"
    grep -q 'vpcflow/libvpcflow' "$work/targets" || { echo "the engine is no target of the consumer"; exit 1; }
    if grep -q vpcflow_tests "$work/targets" || [ -n "$(find "$work/build" -name 'vpcflow_tests*')" ]; then echo "tests were built in a consumer"; exit 1; fi ;;
  core)
    cmake --install "$build" --prefix "$work/prefix" >/dev/null
    c++ -std=c++20 -O1 -I"$work/prefix/include" "$source"/tests/layers/core_only_{a,b}.cc -o "$work/core"
    "$work/core" ;;
esac
