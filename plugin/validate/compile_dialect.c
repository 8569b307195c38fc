/* compile_dialect.c: which keywords a schema means, by its $schema and that one's $vocabulary. */
#include "validate/compile.h"

#include "validate/uri.h"
#include "validate/value.h"

enum { META_CHAIN_MAX = 8 }; /* custom meta-schemas of custom meta-schemas */

static bool has_fragment(struct bytes uri, struct bytes *ret_plain) {
    struct bytes fragment;
    uri_split(uri, ret_plain, &fragment);
    return fragment.size > 0;
}

/* The source whose root is identified by the URI. */
static uint32_t find_source(struct compiler *compiler, struct bytes uri) {
    for (uint32_t i = 0; i < compiler->source_count; i++) {
        const struct source *source = &compiler->sources[i];
        struct bytes plain;
        if (!compile_spend(compiler, 1 + (source->root.document != NULL ? value_item(source->root)->size : 0))) {
            return NO_INDEX;
        }
        if (!has_fragment(source->uri, &plain) && bytes_equal(plain, uri)) {
            return i;
        }
        if (source->root.document == NULL || wire_value_kind(source->root) != WIRE_MAP) {
            continue;
        }
        struct wire_value id = value_member(source->root, BYTES_LITERAL("$id"));
        if (id.index != WORK_NONE && wire_value_kind(id) == WIRE_STR && !has_fragment(value_text(id), &plain) &&
            bytes_equal(plain, uri)) {
            return i;
        }
    }
    return NO_INDEX;
}

static enum status read_vocabularies(struct compiler *compiler, uint32_t source, struct dialect *dialect) {
    struct wire_value map = value_member(compiler->sources[source].root, BYTES_LITERAL("$vocabulary"));
    if (map.index == WORK_NONE || wire_value_kind(map) != WIRE_MAP) {
        return OK;
    }
    dialect->vocabularies = VOCABULARY_CORE;
    if (!compile_spend(compiler, value_item(map)->size)) {
        return compiler->status;
    }
    struct wire_value uri = {map.document, map.index + 1};
    for (uint32_t left = value_item(map)->size; left > 0; left--) {
        struct wire_value required = wire_value_next(uri);
        uint32_t bit = vocabulary_find(value_text(uri));
        if (bit == 0 && wire_value_kind(required) == WIRE_BOOL && wire_value_bool(required)) {
            return compile_refuse(compiler, UNSUPPORTED, source, map.index,
                                  "the meta-schema requires the vocabulary '%.*s', which is unknown",
                                  BYTES_FORMAT(value_text(uri)));
        }
        dialect->vocabularies |= bit;
        uri = wire_value_next(required);
    }
    return OK;
}

enum status compile_find_dialect(struct compiler *compiler, uint32_t source, uint32_t item, struct dialect *ret_dialect,
                                 uint32_t *ret_meta) {
    *ret_dialect = dialect_default(compiler->options->default_dialect);
    *ret_meta = NO_INDEX;
    struct wire_value schema = compile_item(compiler, source, item);
    /* An embedded schema without $schema is read like the one around it; a root like the options say. */
    const struct source *around = &compiler->sources[source];
    uint32_t parent = around->parents[item - around->root.index];
    while (parent != NO_INDEX && around->records[parent] == 0) {
        parent = around->parents[parent];
    }
    if (parent != NO_INDEX) {
        *ret_dialect = RESOURCE(compiler, around->records[parent] - 1)->dialect;
    }
    for (int links = 0; wire_value_kind(schema) == WIRE_MAP; links++) {
        struct wire_value uri = value_member(schema, BYTES_LITERAL("$schema"));
        if (uri.index == WORK_NONE || wire_value_kind(uri) != WIRE_STR) {
            break;
        }
        struct bytes plain;
        struct dialect known;
        bool is_known = !has_fragment(value_text(uri), &plain) && dialect_find(plain, &known);
        if (is_known) {
            *ret_dialect = known;
            break;
        }
        uint32_t meta = find_source(compiler, plain);
        if (compiler->status != OK) {
            return compiler->status;
        }
        if (meta == NO_INDEX) {
            return compile_refuse(compiler, UNSUPPORTED, source, item,
                                  "$schema is '%.*s': draft 2020-12, draft-07 or a document given with the schema is "
                                  "needed",
                                  BYTES_FORMAT(value_text(uri)));
        }
        if (links == META_CHAIN_MAX) {
            return compile_refuse(compiler, INVALID, source, item,
                                  "$schema leads in a circle, or through more than %d "
                                  "meta-schemas",
                                  META_CHAIN_MAX);
        }
        *ret_meta = *ret_meta == NO_INDEX ? meta : *ret_meta;
        schema = compiler->sources[meta].root;
    }
    return *ret_meta == NO_INDEX || ret_dialect->draft == VALIDATE_DRAFT_07
               ? OK
               : read_vocabularies(compiler, *ret_meta, ret_dialect);
}
