/* compatible_node.c: the subschemas of both sides, read once each: keywords, references, sameness, verdicts. */
#include "validate/compatible_prover.h"

#include "validate/format.h"
#include "validate/hash.h"
#include "validate/uri.h"

#include <stdio.h>
#include <stdlib.h>

enum { NODES_MAX = 1 << 20 };

void prover_no_memory(struct prover *prover) {
    if (prover->status == OK) {
        prover->status = error_set(prover->error, NO_MEMORY, "no memory to compare two schemas");
    }
}

struct wire_value node_member(const struct prover *prover, uint32_t node, enum keyword keyword) {
    const struct node *of = NODE(prover, node);
    return (struct wire_value){prover->sides[of->side].sources[of->source].root.document, of->members[keyword]};
}

uint32_t count_of(struct wire_value value) {
    struct number number = number_of(value);
    if (number.kind != NUMBER_INT || number.as.i >= UINT32_MAX) {
        return UINT32_MAX;
    }
    return number.as.i < 0 ? 0 : (uint32_t)number.as.i;
}

/* ---- reading ---- */

static const uint8_t IN_PLACE[] = {KEYWORD_REF,         KEYWORD_DYNAMIC_REF, KEYWORD_ALL_OF, KEYWORD_ANY_OF,
                                   KEYWORD_ONE_OF,      KEYWORD_NOT,         KEYWORD_IF,     KEYWORD_DEPENDENT_SCHEMAS,
                                   KEYWORD_DEPENDENCIES};

bool node_format_is_asserted(const struct prover *prover, uint32_t node) {
    const struct node *of = NODE(prover, node);
    const struct dialect dialect = RESOURCE(&prover->sides[of->side], of->resource)->dialect;
    struct wire_value value = node_member(prover, node, KEYWORD_FORMAT);
    bool is_asserted = prover->given[of->side]->options->assert_format ||
                       (dialect.draft == VALIDATE_2020_12 && (dialect.vocabularies & VOCABULARY_FORMAT_ASSERTION) != 0);
    if (!is_asserted || value.index == NO_INDEX || wire_value_kind(value) != WIRE_STR) {
        return false;
    }
    enum format_id format = format_find(value_text(value));
    return format != FORMAT_UNKNOWN && (dialect.draft == VALIDATE_2020_12 || format_in_draft_07(format));
}

static void leave_out(struct node *node, enum keyword keyword) {
    node->members[keyword] = NO_INDEX;
}

/* unevaluated* beside no keyword that applies to the same value is additional*. */
static void simplify_rest(struct node *node, const struct dialect *dialect) {
    if (dialect->draft == VALIDATE_DRAFT_07 || node->in_place) {
        return;
    }
    if (node_has(node, KEYWORD_UNEVALUATED_PROPERTIES)) {
        if (!node_has(node, KEYWORD_ADDITIONAL_PROPERTIES)) {
            node->members[KEYWORD_ADDITIONAL_PROPERTIES] = node->members[KEYWORD_UNEVALUATED_PROPERTIES];
        }
        leave_out(node, KEYWORD_UNEVALUATED_PROPERTIES);
    }
    if (node_has(node, KEYWORD_UNEVALUATED_ITEMS) && !node_has(node, KEYWORD_CONTAINS)) {
        if (!node_has(node, KEYWORD_ITEMS)) {
            node->members[KEYWORD_ITEMS] = node->members[KEYWORD_UNEVALUATED_ITEMS];
        }
        leave_out(node, KEYWORD_UNEVALUATED_ITEMS);
    }
}

static void leave_out_idle(struct node *node, const struct wire_document *document) {
    static const uint8_t SILENT[] = {KEYWORD_ID,   KEYWORD_SCHEMA,      KEYWORD_ANCHOR,        KEYWORD_DYNAMIC_ANCHOR,
                                     KEYWORD_DEFS, KEYWORD_DEFINITIONS, KEYWORD_CONTENT_SCHEMA};
    for (size_t i = 0; i < sizeof SILENT; i++) {
        leave_out(node, (enum keyword)SILENT[i]);
    }
    if (!node_has(node, KEYWORD_IF)) {
        leave_out(node, KEYWORD_THEN);
        leave_out(node, KEYWORD_ELSE);
    }
    if (!node_has(node, KEYWORD_CONTAINS)) {
        leave_out(node, KEYWORD_MIN_CONTAINS);
        leave_out(node, KEYWORD_MAX_CONTAINS);
    }
    uint32_t items = node->members[KEYWORD_ITEMS];
    if (items == NO_INDEX || document->items[items].kind != WIRE_ARRAY) {
        leave_out(node, KEYWORD_ADDITIONAL_ITEMS);
    }
    uint32_t unique = node->members[KEYWORD_UNIQUE_ITEMS];
    if (unique != NO_INDEX && !wire_value_bool((struct wire_value){document, unique})) {
        leave_out(node, KEYWORD_UNIQUE_ITEMS);
    }
}

