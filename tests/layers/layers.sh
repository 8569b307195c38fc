#!/usr/bin/env bash
# layers.sh RULE SOURCE [FILE...]: checks one rule of the layering and prints every breach of it.
set -euo pipefail
export LC_ALL=C
rule=$1 source=$2
shift 2
breaches=0
breach() {
    echo "$*" >&2
    breaches=$((breaches + 1))
}

# FROM may not include TO: both are patterns, of a file below the source folder and of what stands in its include.
FORBIDDEN=(
    'plugin/wire/.*            "storage/.*'
    'plugin/storage/.*         "wire/.*'
    'plugin/storage/.*         "(store|query|dlq|schema|entry|instance)\.h'
    'plugin/wire/.*            "(store|query|dlq|schema|entry|instance)\.h'
    'plugin/validate/.*        "(storage/.*|(store|query|dlq|schema|entry|instance|config|event|use_cases)\.h)'
    'plugin/[^/]*              "storage/sqlite/.*'
    'plugin/wire/.*            "storage/sqlite/.*'
    'plugin/(wire|storage)/.*  "validate/.*'
    'plugin/validate/.*        "(storage/.*|wire/(messages|writer)\.h|(store|query|dlq|schema|entry|instance|config|event|dead_letter)\.h)'
    'plugin/validate/.*        ["<](msgpack|jansson|sqlite3|polaris).*'
    'plugin/(event|bytes|bounds|error|config|dead_letter)\.[ch]   "(wire|storage)/.*'
    'plugin/.*                 ["<](host|loader|message|graph|cli|demo|check|torture)/.*'
    'plugin/[^/]*              ["<](msgpack|sqlite3|jansson).*'
    'plugin/storage/.*         ["<](msgpack|jansson).*'
    'plugin/storage/[^/]*      ["<]sqlite3.*'
    'plugin/wire/.*            ["<]sqlite3.*'
    'host-sim/(loader|host|message|graph|cli|demo|check)/.*   ["<]sqlite3.*'
    'host-sim/(bench|check|torture)/.* "(cli|demo)/.*'
    'host-sim/torture/(call|judge|judge_more|ledger|life|plan|repeat|run|work|work_[a-z]*)\.c ["<]sqlite3.*'
    'host-sim/loader/.*        ["<](msgpack|jansson).*'
)

