/* program.h: a compiled schema: arrays of plain records that refer to each other by index, in one block of memory.
 *
 * Each subschema has two codes. The plain one has an instruction per keyword, in the order of the schema: the
 * explaining evaluator runs it. The fast one, made from it, is what verdicts come from: cheap checks first, keywords
 * fused. */
#ifndef POLARIS_PLUGIN_VALIDATE_PROGRAM_H
#define POLARIS_PLUGIN_VALIDATE_PROGRAM_H

#include "validate/dialect.h"
#include "validate/hash.h"
#include "validate/number.h"
#include "validate/pattern.h"
#include "validate/work.h"

#include <assert.h>

/* PATTERN_LINKS: for each pattern of patternProperties: pattern, subschema, its text's offset and size. */
enum { PATTERN_LINKS = 4 };

#define NO_INDEX UINT32_MAX

enum op {
    /* Assertions: they look at one value and call nothing. */
    OP_FAIL,        /* the schema `false` */
    OP_TYPE,        /* a: set of enum type_bit */
    OP_ENUM,        /* a: enumeration */
    OP_CONST,       /* a: constant */
    OP_MULTIPLE_OF, /* a: number */
    OP_MAXIMUM,     /* a: number; and so on */
    OP_EXCLUSIVE_MAXIMUM,
    OP_MINIMUM,
    OP_EXCLUSIVE_MINIMUM,
    OP_MAX_LENGTH, /* a: count; and so on */
    OP_MIN_LENGTH,
    OP_PATTERN, /* a: pattern, b: its text, c: the text's size */
    OP_FORMAT,  /* a: enum format_id */
    OP_MAX_ITEMS,
    OP_MIN_ITEMS,
    OP_UNIQUE_ITEMS,
    OP_MAX_PROPERTIES,
    OP_MIN_PROPERTIES,
    OP_REQUIRED,           /* a: key table, all of whose keys are required */
    OP_DEPENDENT_REQUIRED, /* a: key table; b: links (key, count, keys...), c: how many links */
    OP_INTEGER_RANGE,      /* fused: a: range; an integer in it */
    OP_NUMBER_RANGE,       /* fused: a: range; a number in it */
    OP_STRING_LENGTH,      /* fused: a string of a to b code points */
    OP_LAST_ASSERTION = OP_STRING_LENGTH,

    /* Applicators to the same value. b: links (subschemas), c: how many. */
    OP_REF, /* a: subschema */
    OP_ALL_OF,
    OP_ANY_OF,
    OP_ONE_OF,
    OP_NOT,               /* a: subschema */
    OP_IF,                /* a: if, b: then, c: else, each may be NO_INDEX */
    OP_DEPENDENT_SCHEMAS, /* a: key table with subschemas */
    OP_LAST_IN_PLACE = OP_DEPENDENT_SCHEMAS,

    /* Applicators to elements. */
    OP_PREFIX_ITEMS,          /* b: links (subschemas), c: how many */
    OP_ITEMS,                 /* a: subschema, b: index of the first element it is for */
    OP_CONTAINS,              /* a: subschema, b: at least, c: at most */
    OP_PROPERTIES,            /* a: key table with subschemas */
    OP_PATTERN_PROPERTIES,    /* b: links, PATTERN_LINKS each, c: how many patterns */
    OP_ADDITIONAL_PROPERTIES, /* a: object rule: a subschema for what its table and patterns do not name */
    OP_PROPERTY_NAMES,        /* a: subschema */
    OP_OBJECT,                /* fused: a: object rule: all of properties, patterns, additional, required, counts */
    OP_UNEVALUATED_ITEMS,     /* a: subschema */
    OP_UNEVALUATED_PROPERTIES,
    OP_COUNT
};

struct instruction {
    uint8_t op;
    uint8_t keyword; /* enum keyword */
    uint16_t order;  /* among the fast instructions before they were sorted */
    uint32_t a, b, c;
};

enum schema_flag {
    SCHEMA_LEAF = 1,         /* its fast code is assertions only */
    SCHEMA_SHARED = 2,       /* it is reached in more than one way: worth remembering what it said of a value */
    SCHEMA_TRACKS_ITEMS = 4, /* its plain code has unevaluatedItems */
    SCHEMA_TRACKS_PROPERTIES = 8,
    SCHEMA_FAST_TRACKS_ITEMS = 16, /* and so has its fast code */
    SCHEMA_FAST_TRACKS_PROPERTIES = 32,
    SCHEMA_SINGLE = 128, /* a leaf whose fast code is one assertion */
    SCHEMA_ROW = 256,    /* a flat one that applies leaves to an array's elements, and nothing else */
    SCHEMA_FLAT = 64,    /* its fast code is assertions, and applicators of leaves and flat ones: it needs no frame */
};

