/* compatible_probe.c: which values to try: made to break one keyword, then those on either side of every bound that the
 * schemas name, then plain ones. */
#include "validate/compatible_witness.h"

#include "validate/value.h"

#include <math.h>

enum { PAIRS_MAX = 8, CHOICES_MAX = 16, VARIANTS_MAX = 6, LENGTH_MAX = 8192 };

struct probe {
    struct hunt *hunt;
    const struct set *set;
    uint32_t reader;
    uint32_t kinds;
};

static bool try_buffer(struct probe *probe, bool made) {
    return made && hunt_try(probe->hunt, buffer_view(&probe->hunt->value));
}

/* A value that another set describes. */
static bool try_set(struct probe *probe, const struct set *set, struct plan plan) {
    probe->hunt->value.size = 0;
    return try_buffer(probe, build_value(probe->hunt->prover, set, plan, &probe->hunt->value));
}

static bool try_plan(struct probe *probe, struct plan plan) {
    return try_set(probe, probe->set, plan);
}

static bool try_kinds(struct probe *probe, uint32_t kinds, uint32_t variants) {
    for (uint32_t kind = 1; kind < KIND_OTHER; kind <<= 1) {
        for (uint32_t variant = 0; variant < variants && (kinds & kind) != 0; variant++) {
            if (try_plan(probe, (struct plan){.kinds = kind, .variant = variant})) {
                return true;
            }
        }
    }
    return false;
}

/* ---- numbers ---- */

static bool try_number(struct probe *probe, double number) {
    probe->hunt->value.size = 0;
    return try_buffer(probe, isfinite(number) && put_number(number, &probe->hunt->value));
}

static bool try_around(struct probe *probe, struct number bound) {
    static const double STEPS[] = {1, -1, 0.5, -0.5};
    if (bound.kind == NUMBER_INT && bound.as.i > INT64_MIN && bound.as.i < INT64_MAX) {
        for (int64_t step = -1; step <= 1; step++) {
            struct number near = {.kind = NUMBER_INT, .as.i = bound.as.i + step};
            probe->hunt->value.size = 0;
            if (try_buffer(probe, put_exact(near, &probe->hunt->value))) {
                return true;
            }
        }
        return try_number(probe, (double)bound.as.i + 0.5) || try_number(probe, (double)bound.as.i - 0.5);
    }
    double center = bound.kind == NUMBER_DOUBLE ? bound.as.d : (double)bound.as.u;
    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
        if (try_number(probe, center + STEPS[i])) {
            return true;
        }
    }
    return try_number(probe, center) || try_number(probe, floor(center)) || try_number(probe, ceil(center)) ||
           try_number(probe, nextafter(center, HUGE_VAL)) || try_number(probe, nextafter(center, -HUGE_VAL));
}

static bool try_multiples(struct probe *probe, uint32_t count) {
    for (uint32_t salt = 0; salt < count; salt++) {
        if (try_plan(probe, (struct plan){.kinds = KIND_INTEGER, .salt = salt}) ||
            try_plan(probe, (struct plan){.kinds = KIND_FRACTION, .salt = salt})) {
            return true;
        }
    }
    return false;
}

/* ---- counts ---- */

static bool try_length(struct probe *probe, uint32_t kind, uint32_t count) {
    if (count > LENGTH_MAX) {
        return false;
    }
    struct plan plan = {.kinds = kind,
                        .has_length = kind == KIND_STRING,
                        .length = count,
                        .has_count = kind != KIND_STRING,
                        .count = count};
    return try_plan(probe, plan);
}

static bool try_lengths(struct probe *probe, uint32_t kind, uint32_t count) {
    return (count > 0 && try_length(probe, kind, count - 1)) || try_length(probe, kind, count) ||
           (count < UINT32_MAX && try_length(probe, kind, count + 1));
}

static uint32_t kind_of_count(enum keyword keyword) {
    switch ((int)keyword) {
    case KEYWORD_MIN_LENGTH:
    case KEYWORD_MAX_LENGTH:
        return KIND_STRING;
    case KEYWORD_MIN_ITEMS:
    case KEYWORD_MAX_ITEMS:
    case KEYWORD_MIN_CONTAINS:
    case KEYWORD_MAX_CONTAINS:
        return KIND_ARRAY;
    case KEYWORD_MIN_PROPERTIES:
    case KEYWORD_MAX_PROPERTIES:
        return KIND_OBJECT;
    default:
        return 0;
    }
}

/* ---- what the schemas name ---- */

