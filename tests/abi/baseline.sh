#!/usr/bin/env bash
# baseline.sh check|update|red BASELINE HEADERS PLUGIN|CC: compares the ABI of the built plugin with the committed one
# (check), writes that (update), or proves that the comparison sees what it must (red).
set -euo pipefail
export LC_ALL=C
mode=$1 baseline=$2 headers=$3 built=$4

# 0: the same. Every difference counts, additions as well.
compare() { # HEADERS PLUGIN
    abidiff --harmless --no-architecture --drop-private-types --headers-dir2 "$1" "$baseline" "$2"
}

need_baseline() {
    [ -f "$baseline" ] && return
    echo "There is no ${baseline##*/}. If the minor was raised, make it in the same commit:" >&2
    echo "    cmake --build BUILD --target abi_baseline_update" >&2
    exit 1
}

case $mode in
check)
    need_baseline
    if ! compare "$headers" "$built"; then
        cat >&2 <<END

The ABI of the built plugin differs from ${baseline##*/}.
A released minor never changes. If something was added: raise POLARIS_ES_ABI_MINOR in the header, say in
abi/CHANGELOG.md what was added, and make the new minor's baseline, all in one commit:
    cmake --build BUILD --target abi_baseline_update
If something was altered or removed, that is a new major: put it back instead.
END
        exit 1
    fi
    ;;
update)
    # Only what is reachable from the exported function, and no path of this machine. The places in the header stay:
    # without them abidiff 2.2 takes the types for private ones and says nothing of two slots that changed places.
    abidw --exported-interfaces-only --drop-private-types --headers-dir "$headers" --no-elf-needed --no-architecture \
        --no-corpus-path --no-comp-dir-path --out-file "$baseline" "$built"
    sed -i -E "s#path='[^']*/(abi/include|plugin)/#path='\\1/#" "$baseline"
    echo "wrote $baseline"
    ;;
red)
    need_baseline
    work=$(mktemp -d)
    # shellcheck disable=SC2064  # the folder of now
    trap "rm -rf '$work'" EXIT
    mkdir "$work/polaris"
    cat >"$work/stub.c" <<'END'
#include <polaris/event_store.h>
static polaris_es_table table;
int32_t polaris_event_store_entry(const polaris_es_hello *in, polaris_es_welcome *out) {
    out->table = &table;
    return (int32_t)in->size;
}
END
    variant() { # NAME EXPECTED SED-SCRIPT
        sed -E "$3" "$headers/polaris/event_store.h" >"$work/polaris/event_store.h"
        if [ "$1" != unaltered ] && cmp -s "$work/polaris/event_store.h" "$headers/polaris/event_store.h"; then
            echo "$1: the header is as before; mend this test's script" >&2
            exit 1
        fi
        "$built" -std=c17 -g -fPIC -shared -I"$work" -o "$work/$1.so" "$work/stub.c"
        local answer=same
        compare "$work" "$work/$1.so" >"$work/report" || answer=differs
        if [ "$answer" != "$2" ]; then
            echo "$1: $2 was expected of abidiff, and it says: $answer" >&2
            cat "$work/report" >&2
            exit 1
        fi
        echo "$1: $answer"
    }
    variant unaltered same ''
    variant reordered_slots differs 's/polaris_es_verb query;/polaris_es_verb SWAP;/; s/polaris_es_verb dlq;/polaris_es_verb query;/; s/SWAP;/dlq;/'
    variant appended_slot differs 's/^(    polaris_es_verb shutdown;)/\1 polaris_es_verb admin;/'
    variant removed_slot differs '/^    polaris_es_verb schema;/d'
    variant argument_changed differs 's/(polaris_es \*self, polaris_bytes request), const polaris_sink \*reply\);/\1, void *reply);/'
    variant member_widened differs 's/^    uint32_t abi_minor;/    uint64_t abi_minor;/'
    variant array_shortened differs 's/char reason\[256\]/char reason[128]/'
    ;;
*)
    echo "usage: baseline.sh check|update|red BASELINE HEADERS PLUGIN|CC" >&2
    exit 2
    ;;
esac