/* How far flat subschemas apply each other: so many are at work at a time, whatever the payload. */
enum { FLAT_LEVELS_MAX = 8 };

/* What running the fast code of a subschema takes. */
struct schema_run {
    uint32_t flags;
    /* A bit for each enum wire_kind: must the fast code be asked, or else, are all values of the kind valid? The fast
     * code does not ask for types again. */
    uint16_t undecided, accepts;
    uint32_t fast, fast_end; /* instructions */
};

struct schema_node {
    struct schema_run run;
    uint32_t plain, plain_end;
    uint32_t location;
    uint32_t unused;
};
static_assert(sizeof(struct schema_node) == 32, "found by its number without a multiplication");

/* Where a subschema stands: text after that of its parent; a root's text is a URI and "#". */
struct location {
    uint32_t parent;
    uint32_t text, size;
};

struct key {
    uint32_t hash; /* the mark, or of a hashed table the upper half */
    uint32_t size;
    uint32_t text;
    uint32_t schema; /* or NO_INDEX */
    uint32_t required;
    struct schema_run run; /* the schema's, as it is asked for each member */
};

/* Keys by hash, confirmed by comparison. Small tables take the marks that are on the tape, under a factor that was
 * chosen so that hardly any two keys meet; others hash the names again. Both are made with the program's seed. */
struct key_table {
    uint64_t seed;         /* or the factor */
    uint32_t first, count; /* keys, in the order of the schema */
    uint32_t slots, mask;  /* key number + 1, or 0 */
    uint32_t shift;        /* of a mark times the factor; 0: the table is one of hashes */
};

struct object_rule {
    uint32_t table;                   /* or NO_INDEX */
    uint32_t patterns, pattern_count; /* links, PATTERN_LINKS each */
    uint32_t additional;              /* subschema, or NO_INDEX */
    uint32_t required;                /* keys of the table that must be there */
    uint32_t count_min, count_max;
    uint32_t must_be_object;
};

struct enumeration {
    uint32_t items, count; /* links: constants in the order of the schema */
    uint32_t slots, mask;  /* of enum_slots */
    uint32_t types;        /* set of enum type_bit of the constants */
    uint32_t texts;        /* key table of those that are strings; NO_INDEX: none is */
};

struct enum_slot {
    uint64_t hash;
    uint32_t item; /* constant, or NO_INDEX: empty */
};

struct bound {
    struct number number;
    struct decimal decimal; /* of multipleOf */
};

/* Integers between two integers are compared as such; other numbers with what the schema says. */
struct range {
    int64_t min, max;
    double low, high;          /* the same for doubles, if `by_double` */
    uint32_t minimum, maximum; /* bounds, or NO_INDEX */
    bool minimum_exclusive, maximum_exclusive;
    bool by_double; /* doubles hold the bounds exactly */
};

/* X(section, record) */
#define PROGRAM_SECTIONS(X)                                                                                            \
    X(schemas, struct schema_node)                                                                                     \
    X(code, struct instruction)                                                                                        \
    X(links, uint32_t)                                                                                                 \
    X(tables, struct key_table)                                                                                        \
    X(keys, struct key)                                                                                                \
    X(slots, uint32_t)                                                                                                 \
    X(objects, struct object_rule)                                                                                     \
    X(enums, struct enumeration)                                                                                       \
    X(enum_slots, struct enum_slot)                                                                                    \
    X(bounds, struct bound)                                                                                            \
    X(ranges, struct range)                                                                                            \
    X(locations, struct location)                                                                                      \
    X(constants, struct wire_item)                                                                                     \
    X(constant_bytes, uint8_t)                                                                                         \
    X(text, uint8_t)

enum section {
#define PROGRAM_SECTION_CONSTANT(name, record) SECTION_##name,
    PROGRAM_SECTIONS(PROGRAM_SECTION_CONSTANT)
#undef PROGRAM_SECTION_CONSTANT
        SECTION_COUNT
};

