/* compile_emit.c: appending records to the program under construction: texts, numbers, constants, tables. */
#include "validate/compile.h"

#include "validate/hash.h"
#include "wire/shape.h"

#include <stdlib.h>

static const uint32_t RECORD_SIZES[SECTION_COUNT] = {
#define RECORD_SIZE(name, record) [SECTION_##name] = sizeof(record),
    PROGRAM_SECTIONS(RECORD_SIZE)
#undef RECORD_SIZE
};

uint32_t compile_append(struct compiler *compiler, enum section section, const void *records, uint32_t count) {
    struct vector *vector = &compiler->sections[section];
    uint32_t first = vector->count;
    compiler->program_size += (uint64_t)count * RECORD_SIZES[section];
    if (compiler->status != OK) {
        return 0;
    }
    if (compiler->program_size > compiler->options->limits.schema_program_size_max) {
        compile_limit(compiler, "schema_program_size_max", compiler->options->limits.schema_program_size_max);
        return 0;
    }
    if (!vector_append(vector, RECORD_SIZES[section], records, count)) {
        compile_no_memory(compiler);
        return 0;
    }
    return first;
}

uint32_t compile_text(struct compiler *compiler, struct bytes text) {
    return compile_append(compiler, SECTION_text, text.data, (uint32_t)text.size);
}

uint32_t compile_bound(struct compiler *compiler, struct number number) {
    struct bound bound = {.number = number, .decimal = decimal_from_number(number)};
    return compile_append(compiler, SECTION_bounds, &bound, 1);
}

/* ---- constants ---- */

uint32_t compile_constant(struct compiler *compiler, struct wire_value value) {
    const struct wire_document *document = value.document;
    struct bytes raw = wire_value_raw(value);
    uint32_t offset = compile_append(compiler, SECTION_constant_bytes, raw.data, (uint32_t)raw.size);
    uint32_t count = value_item(value)->next - value.index;
    uint32_t first = compile_append(compiler, SECTION_constants, NULL, count);
    if (compiler->status != OK || !compile_spend(compiler, count)) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct wire_item item = document->items[value.index + i];
        item.offset = item.offset - value_item(value)->offset + offset;
        item.next = item.next - value.index + first;
        *SECTION(compiler, constants, struct wire_item, first + i) = item;
    }
    return first;
}

static struct wire_value constant_value(struct wire_document *document, const struct compiler *compiler,
                                        uint32_t item) {
    *document = (struct wire_document){
        .input = {compiler->sections[SECTION_constant_bytes].data, compiler->sections[SECTION_constant_bytes].count},
        .items = compiler->sections[SECTION_constants].data,
        .item_count = compiler->sections[SECTION_constants].count};
    return (struct wire_value){document, item};
}

/* Puts the constant into its slot; false: an equal one is there. */
static bool place_constant(struct compiler *compiler, const struct enumeration *set, uint32_t item) {
    struct wire_document document;
    struct wire_value value = constant_value(&document, compiler, item);
    uint64_t hash = value_hash(value, compiler->options->seed);
    for (uint32_t at = (uint32_t)hash & set->mask;; at = (at + 1) & set->mask) {
        struct enum_slot *slot = SECTION(compiler, enum_slots, struct enum_slot, set->slots + at);
        if (slot->item == NO_INDEX) {
            *slot = (struct enum_slot){.hash = hash, .item = item};
            return true;
        }
        if (!compile_spend(compiler, 1)) {
            return false;
        }
        if (slot->hash == hash &&
            value_equal(value, (struct wire_value){&document, slot->item}, &compiler->work) == VERDICT_YES) {
            return false;
        }
    }
}

uint32_t compile_enumeration(struct compiler *compiler, struct wire_value values) {
    uint32_t count = value_item(values)->size;
    uint32_t capacity = 4;
    while (capacity < 2 * (uint64_t)count) {
        capacity *= 2;
    }
    struct enumeration set = {.count = count, .mask = capacity - 1, .texts = NO_INDEX};
    CLEANUP(vector_done) struct vector texts = {0}; /* struct key */
    set.items = compile_append(compiler, SECTION_links, NULL, count);
    set.slots = compile_append(compiler, SECTION_enum_slots, NULL, capacity);
    for (uint32_t i = 0; i < capacity && compiler->status == OK; i++) {
        SECTION(compiler, enum_slots, struct enum_slot, set.slots + i)->item = NO_INDEX;
    }
    struct wire_value element = {values.document, values.index + 1};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t item = compile_constant(compiler, element);
        if (compiler->status != OK) {
            return 0;
        }
        *SECTION(compiler, links, uint32_t, set.items + i) = item;
        set.types |= value_types(element);
        if (place_constant(compiler, &set, item) && wire_value_kind(element) == WIRE_STR) {
            struct bytes text = value_text(element);
            struct key key = {.text = compile_text(compiler, text), .size = (uint32_t)text.size, .schema = NO_INDEX};
            if (!vector_append(&texts, sizeof key, &key, 1)) {
                compile_no_memory(compiler);
            }
        }
        element = wire_value_next(element);
    }
    if (texts.count > 0) {
        set.texts = compile_table(compiler, texts.data, texts.count);
    }
    return compile_append(compiler, SECTION_enums, &set, 1);
}

/* ---- patterns ---- */

