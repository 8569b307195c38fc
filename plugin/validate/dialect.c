/* dialect.c: finding keywords, vocabularies and meta-schemas by their names. */
#include "validate/dialect.h"

#include "validate/metaschemas.h"

struct keyword_entry {
    const char *name;
    uint8_t size;
    bool in_draft_07;
    uint8_t shape;
    uint8_t vocabularies;
};

static const struct keyword_entry ENTRIES[KEYWORD_COUNT] = {
#define KEYWORD_ENTRY(constant, name, vocabularies, in_draft_07, shape)                                                \
    [KEYWORD_##constant] = {name, sizeof(name) - 1, in_draft_07, shape, vocabularies},
    KEYWORDS(KEYWORD_ENTRY)
#undef KEYWORD_ENTRY
};

#define BASE_2020_12 "https://json-schema.org/draft/2020-12/"

struct dialect dialect_default(enum validate_dialect draft) {
    return (struct dialect){.draft = draft,
                            .vocabularies = VOCABULARY_CORE | VOCABULARY_APPLICATOR | VOCABULARY_UNEVALUATED |
                                            VOCABULARY_VALIDATION | VOCABULARY_META_DATA |
                                            VOCABULARY_FORMAT_ANNOTATION | VOCABULARY_CONTENT};
}

struct bytes dialect_uri(enum validate_dialect draft) {
    return draft == VALIDATE_2020_12 ? BYTES_LITERAL(BASE_2020_12 "schema")
                                     : BYTES_LITERAL("http://json-schema.org/draft-07/schema");
}

bool dialect_find(struct bytes uri, struct dialect *ret_dialect) {
    for (int draft = VALIDATE_2020_12; draft <= VALIDATE_DRAFT_07; draft++) {
        if (bytes_equal(uri, dialect_uri((enum validate_dialect)draft))) {
            *ret_dialect = dialect_default((enum validate_dialect)draft);
            return true;
        }
    }
    return false;
}

uint32_t vocabulary_find(struct bytes uri) {
    static const struct {
        const char *uri;
        uint32_t bit;
    } VOCABULARIES[] = {
        {BASE_2020_12 "vocab/core", VOCABULARY_CORE},
        {BASE_2020_12 "vocab/applicator", VOCABULARY_APPLICATOR},
        {BASE_2020_12 "vocab/unevaluated", VOCABULARY_UNEVALUATED},
        {BASE_2020_12 "vocab/validation", VOCABULARY_VALIDATION},
        {BASE_2020_12 "vocab/meta-data", VOCABULARY_META_DATA},
        {BASE_2020_12 "vocab/format-annotation", VOCABULARY_FORMAT_ANNOTATION},
        {BASE_2020_12 "vocab/format-assertion", VOCABULARY_FORMAT_ASSERTION},
        {BASE_2020_12 "vocab/content", VOCABULARY_CONTENT},
    };
    for (size_t i = 0; i < sizeof VOCABULARIES / sizeof VOCABULARIES[0]; i++) {
        if (bytes_equal_string(uri, VOCABULARIES[i].uri)) {
            return VOCABULARIES[i].bit;
        }
    }
    return 0;
}

enum keyword keyword_find(const struct dialect *dialect, struct bytes name) {
    for (int i = KEYWORD_NONE + 1; i < KEYWORD_COUNT; i++) {
        const struct keyword_entry *entry = &ENTRIES[i];
        if (name.size == entry->size && memcmp(name.data, entry->name, name.size) == 0) {
            bool known = dialect->draft == VALIDATE_DRAFT_07 ? entry->in_draft_07
                                                             : (entry->vocabularies & dialect->vocabularies) != 0;
            return known ? (enum keyword)i : KEYWORD_NONE;
        }
    }
    return KEYWORD_NONE;
}

const char *keyword_name(enum keyword keyword) {
    return ENTRIES[keyword].name != NULL ? ENTRIES[keyword].name : "";
}

enum keyword_shape keyword_shape(enum keyword keyword) {
    return (enum keyword_shape)ENTRIES[keyword].shape;
}

struct bytes metaschema_find(struct bytes uri) {
    for (size_t i = 0; i < METASCHEMA_COUNT; i++) {
        if (bytes_equal_string(uri, METASCHEMAS[i].uri)) {
            return (struct bytes){.data = METASCHEMAS[i].text, .size = METASCHEMAS[i].size};
        }
    }
    return (struct bytes){0};
}