static void read_members(struct prover *prover, struct node *node, struct wire_value schema) {
    const struct dialect dialect = RESOURCE(&prover->sides[node->side], node->resource)->dialect;
    struct wire_value name = {schema.document, schema.index + 1};
    for (uint32_t left = value_item(schema)->size; left > 0; left--) {
        struct wire_value value = wire_value_next(name);
        enum keyword keyword = keyword_find(&dialect, value_text(name));
        if (keyword != KEYWORD_NONE) {
            node->members[keyword] = value.index;
        }
        name = wire_value_next(value);
    }
    if (dialect.draft == VALIDATE_DRAFT_07 && node_has(node, KEYWORD_REF)) {
        uint32_t ref = node->members[KEYWORD_REF];
        memset(node->members, 0xFF, sizeof node->members);
        node->members[KEYWORD_REF] = ref; /* its siblings mean nothing */
    }
    leave_out_idle(node, schema.document);
    for (size_t i = 0; i < sizeof IN_PLACE; i++) {
        node->in_place = node->in_place || node_has(node, (enum keyword)IN_PLACE[i]);
    }
    simplify_rest(node, &dialect);
}

static uint32_t node_add(struct prover *prover, struct node *node, uint64_t hash) {
    struct compiler *compiler = &prover->sides[node->side];
    if (*compile_record(compiler, node->source, node->item) == 0 &&
        compile_scan_item(compiler, node->source, node->item) != OK) {
        prover->status = compiler->status;
        return NODE_TRUE;
    }
    struct wire_value schema = compile_item(compiler, node->source, node->item);
    uint32_t record = *compile_record(compiler, node->source, node->item);
    if (record == 0 || prover->nodes.count >= NODES_MAX || !prover_spend(prover, 1 + value_item(schema)->size)) {
        prover->work.limit = prover->work.limit == WORK_FINE ? WORK_STEPS : prover->work.limit;
        return NODE_TRUE;
    }
    node->resource = record - 1;
    memset(node->members, 0xFF, sizeof node->members);
    if (wire_value_kind(schema) == WIRE_MAP) {
        read_members(prover, node, schema);
        node->is_true = true;
        for (int i = 0; i < KEYWORD_COUNT; i++) {
            node->is_true = node->is_true && !node_has(node, (enum keyword)i);
        }
    } else {
        node->is_true = wire_value_bool(schema);
        node->is_false = !node->is_true;
    }
    uint32_t number = prover->nodes.count;
    if (!vector_append(&prover->nodes, sizeof *node, node, 1) || !index_add(&prover->node_index, hash, number)) {
        prover_no_memory(prover);
        return NODE_TRUE;
    }
    bool only_format = node_has(node, KEYWORD_FORMAT) && !node_format_is_asserted(prover, number);
    if (only_format) {
        struct node *added = NODE(prover, number);
        leave_out(added, KEYWORD_FORMAT);
        added->is_true = true;
        for (int i = 0; i < KEYWORD_COUNT; i++) {
            added->is_true = added->is_true && !node_has(added, (enum keyword)i);
        }
    }
    return number;
}

uint32_t node_find(struct prover *prover, enum side side, uint32_t source, uint32_t item) {
    uint64_t hash = hash_mix(hash_number((uint64_t)source << 32 | item, HASH_SEED), HASH_SEED + side);
    uint32_t cursor = 0;
    uint32_t found;
    if (prover->status != OK) {
        return NODE_TRUE;
    }
    while ((found = index_next(&prover->node_index, hash, &cursor)) != NO_INDEX) {
        const struct node *node = NODE(prover, found);
        if (node->side == side && node->source == source && node->item == item) {
            return found;
        }
    }
    struct node node = {.side = (uint8_t)side, .source = source, .item = item};
    return node_add(prover, &node, hash);
}

uint32_t node_child(struct prover *prover, uint32_t node, uint32_t item) {
    const struct node *of = NODE(prover, node);
    return node_find(prover, (enum side)of->side, of->source, item);
}

/* ---- references ---- */

static uint32_t count_dynamic(const struct compiler *compiler, struct bytes name) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < compiler->anchors.count; i++) {
        const struct anchor *anchor = VECTOR_AT(compiler->anchors, struct anchor, i);
        count += anchor->is_dynamic && bytes_equal(anchor->name, name);
    }
    return count;
}

