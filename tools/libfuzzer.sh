#!/usr/bin/env bash
# libfuzzer.sh TARGET SECONDS: one target of `make libfuzzer`. Prints executions and rate; a find ends it with an error,
# and is kept beside the corpus, to be copied to tests/corpus/regress.
set -u
folder=build/fuzz/corpus/$1
log=build/fuzz/$1.log
if build/fuzz/tests/libfuzzer_"$1" -max_total_time="$2" -max_len=4096 -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 \
  -artifact_prefix="build/fuzz/$1-" "$folder" tests/corpus/regress >"$log" 2>&1; then
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  covered=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1)
  echo "libfuzzer $1: $runs executions in $2 s, $covered, no finding"
else
  tail -n 40 "$log"
  echo "libfuzzer $1: FOUND SOMETHING, see $log"
  exit 255 # xargs stops
fi
