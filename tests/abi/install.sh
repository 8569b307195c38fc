#!/usr/bin/env bash
# install.sh BUILD CONSUMER CC: installs into a folder of its own, moves it, and builds and runs a consumer of the
# installed header and plugin, found once by pkg-config and once by CMake.
set -euo pipefail
build=$1 consumer=$2 compiler=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

DESTDIR='' cmake --install "$build" --prefix "$work/first" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
# What was installed must not remember where.
mv "$work/first" "$work/prefix"
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name polaris-event-store.pc)")
export PKG_CONFIG_PATH
pkg-config --validate polaris-event-store

plugin=$(pkg-config --variable=plugindir polaris-event-store)/polaris-event-store.so
[ -f "$plugin" ] || { echo "the plugin is not installed where pkg-config says: $plugin" >&2; exit 1; }
read -ra flags < <(pkg-config --cflags polaris-event-store)
"$compiler" -std=c99 -Wall -Wextra -Wpedantic -Werror -D_DEFAULT_SOURCE "${flags[@]}" -o "$work/by_pkg_config" \
    "$consumer/consumer.c" -ldl
version=$("$work/by_pkg_config" "$plugin")

if ! {
    cmake -S "$consumer" -B "$work/build" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$work/prefix" &&
        cmake --build "$work/build"
} >"$work/cmake.log" 2>&1; then
    cat "$work/cmake.log"
    exit 1
fi
grep -q "plugin folder: $(dirname "$(realpath "$plugin")")\$" "$work/cmake.log" ||
    { echo "CMake and pkg-config disagree on the plugin folder"; cat "$work/cmake.log"; exit 1; }
[ "$("$work/build/consumer" "$plugin")" = "$version" ]

# The package tells the version of the header.
[ "$(pkg-config --modversion polaris-event-store)" = "$version.0" ]
if cmake -S "$consumer" -B "$work/other" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER="$compiler" \
    -DPOLARIS_WANTED=2.0 >/dev/null 2>&1; then
    echo "version 2.0 was asked for, and 1.x was taken" >&2
    exit 1
fi
