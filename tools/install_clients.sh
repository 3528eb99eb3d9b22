#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the npm packages that tests/clients drives the server with, in the versions of its
# package-lock.json. Without node or the registry those tests are skipped.
set -eu
cd "$(dirname "$0")/../tests/clients"
if [ node_modules/.package-lock.json -nt package-lock.json ]; then exit 0; fi
command -v npm >/dev/null 2>&1 || { echo "$0: there is no npm" >&2; exit 1; }
npm ci --silent
