#!/bin/sh
# Runs every fuzz target of a build folder for some seconds each: fuzz.sh BUILD SECONDS.
set -eu
build=$1
seconds=$2
root=$(cd "$(dirname "$0")/.." && pwd)
for target in "$build"/fuzz/fuzz_*; do
  [ -x "$target" ] || continue
  name=$(basename "$target" | sed 's/^fuzz_//')
  corpus="$build/corpus/$name"
  mkdir -p "$corpus"
  echo "fuzzing $name for $seconds s"
  set -- "$corpus"
  if [ -d "$root/fuzz/corpus/$name" ]; then set -- "$@" "$root/fuzz/corpus/$name"; fi
  "$target" -max_total_time="$seconds" -rss_limit_mb=4096 -print_final_stats=0 -verbosity=0 "$@"
done
