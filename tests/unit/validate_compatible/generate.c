/* generate.c: schemas over a small world of names, numbers and texts, so that what they say often meets. */
#include "generate.h"

#include <stdlib.h>

enum { DEPTH_MAX = 3 };

uint32_t generate_pick(struct generator *generator, uint32_t count) {
    if (generator->size > 0) {
        uint32_t chosen = *generator->data;
        generator->data++;
        generator->size--;
        generator->state = generator->state * 31 + chosen + 1;
        return chosen % count;
    }
    generator->state = generator->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(generator->state >> 33) % count;
}

#define pick generate_pick

static void put(struct generator *generator, const char *text) {
    if (!buffer_append(&generator->text, text, strlen(text))) {
        abort();
    }
}

#define PUT_ONE_OF(generator, choices)                                                                                 \
    put(generator, (choices)[pick(generator, sizeof(choices) / sizeof((choices)[0]))])

static const char *const NUMBERS[] = {"0", "1", "2", "1.5", "-1", "3", "0.5", "4", "10", "2.5"};
static const char *const COUNTS[] = {"0", "1", "2", "3"};
static const char *const NAMES[] = {"\"a\"", "\"b\"", "\"c\"", "\"ab\"", "\"ba\""};
static const char *const TEXTS[] = {"\"a\"", "\"b\"", "\"\"", "\"ab\"", "\"ba\"", "\"abc\"", "\"1\""};
static const char *const PATTERNS[] = {"\"^a\"", "\"b\"", "\"^[a-c]+$\"", "\"b$\""};

static void put_value(struct generator *generator, int depth) {
    uint32_t kind = pick(generator, depth == 0 ? 7 : 11);
    if (kind == 0) {
        put(generator, pick(generator, 2) != 0 ? "true" : "false");
    } else if (kind == 1) {
        put(generator, "null");
    } else if (kind <= 3) {
        PUT_ONE_OF(generator, TEXTS);
    } else if (kind <= 6) {
        PUT_ONE_OF(generator, NUMBERS);
    } else if (kind <= 8) {
        put(generator, "[");
        for (uint32_t i = pick(generator, 4); i > 0; i--) {
            put_value(generator, depth - 1);
            put(generator, i > 1 ? "," : "");
        }
        put(generator, "]");
    } else {
        bool any = false;
        put(generator, "{");
        for (int i = 0; i < 5; i++) {
            if (pick(generator, 3) == 0) {
                put(generator, any ? "," : "");
                put(generator, NAMES[i]);
                put(generator, ":");
                put_value(generator, depth - 1);
                any = true;
            }
        }
        put(generator, "}");
    }
}

void generate_payload(struct generator *generator, struct buffer *ret) {
    generator->text.size = 0;
    put_value(generator, DEPTH_MAX);
    ret->size = 0;
    if (!buffer_append(ret, generator->text.data, generator->text.size)) {
        abort();
    }
}

/* ---- schemas ---- */

static void put_schema(struct generator *generator, int depth);

static void put_schemas(struct generator *generator, int depth) {
    put(generator, "[");
    put_schema(generator, depth);
    for (uint32_t i = pick(generator, 3); i > 0; i--) {
        put(generator, ",");
        put_schema(generator, depth);
    }
    put(generator, "]");
}

static void put_map(struct generator *generator, int depth, const char *const *keys, uint32_t count) {
    bool any = false;
    put(generator, "{");
    for (uint32_t i = 0; i < count; i++) {
        if (pick(generator, 2) != 0) {
            put(generator, any ? "," : "");
            put(generator, keys[i]);
            put(generator, ":");
            put_schema(generator, depth);
            any = true;
        }
    }
    put(generator, "}");
}

static void put_type(struct generator *generator) {
    static const char *const TYPES[] = {"\"null\"",
                                        "\"boolean\"",
                                        "\"integer\"",
                                        "\"number\"",
                                        "\"string\"",
                                        "\"array\"",
                                        "\"object\"",
                                        "\"object\"",
                                        "[\"object\",\"null\"]",
                                        "[\"string\",\"number\"]",
                                        "[\"array\",\"integer\"]"};
    put(generator, "\"type\":");
    PUT_ONE_OF(generator, TYPES);
}