enum { PATTERN_STEPS_PER_STEP = 16 };

uint32_t compile_pattern(struct compiler *compiler, uint32_t source, uint32_t item, struct bytes text) {
    uint64_t hash = hash_bytes(text, compiler->options->seed);
    uint32_t cursor = 0;
    uint32_t found;
    while ((found = index_next(&compiler->pattern_index, hash, &cursor)) != NO_INDEX) {
        if (bytes_equal(*VECTOR_AT(compiler->pattern_texts, struct bytes, found), text)) {
            return found;
        }
    }
    if (compiler->status != OK) {
        return 0;
    }
    const struct validate_limits *limits = &compiler->options->limits;
    if (compiler->patterns.count == limits->schema_patterns_max) {
        compile_limit(compiler, "schema_patterns_max", limits->schema_patterns_max);
        return 0;
    }
    struct pattern_limits pattern_limits = PATTERN_LIMITS_DEFAULT;
    pattern_limits.step_max = limits->pattern_steps_max;
    struct pattern *pattern = NULL;
    struct error reason;
    enum status status = pattern_compile(text, &pattern_limits, &pattern, &reason);
    if (status != OK) {
        compile_refuse(compiler, status, source, item, "%s", reason.message);
        return 0;
    }
    uint32_t number = compiler->patterns.count;
    if (!vector_append(&compiler->patterns, sizeof pattern, &pattern, 1)) {
        pattern_free(pattern);
        compile_no_memory(compiler);
        return 0;
    }
    compiler->program_size += pattern_memory(pattern);
    compile_spend(compiler, 1 + pattern_compile_steps(pattern) / PATTERN_STEPS_PER_STEP);
    if (!vector_append(&compiler->pattern_texts, sizeof text, &text, 1) ||
        !index_add(&compiler->pattern_index, hash, number)) {
        compile_no_memory(compiler);
    }
    return number;
}

/* ---- key tables ---- */

enum {
    CLUSTER_MAX = 24,
    SEED_TRIES = 16,
    MARKED_MAX = 4096, /* keys; with more of them too many have the same mark */
    FACTOR_TRIES_MIN = 4,
    FACTOR_TRIES_MAX = 64,
    MARKED_CLUSTER_MAX = 8
};

/* False: under this seed or factor some key has more than `passed_max` others before it. */
static bool fill_table(struct compiler *compiler, const struct key_table *table, uint32_t passed_max) {
    uint32_t *slots = SECTION(compiler, slots, uint32_t, table->slots);
    struct wire_mark_keys marks = wire_mark_keys(compiler->options->seed);
    memset(slots, 0, ((size_t)table->mask + 1) * sizeof *slots);
    for (uint32_t i = 0; i < table->count; i++) {
        struct key *key = SECTION(compiler, keys, struct key, table->first + i);
        struct bytes text = {SECTION(compiler, text, uint8_t, key->text), key->size};
        struct key_place place = key_place(table, text, wire_text_mark(text, marks));
        uint32_t slot = place.slot;
        uint32_t passed = 0;
        for (; slots[slot] != 0; slot = (slot + 1) & table->mask) {
            if (++passed > passed_max) {
                return false;
            }
            if (!compile_spend(compiler, 1)) {
                return true;
            }
        }
        key->hash = place.hash;
        slots[slot] = i + 1;
    }
    return true;
}

/* Looks for a factor under which no two keys meet, then for one under which few do. False: too many have the same
 * mark, as there are too many keys, or their seed is known. */
static bool fill_marked(struct compiler *compiler, struct key_table *table) {
    uint32_t tries = MARKED_MAX / (table->count + 1);
    tries = tries < FACTOR_TRIES_MIN ? FACTOR_TRIES_MIN : tries > FACTOR_TRIES_MAX ? FACTOR_TRIES_MAX : tries;
    table->shift = (uint32_t)__builtin_clz(table->mask);
    for (uint32_t i = 0; i < tries && table->count <= MARKED_MAX; i++) {
        table->seed = hash_number(i, HASH_SEED) | 1;
        if (fill_table(compiler, table, MARKED_CLUSTER_MAX * i / tries) ||
            !compile_spend(compiler, 1 + table->count / 16)) {
            return true;
        }
    }
    table->shift = 0;
    table->seed = hash_number(compiler->options->seed, HASH_SEED);
    return false;
}

uint32_t compile_table(struct compiler *compiler, struct key *keys, uint32_t count) {
    uint64_t capacity = 4;
    while (capacity < 2 * (uint64_t)count + 1) {
        capacity *= 2;
    }
    struct key_table table = {.count = count, .mask = (uint32_t)capacity - 1};
    table.first = compile_append(compiler, SECTION_keys, keys, count);
    table.slots = compile_append(compiler, SECTION_slots, NULL, (uint32_t)capacity);
    if (compiler->status != OK) {
        return 0;
    }
    bool is_filled = fill_marked(compiler, &table);
    /* Keys made to collide under one seed do not under another. */
    for (int tries = 1; !is_filled; tries++) {
        is_filled = fill_table(compiler, &table, tries == SEED_TRIES ? UINT32_MAX : CLUSTER_MAX);
        table.seed = is_filled ? table.seed : hash_number(table.seed, HASH_SEED);
    }
    return compile_append(compiler, SECTION_tables, &table, 1);
}
