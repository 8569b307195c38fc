#!/usr/bin/env bash
# same_header.sh COMPILER CURRENT EXHIBIT: as long as the current header is of the exhibit's revision, they say the same.
set -euo pipefail
compiler=$1 current=$2 exhibit=$3

revision() {
    grep -oE 'POLARIS_ES_ABI_(MAJOR|MINOR) [0-9]+' "$1" | tr '\n' ' '
}
if [ "$(revision "$current")" != "$(revision "$exhibit")" ]; then
    exit 0
fi
# Without comments and layout.
words() {
    "$compiler" -fpreprocessed -dD -E -P -x c "$1" | tr -s '[:space:]\\' '\n'
}
if ! diff <(words "$current") <(words "$exhibit"); then
    echo "$exhibit is not $current: a minor that is not released is still the same header (copy it, if that is what you" \
        "want); one that is released never changes (raise the minor)" >&2
    exit 1
fi
