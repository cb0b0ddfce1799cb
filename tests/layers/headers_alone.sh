#!/usr/bin/env bash
# headers_alone.sh COMPILER INCLUDE_DIR UNITS_DIR: each unit includes one public header, twice.
set -uo pipefail
failed=0
for unit in "$3"/*.cc; do
  "$1" -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I"$2" "$unit" || { echo "does not compile alone: $unit"; failed=1; }
done
exit $failed