uint32_t node_target(struct prover *prover, uint32_t node, enum keyword keyword) {
    bool is_dynamic = keyword == KEYWORD_DYNAMIC_REF;
    struct node of = *NODE(prover, node);
    if (of.targets[is_dynamic] != 0) {
        return of.targets[is_dynamic] - 1;
    }
    struct compiler *compiler = &prover->sides[of.side];
    struct wire_value reference = node_member(prover, node, keyword);
    struct target target = {0};
    if (compile_resolve(compiler, of.resource, of.source, reference.index, value_text(reference), &target) != OK) {
        prover->status = prover->status == OK ? compiler->status : prover->status;
        return NODE_TRUE;
    }
    uint32_t found = node_find(prover, (enum side)of.side, target.source, target.item);
    if (is_dynamic && target.anchor != NO_INDEX) {
        const struct anchor *anchor = VECTOR_AT(compiler->anchors, struct anchor, target.anchor);
        NODE(prover, node)->is_opaque = anchor->is_dynamic && count_dynamic(compiler, anchor->name) > 1;
    }
    NODE(prover, node)->targets[is_dynamic] = found + 1;
    return found;
}

/* ---- places ---- */

bool node_append_token(struct bytes token, struct buffer *ret) {
    bool fine = true;
    for (size_t i = 0; i < token.size && fine; i++) {
        uint8_t c = token.data[i];
        fine = c == '~'   ? buffer_append(ret, "~0", 2)
               : c == '/' ? buffer_append(ret, "~1", 2)
                          : buffer_append(ret, &c, 1);
    }
    return fine;
}

static bool append_way(const struct source *source, uint32_t item, bool encoded, struct buffer *ret) {
    uint32_t way[1024];
    uint32_t count = 0;
    const struct wire_document *document = source->root.document;
    uint32_t base = source->root.index;
    for (uint32_t at = item - base; source->parents[at] != NO_INDEX && count < 1024; at = source->parents[at]) {
        way[count++] = at;
    }
    bool fine = true;
    while (count > 0 && fine) {
        uint32_t at = way[--count];
        char number[16];
        snprintf(number, sizeof number, "%u", source->positions[at]);
        bool in_array = document->items[base + source->parents[at]].kind == WIRE_ARRAY;
        struct bytes token =
            in_array ? bytes_from_string(number) : value_text((struct wire_value){document, base + at - 1});
        fine = buffer_append(ret, "/", 1) && (encoded ? uri_append_token : node_append_token)(token, ret);
    }
    return fine;
}

bool node_pointer(const struct prover *prover, uint32_t number, uint32_t item, struct buffer *ret) {
    const struct node *node = NODE(prover, number);
    const struct source *source = &prover->sides[node->side].sources[node->source];
    if (number <= NODE_TRUE) {
        return true;
    }
    if (node->source != 0 && source->uri.size > 0 &&
        (!buffer_append(ret, source->uri.data, source->uri.size) || !buffer_append(ret, "#", 1))) {
        return false;
    }
    return append_way(source, item, false, ret);
}

bool node_fragment(const struct prover *prover, uint32_t number, struct buffer *ret) {
    const struct node *node = NODE(prover, number);
    return append_way(&prover->sides[node->side].sources[node->source], node->item, true, ret);
}

/* ---- sameness ---- */

struct same_pair {
    uint32_t a, b;
    bool same;
};

static struct same_pair *find_pair(struct prover *prover, uint32_t a, uint32_t b) {
    uint64_t hash = hash_number((uint64_t)a << 32 | b, HASH_SEED);
    uint32_t cursor = 0;
    uint32_t found;
    while ((found = index_next(&prover->same_index, hash, &cursor)) != NO_INDEX) {
        struct same_pair *pair = VECTOR_AT(prover->same_pairs, struct same_pair, found);
        if (pair->a == a && pair->b == b) {
            return pair;
        }
    }
    return NULL;
}

static bool add_pair(struct prover *prover, uint32_t a, uint32_t b) {
    struct same_pair pair = {.a = a, .b = b, .same = true};
    uint64_t hash = hash_number((uint64_t)a << 32 | b, HASH_SEED);
    if (!index_add(&prover->same_index, hash, prover->same_pairs.count) ||
        !vector_append(&prover->same_pairs, sizeof pair, &pair, 1)) {
        prover_no_memory(prover);
        return false;
    }
    return true;
}

/* The pair's turn comes, or has come. */
static bool want_pair(struct prover *prover, uint32_t a, uint32_t b) {
    const struct same_pair *known = find_pair(prover, a, b);
    return known != NULL ? known->same : add_pair(prover, a, b);
}

