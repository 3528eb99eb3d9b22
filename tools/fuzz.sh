#!/bin/sh
# Runs every fuzz target of a build folder for some seconds each: fuzz.sh BUILD SECONDS. What it finds
# stays in BUILD/corpus, which the next run goes on from, and a failing input in BUILD/failed.
set -eu
build=$1
seconds=$2
root=$(cd "$(dirname "$0")/.." && pwd)
symbolizer=$(command -v llvm-symbolizer-19 || true)
if [ -n "$symbolizer" ]; then
  export ASAN_SYMBOLIZER_PATH="$symbolizer" UBSAN_SYMBOLIZER_PATH="$symbolizer"
fi
mkdir -p "$build/failed"
for target in "$build"/fuzz/fuzz_*; do
  [ -x "$target" ] || continue
  name=$(basename "$target" | sed 's/^fuzz_//')
  corpus="$build/corpus/$name"
  mkdir -p "$corpus"
  echo "fuzzing $name for $seconds s"
  set -- "$corpus"
  if [ -d "$root/fuzz/corpus/$name" ]; then set -- "$@" "$root/fuzz/corpus/$name"; fi
  # The log is for those who look for why; a target that fails shows its end.
  if ! "$target" -max_total_time="$seconds" -rss_limit_mb=4096 -print_funcs=0 -print_final_stats=1 \
      -artifact_prefix="$build/failed/$name-" "$@" >"$build/failed/$name.log" 2>&1; then
    tail -60 "$build/failed/$name.log"
    echo "fuzz_$name failed on an input in $build/failed" >&2
    exit 1
  fi
  grep number_of_executed_units "$build/failed/$name.log"
done
