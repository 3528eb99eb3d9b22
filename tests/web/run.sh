#!/bin/sh
# SPDX-License-Identifier: MIT
# The page's tests in a real browser: run.sh VL2 OUT. 77 says that they were skipped.
set -eu
program=$1
out=$2
cd "$(dirname "$0")"

skip() {
  echo "skipped: $1"
  exit 77
}

command -v node >/dev/null 2>&1 || skip "node is missing"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || skip "node is older than 20"
command -v npm >/dev/null 2>&1 || skip "npm is missing"
chromium=${VL2_CHROMIUM:-/usr/bin/chromium}
[ -x "$chromium" ] || skip "chromium is missing (apt-get install chromium)"
stamp=node_modules/.package-lock.json
if [ ! -f "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  npm ci --fetch-retries=1 --fetch-retry-mintimeout=1000 >"$out/npm.log" 2>&1 ||
    skip "npm could not fetch the tests' packages (see $out/npm.log)"
  touch "$stamp"
fi
export VL2_PROGRAM="$program" VL2_CHROMIUM="$chromium"
export VL2_WEB_IMAGES="${VL2_WEB_IMAGES:-$out/images}"
shift 2
exec node --test --test-concurrency=1 "$@"
