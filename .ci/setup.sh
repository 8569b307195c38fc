#!/usr/bin/env bash
# setup.sh: installs the Debian packages that the build, the tests (`test`), and what takes hours (`long`) need, if any is
# missing.
set -euo pipefail

build=(gcc g++ make cmake ninja-build pkg-config libsqlite3-dev libmsgpack-dev libjansson-dev libxxhash-dev libssl-dev
    libpcre2-dev libidn2-dev uthash-dev)
test=(libcriterion-dev abigail-tools binutils sqlite3)
long=(clang libclang-rt-dev clang-tidy cppcheck)

case ${1:-build} in
build) wanted=("${build[@]}") ;;
test) wanted=("${build[@]}" "${test[@]}") ;;
long) wanted=("${build[@]}" "${test[@]}" "${long[@]}") ;;
*)
    echo "usage: .ci/setup.sh [build|test|long]" >&2
    exit 2
    ;;
esac

missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
else
    {
        echo "Missing Debian packages: ${missing[*]}"
        echo "Installing them takes root. Run this, then come back:"
        echo
        echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
    } >&2
    exit 1
fi

echo "setup          installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install_missing() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1
}
# A machine that was never updated knows no packages: ask the archive once, then try again.
if ! install_missing; then
    if ! "${as_root[@]}" apt-get update -qq >"$log" 2>&1 || ! install_missing; then
        cat "$log" >&2
        echo "setup          apt-get could not install them; its words are above" >&2
        exit 1
    fi
fi