static bool try_choices(struct probe *probe, struct wire_value array) {
    struct wire_value choice = {array.document, array.index + 1};
    for (uint32_t i = 0; i < value_item(array)->size && i < CHOICES_MAX; i++) {
        if (hunt_try(probe->hunt, wire_value_raw(choice))) {
            return true;
        }
        choice = wire_value_next(choice);
    }
    return false;
}

static bool try_keyword(struct probe *probe, uint32_t node, enum keyword keyword) {
    struct prover *prover = probe->hunt->prover;
    if (!node_has(NODE(prover, node), keyword)) {
        return false;
    }
    struct wire_value value = node_member(prover, node, keyword);
    switch ((int)keyword) {
    case KEYWORD_CONST:
        return hunt_try(probe->hunt, wire_value_raw(value));
    case KEYWORD_ENUM:
        return try_choices(probe, value);
    case KEYWORD_MINIMUM:
    case KEYWORD_MAXIMUM:
    case KEYWORD_EXCLUSIVE_MINIMUM:
    case KEYWORD_EXCLUSIVE_MAXIMUM:
    case KEYWORD_MULTIPLE_OF:
        return try_around(probe, number_of(value));
    case KEYWORD_PATTERN:
        for (uint32_t stretch = 0; stretch < 2; stretch++) {
            CLEANUP(buffer_done) struct buffer text = {0};
            probe->hunt->value.size = 0;
            if (sample_pattern(value_text(value), stretch, &text) &&
                try_buffer(probe, text.data != NULL && put_text(buffer_view(&text), &probe->hunt->value))) {
                return true;
            }
        }
        return false;
    default:
        return kind_of_count(keyword) != 0 && try_lengths(probe, kind_of_count(keyword), count_of(value));
    }
}

static bool try_closure(struct probe *probe, uint32_t reader) {
    static const enum keyword NAMED[] = {KEYWORD_CONST,
                                         KEYWORD_ENUM,
                                         KEYWORD_MINIMUM,
                                         KEYWORD_MAXIMUM,
                                         KEYWORD_EXCLUSIVE_MINIMUM,
                                         KEYWORD_EXCLUSIVE_MAXIMUM,
                                         KEYWORD_MULTIPLE_OF,
                                         KEYWORD_PATTERN,
                                         KEYWORD_MIN_LENGTH,
                                         KEYWORD_MAX_LENGTH,
                                         KEYWORD_MIN_ITEMS,
                                         KEYWORD_MAX_ITEMS,
                                         KEYWORD_MIN_PROPERTIES,
                                         KEYWORD_MAX_PROPERTIES,
                                         KEYWORD_MIN_CONTAINS,
                                         KEYWORD_MAX_CONTAINS};
    struct prover *prover = probe->hunt->prover;
    struct set all = *probe->set;
    uint32_t first;
    uint32_t count;
    bool done = false;
    set_add(&all, reader, HOLDS);
    (void)facts_closure(prover, &all, &first, &count);
    for (uint32_t i = 0; i < count && !done; i++) {
        uint32_t node = *VECTOR_AT(prover->parts, uint32_t, first + i);
        for (size_t k = 0; k < sizeof NAMED / sizeof NAMED[0] && !done; k++) {
            done = try_keyword(probe, node, NAMED[k]);
        }
    }
    prover->parts.count = first;
    return done;
}

/* ---- made to break the keyword ---- */

static bool try_given(struct probe *probe, uint32_t node, uint32_t other) {
    for (uint32_t variant = 0; variant < 3; variant++) {
        struct set set = *probe->set;
        set_add(&set, node, HOLDS);
        set_add(&set, other, HOLDS);
        if (try_set(probe, &set, (struct plan){.kinds = UINT32_MAX, .variant = variant})) {
            return true;
        }
    }
    return false;
}

/* Two branches at once are one too many. */
static bool try_pairs(struct probe *probe, const struct obligation *obligation) {
    struct prover *prover = probe->hunt->prover;
    struct wire_value array = node_member(prover, obligation->reader, KEYWORD_ONE_OF);
    struct wire_value a = {array.document, array.index + 1};
    for (uint32_t i = 0; i < value_item(array)->size && i < PAIRS_MAX; i++) {
        struct wire_value b = {array.document, array.index + 1};
        for (uint32_t k = 0; k < i; k++) {
            if (try_given(probe, node_child(prover, obligation->reader, a.index),
                          node_child(prover, obligation->reader, b.index))) {
                return true;
            }
            b = wire_value_next(b);
        }
        a = wire_value_next(a);
    }
    return false;
}

