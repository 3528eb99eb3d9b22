#!/bin/sh
# install_test.sh BUILD SOURCE COMPILER: what is installed works without the source tree.
set -eu
build=$1 source=$2 compiler=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cmake --install "$build" --prefix "$folder/prefix" >"$folder/log"
# Moved, so that nothing may rely on the place it was installed to.
mv "$folder/prefix" "$folder/moved"
prefix=$folder/moved
demo=$prefix/share/vl2/models/vl2-nano/demo
question=$(head -n 1 "$demo/demo.jsonl" | jq -r .prompt)
picture=$demo/$(head -n 1 "$demo/demo.jsonl" | jq -r '.images[0]')
expected=$(head -n 1 "$demo/demo.jsonl" | jq -r .output)

check() {
  if [ "$2" != "$expected" ]; then
    echo "$1 says \"$2\" instead of \"$expected\"" >&2
    exit 1
  fi
}

unset VL2_MODEL
check "the installed program" "$("$prefix/bin/vl2" run -i "$picture" "$question")"

cmake -S "$source/examples/ask" -B "$folder/ask" -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_CXX_COMPILER="$compiler" >>"$folder/log"
cmake --build "$folder/ask" >>"$folder/log"
check "find_package(vl2)" "$("$folder/ask/ask" "$prefix/share/vl2/models/vl2-nano" "$picture" "$question")"

if command -v pkg-config >/dev/null; then
  export PKG_CONFIG_PATH="$(dirname "$(find "$prefix" -name vl2.pc)")"
  "$compiler" $(pkg-config --cflags vl2) "$source/examples/ask/ask.cc" $(pkg-config --libs vl2) \
    -o "$folder/by_pkg_config"
  export LD_LIBRARY_PATH="$(pkg-config --variable=libdir vl2)"
  check "pkg-config vl2" "$("$folder/by_pkg_config" "$prefix/share/vl2/models/vl2-nano" "$picture" "$question")"
fi