static bool same_dialect(const struct prover *prover, const struct node *a, const struct node *b) {
    const struct dialect left = RESOURCE(&prover->sides[a->side], a->resource)->dialect;
    const struct dialect right = RESOURCE(&prover->sides[b->side], b->resource)->dialect;
    return left.draft == right.draft && left.vocabularies == right.vocabularies &&
           prover->given[a->side]->options->assert_format == prover->given[b->side]->options->assert_format;
}

/* The pairs of subschemas within a pair that is the same by value; their references are compared when their turn
 * comes. */
static bool add_children(struct prover *prover, uint32_t a, uint32_t b) {
    for (int i = 1; i < KEYWORD_COUNT; i++) {
        enum keyword keyword = (enum keyword)i;
        enum keyword_shape shape = keyword_shape(keyword);
        if (shape == SHAPE_NONE || !node_has(NODE(prover, a), keyword)) {
            continue;
        }
        struct wire_value left = node_member(prover, a, keyword);
        struct wire_value right = node_member(prover, b, keyword);
        enum wire_kind kind = wire_value_kind(left);
        bool is_map_of = shape == SHAPE_MAP || shape == SHAPE_MAP_OF_EITHER;
        if (kind == WIRE_BOOL || (kind == WIRE_MAP && !is_map_of)) {
            if (!want_pair(prover, node_child(prover, a, left.index), node_child(prover, b, right.index))) {
                return false;
            }
            continue;
        }
        struct wire_value at = {left.document, left.index + 1};
        struct wire_value other = {right.document, right.index + 1};
        for (uint32_t n = value_item(left)->size; n > 0 && prover_spend(prover, 1); n--) {
            if (kind == WIRE_MAP) {
                struct bytes name = value_text(at);
                other = value_member(right, name);
                at = wire_value_next(at);
                if (!prover_spend(prover, value_item(right)->size / 8)) {
                    return false;
                }
            }
            enum wire_kind member = wire_value_kind(at);
            if ((member == WIRE_MAP || member == WIRE_BOOL) &&
                !want_pair(prover, node_child(prover, a, at.index), node_child(prover, b, other.index))) {
                return false;
            }
            at = wire_value_next(at);
            other = kind == WIRE_MAP ? other : wire_value_next(other);
        }
    }
    return true;
}

/* What of the pair is not decided by its subschemas. */
static bool same_here(struct prover *prover, uint32_t a, uint32_t b) {
    const struct node *left = NODE(prover, a);
    const struct node *right = NODE(prover, b);
    if (!same_dialect(prover, left, right)) {
        return false;
    }
    struct wire_value values[2] = {compile_item(&prover->sides[left->side], left->source, left->item),
                                   compile_item(&prover->sides[right->side], right->source, right->item)};
    if (value_equal(values[0], values[1], &prover->work) != VERDICT_YES) {
        return false;
    }
    static const enum keyword REFERENCES[] = {KEYWORD_REF, KEYWORD_DYNAMIC_REF};
    for (int i = 0; i < 2; i++) {
        if (!node_has(NODE(prover, a), REFERENCES[i])) {
            continue;
        }
        uint32_t from = node_target(prover, a, REFERENCES[i]);
        uint32_t to = node_target(prover, b, REFERENCES[i]);
        if (NODE(prover, a)->is_opaque || NODE(prover, b)->is_opaque) {
            return false;
        }
        if (!want_pair(prover, from, to)) {
            return false;
        }
    }
    return prover->status == OK;
}

bool node_same(struct prover *prover, uint32_t a, uint32_t b) {
    if (a == b) {
        return true;
    }
    if (a <= NODE_TRUE || b <= NODE_TRUE) {
        return false;
    }
    const struct same_pair *known = find_pair(prover, a, b);
    if (known != NULL) {
        return known->same;
    }
    uint32_t first = prover->same_pairs.count;
    bool same = add_pair(prover, a, b);
    for (uint32_t i = first; same && i < prover->same_pairs.count; i++) {
        struct same_pair pair = *VECTOR_AT(prover->same_pairs, struct same_pair, i);
        if (pair.a == pair.b) {
            continue;
        }
        /* Children of what is the same by value are so too, but those of references have to be looked at. */
        same = prover_spend(prover, 4) && pair.a > NODE_TRUE && pair.b > NODE_TRUE &&
               same_here(prover, pair.a, pair.b) && add_children(prover, pair.a, pair.b);
    }
    if (!same) {
        for (uint32_t i = first; i < prover->same_pairs.count; i++) {
            VECTOR_AT(prover->same_pairs, struct same_pair, i)->same = false;
        }
    }
    return same && prover->status == OK;
}