static bool try_names(struct probe *probe) {
    static const char *const NAMES[] = {"x", "X", "", "0", "a b", "_", "xx", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        struct plan plan = {.kinds = KIND_OBJECT, .has_member = true, .name = bytes_from_string(NAMES[i])};
        if (try_plan(probe, plan)) {
            return true;
        }
    }
    uint32_t first;
    uint32_t count;
    bool done = false;
    struct prover *prover = probe->hunt->prover;
    (void)names_of_set(prover, probe->set, &first, &count);
    for (uint32_t i = 0; i < count && i < 32 && !done; i++) {
        struct bytes name = *VECTOR_AT(prover->names, struct bytes, first + i);
        done = try_plan(probe, (struct plan){.kinds = KIND_OBJECT, .has_member = true, .name = name});
    }
    prover->names.count = first;
    return done;
}

static bool try_obligation(struct probe *probe, const struct obligation *obligation) {
    struct prover *prover = probe->hunt->prover;
    const struct node node = *NODE(prover, obligation->reader);
    switch ((int)obligation->keyword) {
    case KEYWORD_TYPE:
        return try_kinds(probe, probe->kinds & ~kinds_of_types(node_member(prover, obligation->reader, KEYWORD_TYPE)),
                         2);
    case KEYWORD_MULTIPLE_OF:
        return try_multiples(probe, 8);
    case KEYWORD_UNIQUE_ITEMS:
        return try_plan(probe, (struct plan){.kinds = KIND_ARRAY, .has_count = true, .count = 2, .alike = true});
    case KEYWORD_CONTAINS:
        for (uint32_t count = 0; count < 4; count++) {
            if (try_length(probe, KIND_ARRAY, count)) {
                return true;
            }
        }
        return false;
    case KEYWORD_DEPENDENT_REQUIRED:
    case KEYWORD_DEPENDENT_SCHEMAS:
    case KEYWORD_DEPENDENCIES:
        return try_plan(probe, (struct plan){.kinds = KIND_OBJECT, .has_member = true, .name = obligation->name});
    case KEYWORD_PROPERTY_NAMES:
        return try_names(probe);
    case KEYWORD_NOT:
        return try_given(probe, node_child(prover, obligation->reader, node.members[KEYWORD_NOT]), NODE_TRUE);
    case KEYWORD_IF:
        return try_given(probe, node_child(prover, obligation->reader, node.members[KEYWORD_IF]), NODE_TRUE);
    case KEYWORD_ONE_OF:
        return try_pairs(probe, obligation);
    case KEYWORD_NONE:
        return false;
    default:
        return try_keyword(probe, obligation->reader, obligation->keyword);
    }
}

static bool try_plain(struct probe *probe) {
    static const struct {
        const char *bytes;
        size_t size;
    } PLAIN[] = {
        {"\xC0", 1},
        {"\xC3", 1},
        {"\xC2", 1},
        {"\x00", 1},
        {"\x01", 1},
        {"\xFF", 1},
        {"\xCB\x3F\xF8\x00\x00\x00\x00\x00\x00", 9},
        {"\xA0", 1},
        {"\xA1"
         "a",
         2},
        {"\xA1"
         "A",
         2},
        {"\xA1"
         "0",
         2},
        {"\xA1"
         "-",
         2},
        {"\xA1"
         " ",
         2},
        {"\xA3"
         "abc",
         4},
        {"\x90", 1},
        {"\x91\xC0", 2},
        {"\x91\x00", 2},
        {"\x92\x00\x00", 3},
        {"\x92\x00\x01", 3},
        {"\x80", 1},
        {"\x81\xA1"
         "x\xC0",
         4},
        {"\xD3\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9},
        {"\xD3\x80\x00\x00\x00\x00\x00\x00\x00", 9},
        {"\xCB\x7E\x37\xE4\x3C\x88\x00\x75\x9C", 9}, /* 1e300 */
        {"\xCB\x3F\xB9\x99\x99\x99\x99\x99\x9A", 9}, /* 0.1 */
    };
    for (size_t i = 0; i < sizeof PLAIN / sizeof PLAIN[0]; i++) {
        if (hunt_try(probe->hunt, (struct bytes){(const uint8_t *)PLAIN[i].bytes, PLAIN[i].size})) {
            return true;
        }
    }
    return false;
}

void probe_values(struct hunt *hunt, const struct set *set, uint32_t reader) {
    struct facts facts;
    facts_read(hunt->prover, set, &facts);
    struct probe probe = {.hunt = hunt, .set = set, .reader = reader, .kinds = facts.kinds};
    facts_done(hunt->prover, &facts);
    (void)(try_obligation(&probe, hunt->obligation) || try_kinds(&probe, probe.kinds, 1) ||
           try_closure(&probe, reader) || try_kinds(&probe, probe.kinds, VARIANTS_MAX) || try_plain(&probe) ||
           try_multiples(&probe, 6));
}
