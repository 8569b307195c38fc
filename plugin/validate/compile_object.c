/* compile_object.c: the plain code of keywords about the members of objects. */
#include "validate/compile_plain.h"

#include "validate/hash.h"

uint32_t plain_request(struct plain *plain, uint32_t source, uint32_t item, bool in_place) {
    struct compiler *compiler = plain->compiler;
    uint32_t to = compile_request(compiler, source, item, plain->unit.scope);
    struct edge edge = {.from = plain->number, .to = to, .in_place = in_place};
    if (compiler->status == OK && !vector_append(&compiler->edges, sizeof edge, &edge, 1)) {
        compile_no_memory(compiler);
    }
    return to;
}

/* Keys that a table is made of, each once. */
struct key_list {
    struct vector keys;
    struct index by_text;
};

static void key_list_done(struct key_list *list) {
    vector_done(&list->keys);
    index_done(&list->by_text);
}

/* The number of the key; a new one is added at the end. */
static uint32_t add_key(struct plain *plain, struct key_list *list, struct bytes name, uint32_t schema) {
    struct compiler *compiler = plain->compiler;
    uint64_t hash = hash_bytes(name, compiler->options->seed);
    uint32_t cursor = 0;
    uint32_t found;
    while ((found = index_next(&list->by_text, hash, &cursor)) != NO_INDEX && compile_spend(compiler, 1)) {
        const struct key *other = VECTOR_AT(list->keys, struct key, found);
        if (bytes_equal((struct bytes){SECTION(compiler, text, uint8_t, other->text), other->size}, name)) {
            return found;
        }
    }
    struct key key = {.text = compile_text(compiler, name), .size = (uint32_t)name.size, .schema = schema};
    if (!vector_append(&list->keys, sizeof key, &key, 1) || !index_add(&list->by_text, hash, list->keys.count - 1)) {
        compile_no_memory(compiler);
        return 0;
    }
    return list->keys.count - 1;
}

static uint32_t make_table(struct plain *plain, struct key_list *list) {
    return compile_table(plain->compiler, list->keys.data, list->keys.count);
}

static bool is_map(struct plain *plain, enum keyword keyword) {
    if (wire_value_kind(plain->members[keyword]) == WIRE_MAP) {
        return true;
    }
    plain_refuse(plain, keyword, "an object");
    return false;
}

void plain_emit_properties(struct plain *plain, enum keyword keyword, struct wire_value value) {
    CLEANUP(key_list_done) struct key_list list = {0};
    if (!is_map(plain, keyword)) {
        return;
    }
    struct wire_value name = {value.document, value.index + 1};
    for (uint32_t left = value_item(value)->size; left > 0 && plain->compiler->status == OK; left--) {
        struct wire_value schema = wire_value_next(name);
        add_key(plain, &list, value_text(name), plain_request(plain, plain->unit.source, schema.index, false));
        name = wire_value_next(schema);
    }
    plain_emit(plain, OP_PROPERTIES, keyword, make_table(plain, &list), 0, 0);
}

/* Links (pattern, subschema, its text's offset and size). */
void plain_emit_pattern_properties(struct plain *plain, enum keyword keyword, struct wire_value value) {
    struct compiler *compiler = plain->compiler;
    if (!is_map(plain, keyword)) {
        return;
    }
    uint32_t count = value_item(value)->size;
    uint32_t links = compile_append(compiler, SECTION_links, NULL, PATTERN_LINKS * count);
    struct wire_value name = {value.document, value.index + 1};
    for (uint32_t i = 0; i < count && compiler->status == OK; i++) {
        struct wire_value schema = wire_value_next(name);
        uint32_t link[PATTERN_LINKS] = {
            compile_pattern(compiler, plain->unit.source, schema.index, value_text(name)),
            plain_request(plain, plain->unit.source, schema.index, false),
            compile_text(compiler, value_text(name)),
            value_item(name)->size,
        };
        memcpy(SECTION(compiler, links, uint32_t, links + PATTERN_LINKS * i), link, sizeof link);
        name = wire_value_next(schema);
    }
    plain_emit(plain, OP_PATTERN_PROPERTIES, keyword, 0, links, count);
}

