#!/bin/sh
# Unpacks the arm64 packages that a cross build and its tests need: arm64_sysroot.sh FOLDER. apt
# chooses and checks them with a state of its own in FOLDER, since few of them can be installed next
# to the machine's own; nothing outside FOLDER changes. For Debian: Ubuntu keeps arm64 elsewhere.
set -eu
folder=$1
root=$(cd "$(dirname "$0")/.." && pwd)
packages="libc6-dev libgomp1 libstdc++-12-dev libgtest-dev libgmock-dev
  $(sh "$root/tools/install_dependencies.sh" libraries)"
if [ "$(cat "$folder/packages" 2>/dev/null)" = "$packages" ]; then exit 0; fi

rm -rf "$folder"
apt="$(mkdir -p "$folder" && cd "$folder" && pwd)/apt"
mkdir -p "$apt/lists/partial" "$apt/archives/partial"
: >"$apt/status"
arm64_apt() {
  apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Install-Recommends=0 \
    -o Dir::State="$apt" -o Dir::State::status="$apt/status" -o Dir::State::lists="$apt/lists" \
    -o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives" -o Acquire::Languages=none \
    -o APT::Sandbox::User= "$@"
}
echo "fetching arm64 packages into $folder" >&2
arm64_apt update
# shellcheck disable=SC2086
arm64_apt -y --download-only install $packages >/dev/null
for package in "$apt"/archives/*.deb; do dpkg -x "$package" "$folder"; done
rm -rf "$apt"
# Links to a root of their own would lead out of the folder.
find "$folder" -type l -lname '/*' | while read -r link; do
  ln -sfnr "$folder$(readlink "$link")" "$link"
done
printf '%s\n' "$packages" >"$folder/packages"
