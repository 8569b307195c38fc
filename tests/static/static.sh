#!/usr/bin/env bash
# static.sh TOOL BUILD [PATTERN]: reads the sources with a tool (cppcheck, analyzer, tidy) and compares what it finds with
# TOOL.known beside this script: findings that were looked at, each with the reason why it is none. Anything else fails, as
# does a file that could not be read to its end.
#
# analyzer: gcc -fanalyzer. BUILD is a folder that was built: some headers are made there. PATTERN: of the sources only those
# whose path it matches (grep -E). No part of the ordinary tests: what the tools say differs with their versions. tests/run.sh
# long runs it with those of Debian 12.
set -euo pipefail
export LC_ALL=C
tool=$1 build=$2 pattern=${3:-.}
file_seconds_max=600
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
# shellcheck disable=SC2064  # the folder of now
trap "rm -rf '$work'" EXIT

# The sources of the plugin and of the host simulator, with how each is compiled: "FILE<TAB>COMMAND".
list_commands() {
    cmake -E cat "$build/compile_commands.json" | awk '
        /"command": / {
            sub(/^ *"command": "/, ""); sub(/",$/, "")
            gsub(/\\\\/, "\001"); gsub(/\\"/, "\""); gsub(/\001/, "\\")
            command = $0
        }
        /"file": / { sub(/^ *"file": "/, ""); sub(/",?$/, ""); print $0 "\t" command }' |
        grep -E "^$source/(plugin|host-sim)/.*\.c	" | sort -u -t '	' -k1,1 |
        awk -F '\t' -v root="$source/" -v pattern="$pattern" 'substr($1, length(root) + 1) ~ pattern'
}

run_cppcheck() {
    cd "$source"
    cppcheck --quiet --std=c11 --enable=warning,portability,performance --suppress=missingIncludeSystem \
        -I plugin -I abi/include -I host-sim --template='{file}: {message} [{id}]' --template-location='' \
        plugin host-sim abi 2>&1 | grep -E ': .* \[[a-zA-Z]+\]$' || true
}

run_analyzer() {
    list_commands | while IFS='	' read -r file command; do
        command=$(sed -E 's/ -O[0-9s]| -Werror| -M[DMPTFG]*( [^ ]*\.o(\.d)?)?| -o [^ ]*//g; s/ -(MT|MF) [^ ]*//g' <<<"$command")
        (cd "$build" && eval "timeout $file_seconds_max $command -O1 -fanalyzer -o /dev/null") >"$work/said" 2>&1 ||
            echo "${file#"$source/"}: not read to its end"
        sed -nE "s/ \[CWE-[0-9]+\]//; s#^$source/([^:]*):[0-9]+:[0-9]+: warning: (.*\[-Wanalyzer[a-z-]*\])\$#\1: \2#p" "$work/said"
    done
}

run_tidy() {
    list_commands | cut -f 1 | while read -r file; do
        timeout "$file_seconds_max" clang-tidy --quiet -p "$build" "$file" >"$work/said" 2>/dev/null ||
            echo "${file#"$source/"}: not read to its end"
        sed -nE "s#^$source/([^:]*):[0-9]+:[0-9]+: (warning|error): (.*)#\1: \3#p" "$work/said"
    done
}

case $tool in
cppcheck | analyzer | tidy) ;;
*)
    echo "usage: static.sh cppcheck|analyzer|tidy BUILD" >&2
    exit 2
    ;;
esac
command=${tool/analyzer/gcc} command=${command/tidy/clang-tidy}
if ! command -v "$command" >/dev/null; then
    echo "skipped: there is no $command" >&2
    exit 77
fi
"run_$tool" | sort -u >"$work/found"
grep -vE '^(#|$)' "$(dirname "$0")/$tool.known" 2>/dev/null | sort -u >"$work/known" || true
if ! new=$(comm -23 "$work/found" "$work/known") || [ -n "$new" ]; then
    echo "$new" >&2
    echo "$tool finds what is not in tests/static/$tool.known: mend it, or say there why it is no fault" >&2
    exit 1
fi
echo "$tool: $(wc -l <"$work/found") findings, all known"
