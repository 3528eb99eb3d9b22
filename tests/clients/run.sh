#!/bin/sh
# run.sh ARGUMENTS: runs node, or says why not and exits with 77. VL2_PROGRAM is the program under
# test.
set -eu
cd "$(dirname "$0")"

skip() {
  echo "skipped: $1"
  exit 77
}

command -v node >/dev/null 2>&1 || skip "there is no node; 'make setup-test' installs it"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)' ||
  skip "node $(node --version) is too old, these tests need 18 or newer"
[ -d node_modules/openai ] && [ -d node_modules/ollama ] ||
  skip "the clients are not installed; run tools/install_clients.sh"
command -v curl >/dev/null 2>&1 || skip "there is no curl"
exec node "$@"
