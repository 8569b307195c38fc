#!/usr/bin/env bash
# demo.sh: installs what is missing, builds a release in ./build, and runs the demo. Options are the demo's: --help.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022 # the loader takes no plugin that others can write to

.ci/setup.sh build

jobs=$(nproc)
[ "$jobs" -le 8 ] || jobs=8
log=build/demo-build.log
mkdir -p build
build() {
    # The tests need more packages: a folder that was not configured for them before is built without.
    [ -f build/build.ninja ] || [ -f build/Makefile ] ||
        cmake -S . -B build -G Ninja -DBUILD_TESTING=OFF >>"$log" 2>&1 || return 1
    cmake --build build -j "$jobs" --target polaris-host-sim polaris_event_store polaris_event_store_b >>"$log" 2>&1
}
if [ ! -x build/bin/polaris-host-sim ]; then
    echo "building       a release in ./build"
fi
: >"$log"
if ! build; then
    cat "$log" >&2
    echo "the build failed; what it said is above, and in $log" >&2
    exit 1
fi

exec build/bin/polaris-host-sim demo "$@"
