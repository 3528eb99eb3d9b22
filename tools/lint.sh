#!/bin/sh
# Format, layering and clang-tidy; with the word `deep` its slowest checks too (the analyzer), which
# takes several times as long. Prints what is wrong and fails.
set -eu
cd "$(dirname "$0")/.."

clang-format-19 --dry-run -Werror $(git ls-files -co --exclude-standard '*.cc' '*.h')
python3 tools/check_tree.py
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cmake --preset tidy >"$log" 2>&1 || { cat "$log"; exit 1; }
checks=-clang-analyzer-*,-performance-unnecessary-value-param
checks=$checks,-bugprone-stringview-nullptr,-bugprone-standalone-empty
if [ "${1:-}" = deep ]; then checks=""; fi
python3 tools/tidy.py build-tidy "$checks"
