/* generate.c: schemas with all keywords of both drafts, and payloads over the same few names and numbers. */
#include "generate.h"

#include "require.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

enum { ROOM = 120, DEPTH_MAX = 5 };

static const char *const NAMES[] = {"a", "b", "c", "ab", "longer name", "a property named at length", "é", ""};
static const char *const NUMBERS[] = {"0",
                                      "1",
                                      "1.0",
                                      "-1",
                                      "2",
                                      "3",
                                      "0.5",
                                      "1.5",
                                      "0.1",
                                      "0.3",
                                      "1e300",
                                      "-1e300",
                                      "5e-324",
                                      "9007199254740992",
                                      "9007199254740993",
                                      "9007199254740992.0",
                                      "9223372036854775807",
                                      "9223372036854775808.0",
                                      "9.223372036854775807e18",
                                      "18446744073709551615.0",
                                      "18446744073709551616.0",
                                      "-9223372036854775808",
                                      "-9223372036854775809.0",
                                      "-0.0",
                                      "1e-7"};
static const char *const TEXTS[] = {"",
                                    "a",
                                    "ab",
                                    "aaab",
                                    "1",
                                    "x",
                                    "é",
                                    "日本語",
                                    "2024-02-29",
                                    "12:00:00Z",
                                    "a@b.co",
                                    "10.0.0.1",
                                    "http://a/b",
                                    "a/b#/c~1~0",
                                    "\\u0000\\n",
                                    "xn--bcher-kva.ch",
                                    "P1Y2M",
                                    "ab/c",
                                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
static const char *const PATTERNS[] = {"^a",      "b$",   "^.{1,3}$", "a|c",         "^(a+)+$",
                                       "\\\\d",   "[^a]", "(?=a)..",  "(.)\\\\1",    "\\\\bx",
                                       "^longer", "é",    "",         "^\\\\p{L}*$", "a{2,}b"};
static const char *const FORMATS[] = {
    "date-time",    "date",          "time", "duration", "email",        "idn-email",
    "hostname",     "idn-hostname",  "ipv4", "ipv6",     "uri",          "iri",
    "uri-template", "uri-reference", "uuid", "regex",    "json-pointer", "relative-json-pointer",
    "unknown"};
static const char *const TYPES[] = {"null", "boolean", "integer", "number", "string", "array", "object"};

uint32_t generate_pick(struct generator *generator, uint32_t count) {
    if (generator->left == 0) {
        return 0;
    }
    generator->left--;
    return *generator->choices++ % count;
}

static void put(struct generator *generator, const char *text) {
    REQUIRE(buffer_append(&generator->text, text, strlen(text)));
}

static const char *choose(struct generator *generator, const char *const *texts, uint32_t count) {
    return texts[generate_pick(generator, count)];
}

static void put_quoted(struct generator *generator, const char *text) {
    put(generator, "\"");
    put(generator, text);
    put(generator, "\"");
}

#define PUT_QUOTED(generator, texts) put_quoted(generator, choose(generator, texts, COUNT_OF(texts)))

/* ---- values ---- */

static void put_value(struct generator *generator, int depth, bool with_secrets);

static void put_elements(struct generator *generator, int depth, bool with_secrets) {
    put(generator, "[");
    for (uint32_t i = generate_pick(generator, 9); i > 0; i--) {
        put_value(generator, depth - 1, with_secrets);
        put(generator, i > 1 ? "," : "");
    }
    put(generator, "]");
}

static void put_members(struct generator *generator, int depth, bool with_secrets) {
    uint32_t chosen = generate_pick(generator, 256);
    bool any = false;
    put(generator, "{");
    for (uint32_t i = 0; i < COUNT_OF(NAMES); i++) {
        if ((chosen >> i & 1) != 0) {
            put(generator, any ? "," : "");
            put_quoted(generator, NAMES[i]);
            put(generator, ":");
            put_value(generator, depth - 1, with_secrets);
            any = true;
        }
    }
    put(generator, "}");
}

static void put_value(struct generator *generator, int depth, bool with_secrets) {
    uint32_t kind = generate_pick(generator, depth <= 0 || generator->room == 0 ? 8 : 14);
    generator->room -= generator->room > 0;
    if (kind == 0) {
        put(generator, "null");
    } else if (kind == 1) {
        put(generator, generate_pick(generator, 2) != 0 ? "true" : "false");
    } else if (kind <= 4) {
        put(generator, choose(generator, NUMBERS, COUNT_OF(NUMBERS)));
    } else if (kind <= 6) {
        PUT_QUOTED(generator, TEXTS);
    } else if (kind == 7) {
        put(generator, !with_secrets                      ? "7"
                       : generate_pick(generator, 2) != 0 ? "\"" GENERATE_SECRET_TEXT "\""
                                                          : GENERATE_SECRET_NUMBER);
    } else if (kind <= 10) {
        put_elements(generator, depth, with_secrets);
    } else {
        put_members(generator, depth, with_secrets);
    }
}

void generate_payload(struct generator *generator) {
    generator->room = ROOM;
    put_value(generator, DEPTH_MAX, true);
}

/* ---- schemas ---- */

enum shape {
    ONE_SCHEMA,
    MANY_SCHEMAS,
    NAMED_SCHEMAS,
    PATTERN_SCHEMAS,
    NUMBER,
    POSITIVE,
    COUNT,
    TYPE,
    VALUE,
    VALUES,
    STRINGS,
    NAMED_STRINGS,
    TRUTH,
    PATTERN,
    FORMAT,
    REFERENCE,
    DYNAMIC_REFERENCE,
};

static const struct {
    const char *name;
    enum shape shape;
} KEYWORDS[] = {
    {"properties", NAMED_SCHEMAS},
    {"type", TYPE},
    {"$ref", REFERENCE},
    {"required", STRINGS},
    {"allOf", MANY_SCHEMAS},
    {"anyOf", MANY_SCHEMAS},
    {"oneOf", MANY_SCHEMAS},
    {"not", ONE_SCHEMA},
    {"if", ONE_SCHEMA},
    {"then", ONE_SCHEMA},
    {"else", ONE_SCHEMA},
    {"items", ONE_SCHEMA},
    {"prefixItems", MANY_SCHEMAS},
    {"contains", ONE_SCHEMA},
    {"minContains", COUNT},
    {"maxContains", COUNT},
    {"additionalProperties", ONE_SCHEMA},
    {"patternProperties", PATTERN_SCHEMAS},
    {"propertyNames", ONE_SCHEMA},
    {"unevaluatedItems", ONE_SCHEMA},
    {"unevaluatedProperties", ONE_SCHEMA},
    {"dependentSchemas", NAMED_SCHEMAS},
    {"dependentRequired", NAMED_STRINGS},
    {"dependencies", NAMED_SCHEMAS},
    {"additionalItems", ONE_SCHEMA},
    {"enum", VALUES},
    {"const", VALUE},
    {"minimum", NUMBER},
    {"maximum", NUMBER},
    {"exclusiveMinimum", NUMBER},
    {"exclusiveMaximum", NUMBER},
    {"multipleOf", POSITIVE},
    {"minLength", COUNT},
    {"maxLength", COUNT},
    {"minItems", COUNT},
    {"maxItems", COUNT},
    {"minProperties", COUNT},
    {"maxProperties", COUNT},
    {"uniqueItems", TRUTH},
    {"pattern", PATTERN},
    {"format", FORMAT},
    {"$dynamicRef", DYNAMIC_REFERENCE},
};

static void put_schema(struct generator *generator, int depth);

static void put_named(struct generator *generator, int depth, enum shape shape) {
    uint32_t first = generate_pick(generator, COUNT_OF(NAMES));
    uint32_t count = 1 + generate_pick(generator, 3);
    put(generator, "{");
    for (uint32_t i = 0; i < count; i++) {
        put(generator, i > 0 ? "," : "");
        put_quoted(generator, shape == PATTERN_SCHEMAS ? PATTERNS[(first + i) % COUNT_OF(PATTERNS)]
                                                       : NAMES[(first + i) % COUNT_OF(NAMES)]);
        put(generator, ":");
        if (shape == NAMED_STRINGS) {
            put(generator, "[");
            PUT_QUOTED(generator, NAMES);
            put(generator, "]");
        } else {
            put_schema(generator, depth);
        }
    }
    put(generator, "}");
}

static void put_many(struct generator *generator, int depth, enum shape shape) {
    uint32_t first = generate_pick(generator, COUNT_OF(NAMES));
    uint32_t count = 1 + generate_pick(generator, 4);
    put(generator, "[");
    for (uint32_t i = 0; i < count; i++) {
        put(generator, i > 0 ? "," : "");
        if (shape == STRINGS) {
            put_quoted(generator, NAMES[(first + i) % COUNT_OF(NAMES)]);
        } else if (shape == VALUES) {
            put_value(generator, 2, false);
        } else {
            put_schema(generator, depth);
        }
    }
    put(generator, "]");
}

static void put_reference(struct generator *generator, enum shape shape) {
    static const char *const TO[] = {"#/$defs/x", "#/$defs/y",         "#/$defs/z", "#",
                                     "#anchor",   "http://x/embedded", "#dynamic",  "embedded#dynamic"};
    static const char *const TO_DYNAMIC[] = {"#dynamic", "embedded#dynamic", "#anchor", "#/$defs/x"};
    shape == REFERENCE ? PUT_QUOTED(generator, TO) : PUT_QUOTED(generator, TO_DYNAMIC);
}

static void put_argument(struct generator *generator, int depth, enum shape shape) {
    static const char *const POSITIVES[] = {"1",   "2",    "0.1",   "0.5", "3",    "1e300", "5e-324",
                                            "0.3", "1e-7", "0.001", "7",   "1e15", "2.5",   "18446744073709551615.0"};
    static const char *const COUNTS[] = {"0", "1", "2", "3", "1.0", "4294967295", "1e30"};
    switch (shape) {
    case ONE_SCHEMA:
        put_schema(generator, depth);
        return;
    case MANY_SCHEMAS:
    case VALUES:
    case STRINGS:
        put_many(generator, depth, shape);
        return;
    case NAMED_SCHEMAS:
    case PATTERN_SCHEMAS:
    case NAMED_STRINGS:
        put_named(generator, depth, shape);
        return;
    case NUMBER:
        put(generator, choose(generator, NUMBERS, COUNT_OF(NUMBERS)));
        return;
    case POSITIVE:
        put(generator, choose(generator, POSITIVES, COUNT_OF(POSITIVES)));
        return;
    case COUNT:
        put(generator, choose(generator, COUNTS, COUNT_OF(COUNTS)));
        return;
    case TYPE:
        PUT_QUOTED(generator, TYPES);
        return;
    case VALUE:
        put_value(generator, 2, false);
        return;
    case TRUTH:
        put(generator, generate_pick(generator, 4) != 0 ? "true" : "false");
        return;
    case PATTERN:
        PUT_QUOTED(generator, PATTERNS);
        return;
    case FORMAT:
        PUT_QUOTED(generator, FORMATS);
        return;
    case REFERENCE:
    case DYNAMIC_REFERENCE:
        put_reference(generator, shape);
        return;
    }
}

/* Members, each keyword once; the first one without a comma. */
static void put_keywords(struct generator *generator, int depth, bool any) {
    uint64_t seen = 0;
    for (uint32_t i = generate_pick(generator, 5); i > 0; i--) {
        uint32_t keyword = generate_pick(generator, COUNT_OF(KEYWORDS));
        if ((seen >> keyword & 1) != 0) {
            continue;
        }
        seen |= UINT64_C(1) << keyword;
        put(generator, any ? "," : "");
        put_quoted(generator, KEYWORDS[keyword].name);
        put(generator, ":");
        put_argument(generator, depth - 1, KEYWORDS[keyword].shape);
        any = true;
    }
}

static void put_schema(struct generator *generator, int depth) {
    uint32_t kind = generate_pick(generator, 16);
    if (depth <= 0 || generator->room == 0 || kind <= 2) {
        put(generator, kind == 1 ? "false" : "true");
        return;
    }
    generator->room--;
    put(generator, "{");
    put_keywords(generator, depth, false);
    put(generator, "}");
}

void generate_schema(struct generator *generator) {
    static const char *const DEFINITIONS[] = {"x", "y", "z"};
    generator->room = ROOM;
    put(generator, "{\"$id\":\"http://x/root\",\"$defs\":{");
    for (int i = 0; i < 3; i++) {
        put_quoted(generator, DEFINITIONS[i]);
        put(generator, ":");
        put_schema(generator, 3);
        put(generator, ",");
    }
    put(generator, "\"anchored\":{\"$anchor\":\"anchor\",\"$dynamicAnchor\":\"dynamic\"");
    put_keywords(generator, 2, true);
    put(generator, "},\"embedded\":{\"$id\":\"embedded\",\"$dynamicAnchor\":\"dynamic\"");
    put_keywords(generator, 2, true);
    put(generator, "}}");
    put_keywords(generator, DEPTH_MAX, true);
    put(generator, "}");
}