/* What `additionalProperties` is not for: names of properties, and patterns, of which only the search is needed. */
void plain_emit_additional_properties(struct plain *plain, enum keyword keyword, struct wire_value value) {
    struct compiler *compiler = plain->compiler;
    CLEANUP(key_list_done) struct key_list list = {0};
    struct object_rule rule = {.table = NO_INDEX, .count_max = UINT32_MAX};
    rule.additional = plain_request(plain, plain->unit.source, value.index, false);
    if (plain_has(plain, KEYWORD_PROPERTIES) && is_map(plain, KEYWORD_PROPERTIES)) {
        struct wire_value properties = plain->members[KEYWORD_PROPERTIES];
        struct wire_value name = {properties.document, properties.index + 1};
        for (uint32_t left = value_item(properties)->size; left > 0; left--) {
            add_key(plain, &list, value_text(name), NO_INDEX);
            name = wire_value_next(wire_value_next(name));
        }
        rule.table = make_table(plain, &list);
    }
    if (plain_has(plain, KEYWORD_PATTERN_PROPERTIES) && is_map(plain, KEYWORD_PATTERN_PROPERTIES)) {
        struct wire_value patterns = plain->members[KEYWORD_PATTERN_PROPERTIES];
        rule.pattern_count = value_item(patterns)->size;
        rule.patterns = compile_append(compiler, SECTION_links, NULL, PATTERN_LINKS * rule.pattern_count);
        struct wire_value name = {patterns.document, patterns.index + 1};
        for (uint32_t i = 0; i < rule.pattern_count && compiler->status == OK; i++) {
            uint32_t pattern = compile_pattern(compiler, plain->unit.source, patterns.index, value_text(name));
            *SECTION(compiler, links, uint32_t, rule.patterns + PATTERN_LINKS * i) = pattern;
            name = wire_value_next(wire_value_next(name));
        }
    }
    plain_emit(plain, OP_ADDITIONAL_PROPERTIES, keyword, compile_append(compiler, SECTION_objects, &rule, 1), 0, 0);
}

/* Adds the strings of an array, and their numbers to `links` unless NULL; false: it is none of strings. */
static bool add_names(struct plain *plain, struct key_list *list, struct wire_value names, struct vector *links) {
    if (wire_value_kind(names) != WIRE_ARRAY) {
        return false;
    }
    struct wire_value name = {names.document, names.index + 1};
    for (uint32_t left = value_item(names)->size; left > 0 && plain->compiler->status == OK; left--) {
        if (wire_value_kind(name) != WIRE_STR) {
            return false;
        }
        uint32_t key = add_key(plain, list, value_text(name), NO_INDEX);
        if (links != NULL && !vector_append(links, sizeof key, &key, 1)) {
            compile_no_memory(plain->compiler);
        }
        name = wire_value_next(name);
    }
    return true;
}

void plain_emit_required(struct plain *plain, enum keyword keyword, struct wire_value value) {
    CLEANUP(key_list_done) struct key_list list = {0};
    if (!add_names(plain, &list, value, NULL)) {
        plain_refuse(plain, keyword, "an array of strings");
        return;
    }
    plain_emit(plain, OP_REQUIRED, keyword, make_table(plain, &list), 0, 0);
}

/* Each dependency on names: links (key, count, keys...), numbers of keys in one table. */
static void emit_dependent_required(struct plain *plain, enum keyword keyword, struct wire_value value) {
    struct compiler *compiler = plain->compiler;
    CLEANUP(key_list_done) struct key_list list = {0};
    CLEANUP(vector_done) struct vector links = {0};
    struct wire_value name = {value.document, value.index + 1};
    for (uint32_t left = value_item(value)->size; left > 0 && compiler->status == OK; left--) {
        struct wire_value names = wire_value_next(name);
        if (wire_value_kind(names) == WIRE_ARRAY) {
            uint32_t head[2] = {add_key(plain, &list, value_text(name), NO_INDEX), value_item(names)->size};
            if (!vector_append(&links, sizeof head[0], head, 2)) {
                compile_no_memory(compiler);
                return;
            }
            if (!add_names(plain, &list, names, &links)) {
                plain_refuse(plain, keyword, "an object of arrays of strings");
                return;
            }
        } else if (keyword == KEYWORD_DEPENDENT_REQUIRED) {
            plain_refuse(plain, keyword, "an object of arrays of strings");
            return;
        }
        name = wire_value_next(names);
    }
    if (links.count > 0) {
        uint32_t table = make_table(plain, &list);
        plain_emit(plain, OP_DEPENDENT_REQUIRED, keyword, table,
                   compile_append(compiler, SECTION_links, links.data, links.count), links.count);
    }
}

static void emit_dependent_schemas(struct plain *plain, enum keyword keyword, struct wire_value value) {
    CLEANUP(key_list_done) struct key_list list = {0};
    struct wire_value name = {value.document, value.index + 1};
    for (uint32_t left = value_item(value)->size; left > 0 && plain->compiler->status == OK; left--) {
        struct wire_value schema = wire_value_next(name);
        if (keyword == KEYWORD_DEPENDENT_SCHEMAS || wire_value_kind(schema) != WIRE_ARRAY) {
            add_key(plain, &list, value_text(name), plain_request(plain, plain->unit.source, schema.index, true));
        }
        name = wire_value_next(schema);
    }
    if (list.keys.count > 0) {
        plain_emit(plain, OP_DEPENDENT_SCHEMAS, keyword, make_table(plain, &list), 0, 0);
    }
}

void plain_emit_dependencies(struct plain *plain, enum keyword keyword, struct wire_value value) {
    if (!is_map(plain, keyword)) {
        return;
    }
    if (keyword != KEYWORD_DEPENDENT_SCHEMAS) {
        emit_dependent_required(plain, keyword, value);
    }
    if (keyword != KEYWORD_DEPENDENT_REQUIRED) {
        emit_dependent_schemas(plain, keyword, value);
    }
}
