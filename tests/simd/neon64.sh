#!/usr/bin/env bash
# neon64.sh SOURCE_DIR XSIMD_INCLUDE_DIR: compiles the NEON kernels with a cross-compiler, and runs them under emulation
# against the portable ones. Exits with 77 (skipped) without the cross-compiler (Debian: g++-aarch64-linux-gnu).
set -euo pipefail
command -v aarch64-linux-gnu-g++ >/dev/null || { echo "no aarch64-linux-gnu-g++"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/include" && ln -s "$2/xsimd" "$work/include/xsimd"
aarch64-linux-gnu-g++ -std=c++20 -O2 -Wall -Wextra -Wconversion -Wshadow -DVPCFLOW_SIMD_NEON64 -I"$1" -I"$1/include" \
  -isystem "$work/include" -static "$1/tests/simd/neon64.cc" "$1/src/simd/dispatch.cc" "$1/src/simd/kernels_neon64.cc" -o "$work/neon64"
if command -v qemu-aarch64 >/dev/null; then
  qemu-aarch64 "$work/neon64"
else
  echo "compiled; not run: no qemu-aarch64 (Debian: qemu-user)"
fi
