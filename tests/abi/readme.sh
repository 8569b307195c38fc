#!/usr/bin/env bash
# readme.sh README INCLUDE PLUGIN CC [FLAG...]: the complete program in the README (its first C block with a main)
# compiles without a warning and runs against the plugin, whose path is its only argument.
set -euo pipefail
readme=$1 include=$2 plugin=$3 compiler=$4
shift 4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk -v out="$work/host.c" '
    /^```c[[:space:]]*$/ { inside = 1; text = ""; next }
    /^```/ && inside { inside = 0; if (text ~ /int main\(/) { printf "%s", text > out; exit } }
    inside { text = text $0 "\n" }
' "$readme"
if [ ! -s "$work/host.c" ]; then
    echo "$readme has no complete program: a \`\`\`c block with int main(" >&2
    exit 1
fi
"$compiler" -std=c17 -Wall -Wextra -Werror -D_GNU_SOURCE -I"$include" "$@" -o "$work/host" "$work/host.c" -ldl
cp "$plugin" "$work/polaris-event-store.so"
cd "$work"
./host "$work/polaris-event-store.so"
