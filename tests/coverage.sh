#!/usr/bin/env bash
# coverage.sh BUILD: what the tests in a build with -DPOLARIS_COVERAGE=ON have run of plugin/ and of host-sim/: lines, and
# branches taken, for each folder. Run them first (ctest); processes that were killed have written nothing.
set -euo pipefail
export LC_ALL=C
build=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
# shellcheck disable=SC2064  # the folder of now
trap "rm -rf '$work'" EXIT
cd "$work"
# Each object's own source; headers with code count where they are included.
find "$build/plugin" "$build/host-sim" -name '*.gcda' ! -path '*event_store_b*' -print0 |
    xargs -0 -n 50 gcov --branch-probabilities --no-output --source-prefix "$source" 2>/dev/null |
    awk -F "'" -v source="$source/" '
        /^(Calls executed|No calls)/ { file = ""; next } # the last line of a file; the sum of all comes behind it
        /^File / { file = $2; sub("^" source, "", file); next }
        file ~ /^(plugin|host-sim)\/.*\.c$/ && /^Lines executed/ { split($0, part, /[:% ]+/); add("lines", part) }
        file ~ /^(plugin|host-sim)\/.*\.c$/ && /^Taken at least once/ { split($0, part, /[:%]| of /); taken($0) }
        function folder() { f = file; sub(/\/[^\/]*$/, "", f); return f }
        function add(what, part,  n) { n = part[5]; if (n == "") n = part[4]; lines[folder()] += n; hit[folder()] += n * part[3] / 100 }
        function taken(text,  percent, n) {
            match(text, /:[0-9.]+%/); percent = substr(text, RSTART + 1, RLENGTH - 2)
            match(text, /of [0-9]+/); n = substr(text, RSTART + 3, RLENGTH - 3)
            branches[folder()] += n; took[folder()] += n * percent / 100
        }
        END {
            for (f in lines) {
                printf "%-24s %6d lines %5.1f %%   %6d branches %5.1f %%\n", f, lines[f], 100 * hit[f] / lines[f],
                    branches[f], branches[f] ? 100 * took[f] / branches[f] : 100
                root = f; sub(/\/.*/, "", root)
                l[root] += lines[f]; h[root] += hit[f]; b[root] += branches[f]; t[root] += took[f]
            }
            for (f in l) {
                printf "%-24s %6d lines %5.1f %%   %6d branches %5.1f %%\n", f " in all", l[f], 100 * h[f] / l[f], b[f],
                    100 * t[f] / b[f]
            }
        }' | sort
