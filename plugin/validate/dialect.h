/* dialect.h: the keywords of the two drafts: where their subschemas are, and to which vocabulary they belong. */
#ifndef POLARIS_PLUGIN_VALIDATE_DIALECT_H
#define POLARIS_PLUGIN_VALIDATE_DIALECT_H

#include "validate/validate.h"

enum vocabulary {
    VOCABULARY_CORE = 1,
    VOCABULARY_APPLICATOR = 2,
    VOCABULARY_UNEVALUATED = 4,
    VOCABULARY_VALIDATION = 8,
    VOCABULARY_META_DATA = 16,
    VOCABULARY_FORMAT_ANNOTATION = 32,
    VOCABULARY_FORMAT_ASSERTION = 64,
    VOCABULARY_CONTENT = 128,
};

/* How the value of a keyword holds subschemas. */
enum keyword_shape { SHAPE_NONE, SHAPE_SCHEMA, SHAPE_ARRAY, SHAPE_MAP, SHAPE_SCHEMA_OR_ARRAY, SHAPE_MAP_OF_EITHER };

/* X(constant, name, vocabulary in 2020-12 or 0, is in draft-07, shape) */
#define KEYWORDS(X)                                                                                                    \
    X(ID, "$id", VOCABULARY_CORE, 1, SHAPE_NONE)                                                                       \
    X(SCHEMA, "$schema", VOCABULARY_CORE, 1, SHAPE_NONE)                                                               \
    X(REF, "$ref", VOCABULARY_CORE, 1, SHAPE_NONE)                                                                     \
    X(ANCHOR, "$anchor", VOCABULARY_CORE, 0, SHAPE_NONE)                                                               \
    X(DYNAMIC_REF, "$dynamicRef", VOCABULARY_CORE, 0, SHAPE_NONE)                                                      \
    X(DYNAMIC_ANCHOR, "$dynamicAnchor", VOCABULARY_CORE, 0, SHAPE_NONE)                                                \
    X(DEFS, "$defs", VOCABULARY_CORE, 0, SHAPE_MAP)                                                                    \
    X(DEFINITIONS, "definitions", VOCABULARY_CORE, 1, SHAPE_MAP)                                                       \
    X(ALL_OF, "allOf", VOCABULARY_APPLICATOR, 1, SHAPE_ARRAY)                                                          \
    X(ANY_OF, "anyOf", VOCABULARY_APPLICATOR, 1, SHAPE_ARRAY)                                                          \
    X(ONE_OF, "oneOf", VOCABULARY_APPLICATOR, 1, SHAPE_ARRAY)                                                          \
    X(NOT, "not", VOCABULARY_APPLICATOR, 1, SHAPE_SCHEMA)                                                              \
    X(IF, "if", VOCABULARY_APPLICATOR, 1, SHAPE_SCHEMA)                                                                \
    X(THEN, "then", VOCABULARY_APPLICATOR, 1, SHAPE_SCHEMA)                                                            \
    X(ELSE, "else", VOCABULARY_APPLICATOR, 1, SHAPE_SCHEMA)                                                            \
    X(DEPENDENT_SCHEMAS, "dependentSchemas", VOCABULARY_APPLICATOR, 0, SHAPE_MAP)                                      \
    X(DEPENDENCIES, "dependencies", 0, 1, SHAPE_MAP_OF_EITHER)                                                         \
    X(PREFIX_ITEMS, "prefixItems", VOCABULARY_APPLICATOR, 0, SHAPE_ARRAY)                                              \
    X(ITEMS, "items", VOCABULARY_APPLICATOR, 1, SHAPE_SCHEMA_OR_ARRAY)                                                 \
    X(ADDITIONAL_ITEMS, "additionalItems", 0, 1, SHAPE_SCHEMA)                                                         \
    X(CONTAINS, "contains", VOCABULARY_APPLICATOR, 1, SHAPE_SCHEMA)                                                    \
    X(PROPERTIES, "properties", VOCABULARY_APPLICATOR, 1, SHAPE_MAP)                                                   \
    X(PATTERN_PROPERTIES, "patternProperties", VOCABULARY_APPLICATOR, 1, SHAPE_MAP)                                    \
    X(ADDITIONAL_PROPERTIES, "additionalProperties", VOCABULARY_APPLICATOR, 1, SHAPE_SCHEMA)                           \
    X(PROPERTY_NAMES, "propertyNames", VOCABULARY_APPLICATOR, 1, SHAPE_SCHEMA)                                         \
    X(UNEVALUATED_ITEMS, "unevaluatedItems", VOCABULARY_UNEVALUATED, 0, SHAPE_SCHEMA)                                  \
    X(UNEVALUATED_PROPERTIES, "unevaluatedProperties", VOCABULARY_UNEVALUATED, 0, SHAPE_SCHEMA)                        \
    X(TYPE, "type", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                                              \
    X(ENUM, "enum", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                                              \
    X(CONST, "const", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                                            \
    X(MULTIPLE_OF, "multipleOf", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                                 \
    X(MAXIMUM, "maximum", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                                        \
    X(EXCLUSIVE_MAXIMUM, "exclusiveMaximum", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                     \
    X(MINIMUM, "minimum", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                                        \
    X(EXCLUSIVE_MINIMUM, "exclusiveMinimum", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                     \
    X(MAX_LENGTH, "maxLength", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                                   \
    X(MIN_LENGTH, "minLength", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                                   \
    X(PATTERN, "pattern", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                                        \
    X(MAX_ITEMS, "maxItems", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                                     \
    X(MIN_ITEMS, "minItems", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                                     \
    X(UNIQUE_ITEMS, "uniqueItems", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                               \
    X(MAX_CONTAINS, "maxContains", VOCABULARY_VALIDATION, 0, SHAPE_NONE)                                               \
    X(MIN_CONTAINS, "minContains", VOCABULARY_VALIDATION, 0, SHAPE_NONE)                                               \
    X(MAX_PROPERTIES, "maxProperties", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                           \
    X(MIN_PROPERTIES, "minProperties", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                           \
    X(REQUIRED, "required", VOCABULARY_VALIDATION, 1, SHAPE_NONE)                                                      \
    X(DEPENDENT_REQUIRED, "dependentRequired", VOCABULARY_VALIDATION, 0, SHAPE_NONE)                                   \
    X(FORMAT, "format", VOCABULARY_FORMAT_ANNOTATION | VOCABULARY_FORMAT_ASSERTION, 1, SHAPE_NONE)                     \
    X(CONTENT_SCHEMA, "contentSchema", VOCABULARY_CONTENT, 0, SHAPE_SCHEMA)

enum keyword {
    KEYWORD_NONE = 0, /* a boolean schema; a word that is no keyword */
#define KEYWORD_CONSTANT(constant, name, vocabulary, in_draft_07, shape) KEYWORD_##constant,
    KEYWORDS(KEYWORD_CONSTANT)
#undef KEYWORD_CONSTANT
        KEYWORD_COUNT
};

/* How one schema resource is read. */
struct dialect {
    enum validate_dialect draft;
    uint32_t vocabularies; /* 2020-12: set of enum vocabulary */
};

struct dialect dialect_default(enum validate_dialect draft);

/* True: `uri`, without its fragment, is the meta-schema of one of the two. */
bool dialect_find(struct bytes uri, struct dialect *ret_dialect);
struct bytes dialect_uri(enum validate_dialect draft);

/* The bit of a vocabulary's URI; 0: unknown. */
uint32_t vocabulary_find(struct bytes uri);

/* KEYWORD_NONE: the dialect does not have it. */
enum keyword keyword_find(const struct dialect *dialect, struct bytes name);
const char *keyword_name(enum keyword keyword);
enum keyword_shape keyword_shape(enum keyword keyword);

/* The meta-schemas of both drafts, as JSON text. Absent: `uri` is none of them. */
struct bytes metaschema_find(struct bytes uri);

#endif