/* The block itself may be moved. The compiled patterns are the one thing outside it. */
struct validate_program {
    size_t size; /* of the block */
    struct validate_limits limits;
    bool extended;
    bool tracks;   /* some fast code has an OP_UNEVALUATED_* */
    uint64_t seed; /* of the marks of its keys, and so of the tapes that it takes */
    uint32_t root;
    uint32_t pattern_count;
    struct pattern **patterns;
    uint32_t offsets[SECTION_COUNT];
    uint32_t counts[SECTION_COUNT];
    _Alignas(16) uint8_t data[];
};

/* The sections' addresses, for one run. */
struct program_view {
#define PROGRAM_VIEW_FIELD(name, record) const record *name;
    PROGRAM_SECTIONS(PROGRAM_VIEW_FIELD)
#undef PROGRAM_VIEW_FIELD
    struct pattern *const *patterns;
    struct wire_document constant_document;
};

static inline void program_view_init(struct program_view *view, const struct validate_program *program) {
#define VIEW_FIELD(name, record) view->name = (const void *)(program->data + program->offsets[SECTION_##name]);
    PROGRAM_SECTIONS(VIEW_FIELD)
#undef VIEW_FIELD
    view->patterns = program->patterns;
    view->constant_document = (struct wire_document){
        .input = {view->constant_bytes, program->counts[SECTION_constant_bytes]},
        .items = (struct wire_item *)(uintptr_t)view->constants, /* read only, as all of a program */
        .item_count = program->counts[SECTION_constants]};
}

static inline struct bytes program_text(const struct program_view *view, uint32_t offset, uint32_t size) {
    return (struct bytes){.data = view->text + offset, .size = size};
}

/* memcmp without a call for the short texts that keys are. */
static inline bool program_same_text(const uint8_t *a, const uint8_t *b, uint32_t size) {
    if (size > 16) {
        return memcmp(a, b, size) == 0;
    }
    if (size >= 8) {
        return hash_load(a, 8) == hash_load(b, 8) && hash_load(a + size - 8, 8) == hash_load(b + size - 8, 8);
    }
    if (size >= 4) {
        return hash_load(a, 4) == hash_load(b, 4) && hash_load(a + size - 4, 4) == hash_load(b + size - 4, 4);
    }
    return size == 0 || (a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1]);
}

struct key_place {
    uint32_t hash;
    uint32_t slot; /* the first to look at */
};

__attribute__((always_inline)) static inline struct key_place key_place(const struct key_table *table,
                                                                        struct bytes name, uint16_t mark) {
    if (__builtin_expect(table->shift != 0, 1)) {
        return (struct key_place){mark, mark * (uint32_t)table->seed >> table->shift};
    }
    uint64_t hash = hash_bytes(name, table->seed);
    return (struct key_place){(uint32_t)(hash >> 32), (uint32_t)hash & table->mask};
}

/* What looking keys up in a table takes, for whoever does it again and again. */
struct key_search {
    const struct key_table *table;
    const uint32_t *slots;
    const struct key *keys;
    const uint8_t *text;
    const struct program_view *view;
};

static inline struct key_search key_search(const struct program_view *view, const struct key_table *table) {
    return (struct key_search){.table = table,
                               .slots = view->slots + table->slots,
                               .keys = view->keys + table->first,
                               .text = view->text,
                               .view = view};
}

static inline bool key_is(const struct key_search *search, const struct key *key, struct bytes name, uint32_t hash) {
    return key->hash == hash && key->size == name.size &&
           program_same_text(search->text + key->text, name.data, key->size);
}

/* program.c: in any table, however many keys share a slot. */
const struct key *key_search_on(const struct key_table *table, const struct program_view *view, struct bytes name,
                                uint16_t mark);

/* The key, or NULL. `mark`: that of the name on its tape. It is mostly the first in its slot, or nobody is there. */
__attribute__((always_inline)) static inline const struct key *key_search_find(const struct key_search *search,
                                                                               struct bytes name, uint16_t mark) {
    const struct key_table *table = search->table;
    if (__builtin_expect(table->shift == 0, 0)) {
        return key_search_on(table, search->view, name, mark);
    }
    uint32_t number = search->slots[key_place(table, name, mark).slot];
    if (number == 0) {
        return NULL;
    }
    const struct key *key = &search->keys[number - 1];
    return __builtin_expect(key_is(search, key, name, mark), 1) ? key : key_search_on(table, search->view, name, mark);
}

static inline const struct key *program_find_key(const struct program_view *view, const struct key_table *table,
                                                 struct bytes name, uint16_t mark) {
    struct key_search search = key_search(view, table);
    return key_search_find(&search, name, mark);
}

#endif
