#!/bin/sh
# header_rules.sh HEADER: the header includes nothing but <stddef.h> and <stdint.h>, has no type whose size may differ
# between compilers, and the thread tag in each function's comment says what POLARIS_ES_THREAD_RULES says.
set -eu
header=$1
failed=0
complain() {
    echo "$header: $*" >&2
    failed=1
}

others=$(grep -E '^[[:space:]]*#[[:space:]]*include' "$header" | grep -vE '<(stddef|stdint)\.h>' || true)
[ -z "$others" ] || complain "includes more than <stddef.h> and <stdint.h>: $others"

code=$(sed -e 's://.*$::' "$header" | awk '
    { line = $0; out = ""
      while (line != "") {
          if (inside) { i = index(line, "*/"); if (!i) { line = ""; break } line = substr(line, i + 2); inside = 0 }
          else { i = index(line, "/*"); if (!i) { out = out line; line = "" }
                 else { out = out substr(line, 1, i - 1); line = substr(line, i + 2); inside = 1 } } }
      print out }')
fields=$(printf '%s\n' "$code" | awk '/^typedef struct [a-z_]+ \{/ { inside = 1 } inside { print } /^}/ { inside = 0 }')
sloppy=$(printf '%s\n' "$fields" | grep -nE '\b(long|short|bool|_Bool|enum|size_t|unsigned|wchar_t)\b|:[[:space:]]*[0-9]+;' || true)
[ -z "$sloppy" ] || complain "a struct has a member whose size depends on the compiler: $sloppy"
unsized=$(printf '%s\n' "$fields" | awk '
    /^typedef struct/ { name = $3; getline; if ($0 !~ /^ *uint32_t size;/ && name != "polaris_bytes") print name }')
[ -z "$unsized" ] || complain "these structs do not start with their size: $unsized"

# The rules as the program reads them, and as the comments tell them: "slot who state blocks calls", in order.
rules=$(sed -n '/^#define POLARIS_ES_THREAD_RULES(X)/,/[^\\]$/p' "$header" |
    sed -n 's/^ *X(\([a-z_]*\), \([a-z]*\), \([a-z]*\), \([a-z]*\), \([a-z]*\)).*/\1 \2 \3 \4 \5/p')
tags=$(awk '
    /^typedef struct polaris_es_table \{/ { inside = 1 }
    /^} polaris_es_table;/ { inside = 0 }
    !inside { next }
    /\[who: [a-z]+; state: [a-z]+; blocks: [a-z]+; calls: [a-z]+\]/ {
        tag = $0
        sub(/.*\[who: /, "", tag); sub(/\].*/, "", tag); gsub(/; [a-z]+: /, " ", tag)
        next
    }
    /^ *int32_t \(\*[a-z_]+\)\(/ { slot = $0; sub(/^ *int32_t \(\*/, "", slot); sub(/\).*/, "", slot) }
    /^ *polaris_es_verb [a-z_]+;/ { slot = $2; sub(/;/, "", slot) }
    slot != "" { print slot " " (tag == "" ? "has no tag" : tag); slot = ""; tag = "" }
' "$header")
[ -n "$rules" ] || complain "POLARIS_ES_THREAD_RULES was not found"
if [ "$rules" != "$tags" ]; then
    complain "the thread tags and POLARIS_ES_THREAD_RULES differ"
    printf 'rules:\n%s\ntags:\n%s\n' "$rules" "$tags" >&2
fi

# The closed grammar: no tag has a word that the header does not explain.
strange=$(grep -E '\[who: ' "$header" | grep -vE '\[who: W; state: S; blocks: B; calls: C\]' | grep -vE \
    '\[who: (any|exclusive); state: (loaded|ready); blocks: (no|bounded); calls: (none|services|sink|both)\]' || true)
[ -z "$strange" ] || complain "a thread tag is outside the grammar: $strange"

exit $failed
