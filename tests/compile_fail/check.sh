#!/usr/bin/env bash
# check.sh COMPILER INCLUDE_DIR FILE: compiles as it is, and does not with -DVPCFLOW_MUST_FAIL.
set -u
flags="-std=c++20 -fsyntax-only -I$2"
"$1" $flags "$3" || { echo "must compile: $3"; exit 1; }
if "$1" $flags -DVPCFLOW_MUST_FAIL "$3" 2>/dev/null; then echo "must not compile: $3"; exit 1; fi