static void put_assertion(struct generator *generator) {
    static const char *const BOUNDS[] = {
        "\"minimum\":", "\"maximum\":", "\"exclusiveMinimum\":", "\"exclusiveMaximum\":"};
    static const char *const COUNTED[] = {"\"minLength\":", "\"maxLength\":",     "\"minItems\":",
                                          "\"maxItems\":",  "\"minProperties\":", "\"maxProperties\":"};
    static const char *const OTHERS[] = {"\"uniqueItems\":true",
                                         "\"multipleOf\":2",
                                         "\"multipleOf\":0.5",
                                         "\"multipleOf\":1",
                                         "\"format\":\"date\"",
                                         "\"dependentRequired\":{\"a\":[\"b\"],\"c\":[\"a\",\"ab\"]}",
                                         "\"dependentRequired\":{\"b\":[\"c\"]}"};
    switch (pick(generator, 8)) {
    case 0:
    case 1:
        put_type(generator);
        break;
    case 2:
        PUT_ONE_OF(generator, BOUNDS);
        PUT_ONE_OF(generator, NUMBERS);
        break;
    case 3:
        PUT_ONE_OF(generator, COUNTED);
        PUT_ONE_OF(generator, COUNTS);
        break;
    case 4:
        put(generator, "\"enum\":[");
        put_value(generator, 1);
        put(generator, ",");
        put_value(generator, 1);
        put(generator, "]");
        break;
    case 5:
        put(generator, pick(generator, 2) != 0 ? "\"required\":[" : "\"required\":[\"a\",");
        put(generator, NAMES[1 + pick(generator, 4)]);
        put(generator, "]");
        break;
    case 6:
        if (pick(generator, 3) == 0) {
            put(generator, "\"const\":");
            put_value(generator, 1);
        } else {
            put(generator, "\"pattern\":");
            PUT_ONE_OF(generator, PATTERNS);
        }
        break;
    default:
        PUT_ONE_OF(generator, OTHERS);
    }
}

static void put_condition(struct generator *generator, int depth) {
    put(generator, "\"if\":");
    put_schema(generator, depth);
    if (pick(generator, 3) != 0) {
        put(generator, ",\"then\":");
        put_schema(generator, depth);
    }
    if (pick(generator, 3) != 0) {
        put(generator, ",\"else\":");
        put_schema(generator, depth);
    }
}

static void put_array(struct generator *generator, int depth) {
    switch (pick(generator, 4)) {
    case 0:
        put(generator, generator->is_draft_07 ? "\"items\":" : "\"prefixItems\":");
        put_schemas(generator, depth);
        if (generator->is_draft_07 && pick(generator, 2) != 0) {
            put(generator, ",\"additionalItems\":");
            put_schema(generator, depth);
        }
        break;
    case 1:
        put(generator, "\"contains\":");
        put_schema(generator, depth);
        if (pick(generator, 2) != 0) {
            bool is_least = pick(generator, 2) != 0 || generator->is_simple; /* closing has to narrow */
            put(generator, is_least ? ",\"minContains\":" : ",\"maxContains\":");
            PUT_ONE_OF(generator, COUNTS);
        }
        break;
    default:
        put(generator, "\"items\":");
        put_schema(generator, depth);
    }
}

/* Applicators to members only, each open in so many words, so that a test can close it. */
static void put_simple(struct generator *generator, int depth) {
    switch (pick(generator, 4)) {
    case 0:
        put_array(generator, depth);
        return;
    case 1:
        put(generator, "\"patternProperties\":");
        put_map(generator, depth, PATTERNS, 4);
        break;
    default:
        put(generator, "\"properties\":");
        put_map(generator, depth, NAMES, 5);
    }
    put(generator, ",\"additionalProperties\":true");
}

static void put_applicator(struct generator *generator, int depth) {
    if (generator->is_simple) {
        put_simple(generator, depth);
        return;
    }
    switch (pick(generator, 12)) {
    case 0:
        put(generator, "\"not\":");
        put_schema(generator, depth);
        break;
    case 1:
        put_condition(generator, depth);
        break;
    case 2:
        put(generator, "\"allOf\":");
        put_schemas(generator, depth);
        break;
    case 3:
        put(generator, "\"anyOf\":");
        put_schemas(generator, depth);
        break;
    case 4:
        put(generator, "\"oneOf\":");
        put_schemas(generator, depth);
        break;
    case 5:
    case 6:
        put(generator, "\"properties\":");
        put_map(generator, depth, NAMES, 5);
        if (pick(generator, 3) == 0) {
            put(generator, ",\"additionalProperties\":");
            put_schema(generator, 0);
        }
        break;
    case 7:
        put(generator, "\"patternProperties\":");
        put_map(generator, depth, PATTERNS, 4);
        break;
    case 8:
        put(generator, pick(generator, 2) != 0 ? "\"propertyNames\":" : "\"additionalProperties\":");
        put_schema(generator, depth);
        break;
    case 9:
        put(generator, generator->is_draft_07 ? "\"dependencies\":" : "\"dependentSchemas\":");
        put_map(generator, depth, NAMES, 3);
        break;
    case 10:
        put(generator, pick(generator, 2) != 0 ? "\"$ref\":\"#/$defs/x\"" : "\"$ref\":\"#/$defs/y\"");
        break;
    default:
        put_array(generator, depth);
    }
}

