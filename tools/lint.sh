#!/bin/sh
# Format and layering, and with the word `tidy` clang-tidy too; prints what is wrong and fails.
set -eu
cd "$(dirname "$0")/.."

sources=$(git ls-files -co --exclude-standard '*.cc' '*.h')
clang-format-19 --dry-run -Werror $sources
python3 tools/check_tree.py
[ "${1:-}" = tidy ] || exit 0

cmake --preset tidy >build-tidy.log 2>&1 || { cat build-tidy.log; exit 1; }
rm -f build-tidy.log
# Kernel files of one instruction set are left out: clang-tidy has nothing to say about intrinsics
# that the tests do not say better.
git ls-files -co --exclude-standard 'src/*.cc' 'apps/*.cc' |
  grep -Ev '/(avx2|avx512|amx)[a-z_0-9]*\.cc$' |
  xargs -P "$(nproc)" -n 4 clang-tidy-19 --quiet -p build-tidy
