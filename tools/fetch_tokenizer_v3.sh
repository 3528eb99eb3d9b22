#!/bin/sh
# SPDX-License-Identifier: MIT
# Fetches DeepSeek's V3 tokenizer for the tests, out of the npm package that
# tests/data/goldens/tokenizer_v3.json names, and checks it against the checksum there.
#
#   tools/fetch_tokenizer_v3.sh [FOLDER]     default: build/test-data
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/build/test-data}
golden=$root/tests/data/goldens/tokenizer_v3.json

# A string out of the golden's `source` object, which comes first in the file.
field() {
  sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$golden" | head -n 1
}

field() {
  value=$(head -c 4096 "$golden" | grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | cut -d'"' -f4)
  [ -n "$value" ] || { echo "$golden: no source.$1" >&2; exit 1; }
  echo "$value"
}

package=$(field npm_package)
version=$(field version)
file=$(field file)
sha256=$(field sha256)

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
target=$folder/tokenizer_v3.json
if [ -f "$target" ] && echo "$sha256  $target" | sha256sum --check --status; then
  echo "$target is there already"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
archive=$(npm pack --silent "$package@$version" | tail -n 1)
tar -xzf "$archive" "package/$file"
echo "$sha256  package/$file" | sha256sum --check --status || {
  echo "$package@$version: $file does not have the expected checksum $sha256" >&2
  exit 1
}
cp "package/$file" "$target"
echo "$target"