static void put_schema(struct generator *generator, int depth) {
    if (pick(generator, 9) == 0) {
        put(generator, pick(generator, 3) != 0 ? "true" : "false");
        return;
    }
    put(generator, "{");
    bool any = pick(generator, 3) != 0;
    if (any) {
        put_assertion(generator);
    }
    for (uint32_t i = depth > 0 ? pick(generator, generator->is_simple ? 2 : 3) : 0; i > 0; i--) {
        put(generator, any ? "," : "");
        put_applicator(generator, depth - 1);
        any = true;
    }
    if (pick(generator, 12) == 0 && !generator->is_simple) {
        put(generator, any ? "," : "");
        put(generator, pick(generator, 2) != 0 ? "\"unevaluatedProperties\":" : "\"unevaluatedItems\":");
        put_schema(generator, 0);
    }
    put(generator, "}");
}

static void put_root(struct generator *generator) {
    generator->text.size = 0;
    put(generator, "{\"$defs\":{\"x\":");
    put_schema(generator, 2);
    put(generator, ",\"y\":");
    put_schema(generator, 2);
    put(generator, "},");
    put_applicator(generator, DEPTH_MAX);
    put(generator, ",");
    put_assertion(generator);
    put(generator, "}");
}

static void keep(const struct generator *generator, struct buffer *ret) {
    ret->size = 0;
    if (!buffer_append(ret, generator->text.data, generator->text.size)) {
        abort();
    }
}

/* Replaces one token by another of its sort: a number, a name, a type, a keyword that narrows. */
static void mutate(struct generator *generator) {
    static const char *const SWAPS[][2] = {
        {"true", "false"},
        {"\"integer\"", "\"number\""},
        {"minimum", "exclusiveMinimum"},
        {"anyOf", "oneOf"},
        {"allOf", "anyOf"},
        {"\"a\"", "\"b\""},
        {":1", ":2"},
        {":2", ":1"},
        {"items", "contains"},
        {"\"c\"", "\"a\""},
        {":0", ":3"},
        {"not", "if"},
        {"\"^a\"", "\"b\""},
        {"properties", "patternProperties"},
        {"\"number\"", "\"integer\""},
        {":true", ":false"},
        {":{}", ":true"},
        {"required", "examples"},
        {"enum", "examples"},
        {"maxItems", "minItems"},
        {"defs/x", "defs/y"},
        {"false", "true"},
        {"\"string\"", "\"null\""},
        {"const", "default"},
    };
    struct buffer old = generator->text;
    const char *const *swap = SWAPS[pick(generator, sizeof SWAPS / sizeof SWAPS[0])];
    size_t length = strlen(swap[0]);
    uint32_t skip = pick(generator, 3);
    generator->text = (struct buffer){0};
    for (size_t i = 0; i < old.size;) {
        if (i + length <= old.size && memcmp(old.data + i, swap[0], length) == 0 && skip-- == 0) {
            put(generator, swap[1]);
            i += length;
        } else {
            char c[2] = {(char)old.data[i++], '\0'};
            put(generator, c);
        }
    }
    buffer_done(&old);
}

void generate_pair(struct generator *generator, struct buffer *ret_writer, struct buffer *ret_reader) {
    put_root(generator);
    keep(generator, ret_writer);
    if (pick(generator, 6) == 0) {
        put_root(generator);
    } else {
        for (uint32_t i = 1 + pick(generator, 3); i > 0; i--) {
            mutate(generator);
        }
    }
    keep(generator, ret_reader);
    if (pick(generator, 2) != 0) {
        struct buffer other = *ret_writer;
        *ret_writer = *ret_reader;
        *ret_reader = other;
    }
}