check_includes() {
    local file line target from to entry
    while IFS=: read -r file line target; do
        target=${target#*include}
        target=${target#"${target%%[![:space:]]*}"}
        for entry in "${FORBIDDEN[@]}"; do
            read -r from to <<<"$entry"
            if [[ $file =~ ^$from$ && $target =~ ^$to ]]; then
                breach "$file:$line: includes $target"
            fi
        done
        # A quoted include is found in its own part, or beside the file.
        if [[ $target == '"'* ]]; then
            target=${target#\"} target=${target%%\"*}
            if [ ! -e "$source/${file%%/*}/$target" ] && [ ! -e "$source/$(dirname "$file")/$target" ]; then
                breach "$file:$line: includes \"$target\", which its own part does not have"
            fi
        elif [[ $target == '<polaris/'* && $target != '<polaris/event_store.h>'* ]]; then
            breach "$file:$line: includes $target, which is not the boundary"
        fi
    done < <(cd "$source" && grep -rnE '^[[:space:]]*#[[:space:]]*include' --include='*.[ch]' plugin host-sim)
}

check_sizes() {
    local lines file
    while read -r lines file; do
        if [ "$file" != total ] && [ "$lines" -ge 600 ]; then
            breach "$file has $lines lines; the limit is 600"
        fi
    done < <(cd "$source" && find abi plugin host-sim tests -name '*.[ch]' -type f -print0 | xargs -0 wc -l)
}

# Which libraries the objects of each part may call; an object's path holds that of its source.
check_libraries() {
    local object symbol
    for object in "$@"; do
        while read -r symbol; do
            case $symbol in
            msgpack_*) [[ $object == */wire/* ]] || breach "$object calls $symbol: only plugin/wire/ may" ;;
            json_text_*) ;; # ours
            json_*) [[ $object == */wire/* ]] || breach "$object calls $symbol: only plugin/wire/ may" ;;
            pcre2_* | idn2_*)
                [[ $object == */validate/* ]] || breach "$object calls $symbol: only plugin/validate/ may"
                ;;
            sqlite3_*)
                [[ $object == */storage/sqlite/* ]] || breach "$object calls $symbol: only plugin/storage/sqlite/ may"
                ;;
            printf | puts | putchar | perror | stdout | stderr | exit | abort | atexit | signal | sigaction | setlocale)
                breach "$object uses $symbol: a plugin writes to no stream and never ends or alters its host"
                ;;
            esac
        done < <(nm -u "$object" | awk '{ sub(/@.*/, "", $2); print $2 }')
    done
}

# The host's objects use nothing that is defined inside the plugin, but what the host defines as well.
check_strangers() {
    local archive=$1 both
    shift
    both=$(comm -12 <(nm -g --defined-only "$archive" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u) \
        <(comm -23 <(nm -u "$@" | awk '$1 == "U" { print $2 }' | sort -u) \
            <(nm -g --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u)) | tr '\n' ' ')
    [ -z "$both" ] || breach "host-sim uses symbols of the plugin: $both"
}

check_shared() {
    local exported dynamic headers
    exported=$(nm -D --defined-only "$1" | awk '{ print $NF }' | tr '\n' ' ')
    [ "$exported" = "polaris_event_store_entry " ] || breach "$1 exports: $exported(only polaris_event_store_entry may be)"
    dynamic=$(readelf -dW "$1")
    headers=$(readelf -lW "$1")
    grep -qE 'BIND_NOW|FLAGS_1.*NOW' <<<"$dynamic" || breach "$1 is not linked with -z now"
    ! grep -q TEXTREL <<<"$dynamic" || breach "$1 has text relocations"
    grep -q GNU_RELRO <<<"$headers" || breach "$1 is not linked with -z relro"
    grep -E 'GNU_STACK' <<<"$headers" | grep -qE ' RW +0x' || breach "$1 has an executable stack"
    grep -q 'libsqlite3\.so' <<<"$dynamic" || breach "$1 does not use the shared libsqlite3: two copies in one process lose locks"
}

# What a release adds against the faults that are left: canaries on the stack, and the checked forms of libc's functions.
check_hardened() {
    local needed
    needed=$(nm -D --undefined-only "$1" | awk '{ sub(/@.*/, "", $NF); print $NF }')
    grep -qx '__stack_chk_fail' <<<"$needed" || breach "$1 has no stack protector"
    grep -vx '__stack_chk_fail' <<<"$needed" | grep -qE '^__[a-z]+_chk$' || breach "$1 is not built with _FORTIFY_SOURCE"
}

# `caller callee` for each call between functions of a linked file, each as its name and address: calls, jumps in place
# of a call, and functions that are handed on, as those are called from there or from below. A jump to a function's own
# start is a loop. What the compiler moved out as unlikely is still its function.
list_calls() {
    objdump -d -j .text --no-show-raw-insn "$1" | awk '
        function number(hex,  i, n) {
            for (i = 1; i <= length(hex); i++) {
                n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
            }
            return n
        }
        /^[0-9a-f]+ <.*>:$/ {
            from = number($1)
            name[from] = substr($2, 2, length($2) - 3)
            next
        }
        match($0, /[0-9a-f]+ <[^<>]*>$/) {
            split(substr($0, RSTART, RLENGTH - 1), target, / <|[+]0x/)
            to = number(target[1]) - number(target[3])
            if (to != from || (target[3] == "" && ($2 ~ /^(call|bl$)/ || / # /))) {
                count++
                caller[count] = from
                callee[count] = to
            }
        }
        END {
            for (i = 1; i <= count; i++) {
                if (name[callee[i]] == name[caller[i]] ".cold") {
                    whole[callee[i]] = caller[i]
                }
            }
            for (i = 1; i <= count; i++) {
                from = caller[i] in whole ? whole[caller[i]] : caller[i]
                to = callee[i] in whole ? whole[callee[i]] : callee[i]
                if (to in name && (from != to || caller[i] == callee[i])) {
                    printf "%s@%x %s@%x\n", name[from], from, name[to], to
                }
            }
        }' | sort -u
}

# No function comes back to itself: what a payload or a schema is nested like must not be what the stack is. A compiler
# that optimises makes loops of some such calls, and these are as good.
check_recursion() {
    local calls functions cycle
    calls=$(list_calls "$1")
    functions=$(nm "$1" | grep -ci ' t ' || true)
    [ "$functions" -gt 0 ] && [ -n "$calls" ] || breach "$1: no calls are seen: was it stripped?"
    while read -r cycle; do
        breach "recursion: $cycle"
    done < <({
        awk '$1 == $2 { print $1 " calls itself" }' <<<"$calls"
        # tsort names the members of each loop, a line each, behind a line that says so.
        tsort <<<"$calls" 2>&1 >/dev/null | awk '
            / loop:$/ { if (loop != "") print loop; loop = ""; next }
            { loop = loop (loop == "" ? "" : " -> ") $2 }
            END { if (loop != "") print loop }'
    } | sed 's/@[0-9a-f]*//g')
}

# Breaks each rule in a tree of its own and asks for the complaint.
check_red() {
    local tree object
    tree=$(mktemp -d)
    # shellcheck disable=SC2064  # the folder of now, as the variable is gone when the trap runs
    trap "rm -rf '$tree'" EXIT
    mkdir -p "$tree"/{abi,tests,plugin/wire,plugin/storage/sqlite,host-sim/host}
    touch "$tree/plugin/storage/storage.h" "$tree/plugin/wire/document.h" "$tree/plugin/bytes.h"
    local expected=0
    expect_red() { # RULE ARGUMENT...
        if "$0" "$1" "$tree" "${@:2}" 2>/dev/null; then
            breach "the rule '$1' did not complain ($2)"
        fi
        expected=$((expected + 1))
    }
    red_include() { # FILE INCLUDE
        echo "#include $2" >"$tree/$1"
        expect_red includes "$1 includes $2"
        rm "$tree/$1"
    }
    red_include plugin/wire/a.c '"storage/storage.h"'
    red_include plugin/storage/sqlite/a.c '"wire/document.h"'
    red_include plugin/a.c '<msgpack.h>'
    red_include plugin/a.c '<sqlite3.h>'
    red_include plugin/wire/a.c '<sqlite3.h>'
    red_include host-sim/host/a.c '"bytes.h"'
    red_include host-sim/host/a.c '<polaris/private.h>'
    seq 600 >"$tree/plugin/long.c"
    expect_red sizes "600 lines"

    object=$tree/plugin/a.c.o
    echo 'int sqlite3_open(void); int bytes_fill(void); int both(void); int both(void) { return sqlite3_open() + bytes_fill(); }' |
        cc -x c -c -o "$object" -
    expect_red libraries "$object"
    echo 'int bytes_fill(void); int bytes_fill(void) { return 0; }' | cc -x c -c -o "$tree/inside.o" -
    ar rc "$tree/inside.a" "$tree/inside.o"
    expect_red strangers "$tree/inside.a" "$object"
    cc -shared -o "$tree/open.so" "$tree/inside.o" -Wl,-z,lazy
    expect_red shared "$tree/open.so"
    expect_red hardened "$tree/open.so"

    plant() { # NAME SOURCE...: a shared object of them, each compiled by itself
        local name=$1 i=0 text
        shift
        for text in "$@"; do
            i=$((i + 1))
            echo "$text" | cc -x c -O1 -fPIC -fvisibility=hidden -c -o "$tree/$name$i.o" -
        done
        cc -shared -o "$tree/$name.so" "$tree/$name"*.o
    }
    plant itself 'int f(int *a); int f(int *a) { return *a > 0 ? f(a + 1) * *a : f(a + 2) - 1; }'
    plant mutual 'int g(int *a); int f(int *a); int f(int *a) { return *a > 0 ? g(a + 1) * *a : 0; }' \
        'int f(int *a); int g(int *a); int g(int *a) { return f(a + *a); }'
    plant handed 'int each(int *a, int (*visit)(int *)); int each(int *a, int (*visit)(int *)) { return visit(a) + 1; }' \
        'int each(int *a, int (*visit)(int *)); int f(int *a); int f(int *a) { return *a > 0 ? each(a + 1, f) * *a : 0; }'
    plant none 'int g(int *a); int f(int *a); int f(int *a) { while (*a > 0) a += g(a); return g(a); }' \
        'int g(int *a); int g(int *a) { return *a * 2; }'
    expect_red recursion "$tree/itself.so"
    expect_red recursion "$tree/mutual.so"
    expect_red recursion "$tree/handed.so"
    "$0" recursion "$tree" "$tree/none.so" || breach "the rule 'recursion' complained where there is none"
    echo "$expected breaches made, $((expected - breaches)) found"
}

"check_$rule" "$@"
[ "$breaches" -eq 0 ]
