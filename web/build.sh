#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the page and packs it for the program: OUT/page_files.cc and OUT/page.bin. A build of the
# program must not fail for want of a network: if npm cannot do its part, the table is an empty one,
# with a date so old that the next build tries again.
#
#   web/build.sh OUT
set -eu
web=$(cd "$(dirname "$0")" && pwd)
out=$1
mkdir -p "$out"
cd "$web"
# Builds in several folders share the packages.
if command -v flock >/dev/null 2>&1; then
  exec 9<package.json
  flock 9
fi

# Only when what is asked for has changed.
install_packages() {
  stamp=node_modules/.package-lock.json
  if [ -f "$stamp" ] && [ ! package-lock.json -nt "$stamp" ]; then return 0; fi
  npm ci --fetch-retries=1 --fetch-retry-mintimeout=1000 >"$out/npm.log" 2>&1 && touch "$stamp"
}

if ! install_packages; then
  echo "web page left out: npm ci failed (see $out/npm.log); vl2 serve has a plain page" >&2
  cp ../src/server/page_absent.cc "$out/page_files.cc"
  : >"$out/page.bin"
  touch -d @0 "$out/page_files.cc" "$out/page.bin"
  exit 0
fi
npm run --silent build -- --outDir "$out/dist" >"$out/build.log" 2>&1 || {
  cat "$out/build.log" >&2
  exit 1
}
node embed.mjs "$out/dist" "$out"
