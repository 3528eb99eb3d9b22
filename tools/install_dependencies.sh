#!/bin/sh
# Installs what is missing for a purpose (build, test, demo, lint or arm64) with apt; says nothing and
# asks for nothing when everything is there. `libraries` prints what the program is linked with.
set -eu

libraries="libhwy-dev nlohmann-json3-dev libcli11-dev libfmt-dev libjpeg-dev libpng-dev libwebp-dev
  libpcre2-dev libcairo2-dev libpango1.0-dev libedit-dev libcpp-httplib-dev libcurl4-openssl-dev
  zlib1g-dev"
build="g++ cmake ninja-build ccache pkg-config $libraries"
demo="jq fonts-dejavu-core"
test="libgtest-dev libgmock-dev libbenchmark-dev python3 fonts-dejavu-core jq curl"
lint="clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev libomp-19-dev llvm-19 python3"
arm64="cmake ninja-build ccache pkg-config g++-aarch64-linux-gnu qemu-user python3"

case "${1:-}" in
  build) wanted=$build ;;
  demo) wanted=$demo ;;
  test) wanted=$test ;;
  lint) wanted=$lint ;;
  arm64) wanted=$arm64 ;;
  libraries) echo $libraries; exit 0 ;;
  *) echo "usage: $0 build|test|demo|lint|arm64|libraries" >&2; exit 2 ;;
esac

missing=""
for package in $wanted; do
  # A virtual package (libjpeg-dev) counts when something that provides it is installed.
  if ! dpkg-query -W -f='${db:Status-Status} ${Provides}\n' "$package" 2>/dev/null | grep -q '^installed'; then
    missing="$missing $package"
  fi
done
# The web page's packages, the tokenizer's test data and the clients that test the server come through
# npm, from wherever it is.
if { [ "$1" = build ] || [ "$1" = test ]; } && ! command -v npm >/dev/null 2>&1; then missing="$missing npm"; fi
# Other distributions have no package of a browser that runs here; the page's tests are skipped then.
if [ "$1" = test ] && ! command -v chromium >/dev/null 2>&1 && grep -qx ID=debian /etc/os-release; then
  missing="$missing chromium"
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "vl2: these Debian packages are needed, and there is no apt-get to install them:$missing" >&2
  exit 1
fi
sudo=""
if [ "$(id -u)" != 0 ]; then sudo=sudo; fi
echo "installing:$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $sudo apt-get update -qq &&
       $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "vl2: apt could not install:$missing" >&2
  exit 1
fi
