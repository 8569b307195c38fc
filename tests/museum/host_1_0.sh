#!/usr/bin/env bash
# host_1_0.sh BUILDS PLUGIN TEMPLATE: the host simulator as 1.0 released it, with the plugin of its own minor and with those of
# later ones, on one file.
set -euo pipefail
export LC_ALL=C
builds=$1 now=$2 template=$3
work=$(mktemp -d)
# shellcheck disable=SC2064  # the folder of now
trap "rm -rf '$work'" EXIT
db=$work/events.db
host() {
    "$builds/polaris-host-sim" --allow-unsafe --db "$db" "$@"
}
fail() {
    echo "$*" >&2
    exit 1
}
expect() { # WANTED GOT
    [[ $2 == *"$1"* ]] || fail "wanted: $1"$'\n'"got: $2"
}

for plugin in "$builds/polaris-event-store.so" "$now"; do
    host --plugin "$plugin" ingest - <<<'{"type": "node_created", "data": {"of": "1.0"}}' >"$work/out" 2>&1 ||
        fail "$plugin: $(cat "$work/out")"
done
expect '"last_id":2' "$(host --plugin "$now" call query '{"op": "head"}')"
expect '"last_id":2' "$(host --plugin "$builds/polaris-event-store.so" call query '{"op": "head"}')"

# From its own minor to the current one, and back, with callers at work; none fails.
host --plugin "$builds/polaris-event-store.so" swap "$now" "$builds/polaris-event-store.so" >"$work/out" 2>&1 ||
    fail "swap: $(cat "$work/out")"
expect 'UNSUPPORTED' "$(host --plugin "$template" call query '{"op": "head"}' 2>&1 || true)"
echo "the host of 1.0 works with the plugins of 1.0 and of this minor, and swaps them"
