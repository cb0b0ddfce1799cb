#!/usr/bin/env bash
# check_symbols.sh LIBRARY.a: the units compiled for AVX give nothing to the linker that others could get, and no other
# unit has AVX instructions.
set -euo pipefail
failed=0
declare -i checked=0
weak=$(nm -C "$1" 2>/dev/null | awk '/^kernels_.*:$/ {unit = $1} /^[^ ]*\.o:$/ && !/^kernels_/ {unit = ""}
  unit != "" && $2 ~ /^[VWvwu]$/ && unit ~ /avx/ {print unit, $0}')
if [ -n "$weak" ]; then echo "weak symbols in units for AVX:"; echo "$weak"; failed=1; fi
report=$(objdump -d --no-show-raw-insn "$1" 2>/dev/null | awk '
  /file format/ {unit = $1; units[unit] = 1}
  /%[yz]mm[0-9]/ {wide[unit]++}
  END {for (u in units) print u, wide[u] + 0}')
while read -r unit wide; do
  checked+=1
  case "$unit" in
    kernels_avx*) if [ "$wide" = 0 ]; then echo "$unit has no AVX instruction: is it compiled for it?"; failed=1; fi ;;
    *) if [ "$wide" != 0 ]; then echo "$unit has $wide AVX instructions"; failed=1; fi ;;
  esac
done <<<"$report"
[ "$checked" -ge 10 ] || { echo "only $checked units seen"; failed=1; }
[ "$failed" = 0 ] && echo "$checked units: AVX only where it belongs"
exit $failed
