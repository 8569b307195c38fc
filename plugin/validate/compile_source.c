/* compile_source.c: reading documents: their shape, and the resources and anchors that their keywords make. */
#include "validate/compile.h"

#include "validate/hash.h"
#include "validate/model.h"
#include "validate/uri.h"
#include "validate/value.h"
#include "wire/shape.h"

#include <stdlib.h>

struct wire_value compile_item(const struct compiler *compiler, uint32_t source, uint32_t item) {
    return (struct wire_value){compiler->sources[source].root.document, item};
}

uint32_t *compile_record(const struct compiler *compiler, uint32_t source, uint32_t item) {
    const struct source *from = &compiler->sources[source];
    return &from->records[item - from->root.index];
}

struct bytes compile_resource_uri(const struct compiler *compiler, const struct resource *resource) {
    return (struct bytes){.data = compiler->names.data + resource->uri, .size = resource->uri_size};
}

void compile_done_source(struct source *source) {
    wire_document_done(&source->tape);
    buffer_done(&source->bytes);
    free(source->parents);
    free(source->positions);
    free(source->records);
    free(source->locations);
    *source = (struct source){0};
}

/* ---- shape ---- */

static enum status check_model(struct compiler *compiler, uint32_t number) {
    struct source *source = &compiler->sources[number];
    struct model_fault fault = {0};
    enum verdict verdict = model_check(source->root, false, compiler->options->seed, &compiler->work, &fault);
    if (verdict == VERDICT_NO) {
        return compile_refuse(compiler, INVALID, number, fault.map != WORK_NONE ? fault.map : fault.item,
                              "schema must %s", fault.what);
    }
    if (verdict == VERDICT_LIMIT) {
        return compiler->work.limit == WORK_NO_MEMORY
                   ? compile_no_memory(compiler)
                   : compile_limit(compiler, "schema_compile_steps_max",
                                   compiler->options->limits.schema_compile_steps_max);
    }
    return OK;
}

/* Who is in whom: every item's parent and its place there. */
static enum status read_shape(struct compiler *compiler, uint32_t number) {
    struct source *source = &compiler->sources[number];
    const struct wire_item *items = source->root.document->items;
    uint32_t base = source->root.index;
    uint32_t stack[WIRE_DEPTH_LIMIT + 1];
    uint32_t depth = 0;
    for (uint32_t i = 0; i < source->item_count; i++) {
        while (depth > 0 && items[base + stack[depth - 1]].next <= base + i) {
            depth--;
        }
        source->parents[i] = depth > 0 ? stack[depth - 1] : NO_INDEX;
        if (wire_kind_is_container((enum wire_kind)items[base + i].kind)) {
            if (depth == compiler->options->limits.schema_depth_max || depth == WIRE_DEPTH_LIMIT) {
                return compile_limit(compiler, "schema_depth_max", depth);
            }
            stack[depth++] = i;
        }
        if (items[base + i].kind == WIRE_ARRAY) {
            uint32_t element = base + i + 1;
            for (uint32_t position = 0; position < items[base + i].size; position++) {
                source->positions[element - base] = position;
                element = items[element].next;
            }
        }
    }
    return OK;
}

enum status compile_add_source(struct compiler *compiler, struct wire_value root, struct bytes uri,
                               uint32_t *ret_source) {
    uint32_t number = compiler->source_count++;
    struct source *source = &compiler->sources[number];
    source->root = root;
    source->uri = bytes_present(uri) ? uri : BYTES_LITERAL("");
    source->item_count = value_item(root)->next - root.index;
    compiler->size += wire_value_raw(root).size;
    if (compiler->size > compiler->options->limits.schema_size_max) {
        return compile_limit(compiler, "schema_size_max", compiler->options->limits.schema_size_max);
    }
    source->parents = calloc(source->item_count, sizeof(uint32_t));
    source->positions = calloc(source->item_count, sizeof(uint32_t));
    source->records = calloc(source->item_count, sizeof(uint32_t));
    source->locations = calloc(source->item_count, sizeof(uint32_t));
    if (source->parents == NULL || source->positions == NULL || source->records == NULL || source->locations == NULL) {
        return compile_no_memory(compiler);
    }
    enum status status = read_shape(compiler, number);
    if (status == OK) {
        status = check_model(compiler, number);
    }
    *ret_source = number;
    return status;
}

/* ---- resources and anchors ---- */

/* An item that may be a schema, and the resource it is in. */
struct pending_scan {
    uint32_t source;
    uint32_t item;
    uint32_t resource;
};

static bool pend(struct compiler *compiler, uint32_t source, uint32_t item, uint32_t resource) {
    struct pending_scan scan = {source, item, resource};
    return vector_append(&compiler->pending_scans, sizeof scan, &scan, 1);
}

/* The resource is known by this URI, which no other may be. */
static enum status name_resource(struct compiler *compiler, uint32_t number, uint32_t uri, uint32_t size) {
    struct bytes text = {.data = compiler->names.data + uri, .size = size};
    uint64_t hash = hash_bytes(text, HASH_SEED);
    uint32_t cursor = 0;
    uint32_t found;
    while ((found = index_next(&compiler->name_index, hash, &cursor)) != NO_INDEX) {
        const struct resource_name *name = VECTOR_AT(compiler->resource_names, struct resource_name, found);
        struct bytes other = {.data = compiler->names.data + name->uri, .size = name->uri_size};
        if (bytes_equal(other, text)) {
            if (name->resource == number) {
                return OK;
            }
            const struct resource *resource = RESOURCE(compiler, number);
            return compile_refuse(compiler, INVALID, resource->source, resource->root,
                                  "two schemas are identified by '%.*s'", BYTES_FORMAT(text));
        }
    }
    struct resource_name name = {.uri = uri, .uri_size = size, .resource = number};
    if (!index_add(&compiler->name_index, hash, compiler->resource_names.count) ||
        !vector_append(&compiler->resource_names, sizeof name, &name, 1)) {
        return compile_no_memory(compiler);
    }
    return OK;
}

/* `uri` without its fragment, resolved against `base`; appended to the names. */
static enum status resolve_name(struct compiler *compiler, struct bytes base, struct bytes uri, uint32_t *ret_uri,
                                uint32_t *ret_size) {
    CLEANUP(buffer_done) struct buffer resolved = {0};
    struct bytes plain;
    struct bytes fragment;
    uri_split(uri, &plain, &fragment);
    size_t start = compiler->names.size;
    if (!compile_spend_bytes(compiler, base.size + plain.size)) {
        return compiler->status;
    }
    if (!uri_resolve(base, plain, &resolved) || !buffer_append(&compiler->names, resolved.data, resolved.size) ||
        !buffer_reserve(&compiler->names, 1)) {
        return compile_no_memory(compiler);
    }
    *ret_uri = (uint32_t)start;
    *ret_size = (uint32_t)(compiler->names.size - start);
    return OK;
}

static enum status add_resource(struct compiler *compiler, uint32_t source, uint32_t item, struct bytes base,
                                struct bytes id, uint32_t *ret_resource) {
    struct resource resource = {.source = source, .root = item};
    enum status status = resolve_name(compiler, base, id, &resource.uri, &resource.uri_size);
    uint32_t meta;
    if (status == OK) {
        status = compile_find_dialect(compiler, source, item, &resource.dialect, &meta);
    }
    if (status != OK) {
        return status;
    }
    *ret_resource = compiler->resources.count;
    if (!vector_append(&compiler->resources, sizeof resource, &resource, 1)) {
        return compile_no_memory(compiler);
    }
    return name_resource(compiler, *ret_resource, resource.uri, resource.uri_size);
}

static struct bytes member_text(struct wire_value map, const char *name) {
    struct wire_value value = value_member(map, bytes_from_string(name));
    return value.index != WORK_NONE && wire_value_kind(value) == WIRE_STR ? value_text(value) : (struct bytes){0};
}

static enum status add_anchor(struct compiler *compiler, uint32_t resource, uint32_t item, struct bytes name,
                              bool is_dynamic) {
    uint32_t found = compile_find_anchor(compiler, resource, name);
    if (found != NO_INDEX) {
        struct anchor *anchor = VECTOR_AT(compiler->anchors, struct anchor, found);
        if (anchor->item != item) {
            return compile_refuse(compiler, INVALID, RESOURCE(compiler, resource)->source, item,
                                  "anchor '%.*s' is there twice", BYTES_FORMAT(name));
        }
        anchor->is_dynamic = anchor->is_dynamic || is_dynamic;
    } else {
        struct anchor anchor = {.name = name, .resource = resource, .item = item, .is_dynamic = is_dynamic};
        if (!index_add(&compiler->anchor_index, hash_bytes(name, resource), compiler->anchors.count) ||
            !vector_append(&compiler->anchors, sizeof anchor, &anchor, 1)) {
            return compile_no_memory(compiler);
        }
    }
    RESOURCE(compiler, resource)->dynamic_anchors += is_dynamic;
    return OK;
}

/* What identifies a schema: *resource becomes its own, if it has one. */
static enum status read_identifiers(struct compiler *compiler, uint32_t source, uint32_t item, uint32_t *resource) {
    struct wire_value schema = compile_item(compiler, source, item);
    const struct dialect dialect = RESOURCE(compiler, *resource)->dialect;
    bool is_root = item == RESOURCE(compiler, *resource)->root;
    struct bytes id = member_text(schema, "$id");
    bool is_draft_07 = dialect.draft == VALIDATE_DRAFT_07;
    if (is_draft_07 && bytes_present(member_text(schema, "$ref"))) {
        id = (struct bytes){0}; /* siblings of $ref mean nothing */
    }
    struct bytes uri = {0};
    struct bytes fragment = {0};
    if (bytes_present(id)) {
        uri_split(id, &uri, &fragment);
    }
    enum status status = OK;
    if (bytes_present(id) && !is_root && (uri.size > 0 || !is_draft_07 || fragment.size == 0)) {
        struct bytes base = compile_resource_uri(compiler, RESOURCE(compiler, *resource));
        status = add_resource(compiler, source, item, base, uri, resource);
    }
    if (status == OK && is_draft_07 && fragment.size > 0) {
        status = add_anchor(compiler, *resource, item, fragment, false);
    }
    if (is_draft_07 || status != OK) {
        return status;
    }
    struct bytes anchor = member_text(schema, "$anchor");
    struct bytes dynamic_anchor = member_text(schema, "$dynamicAnchor");
    if (bytes_present(anchor)) {
        status = add_anchor(compiler, *resource, item, anchor, false);
    }
    if (status == OK && bytes_present(dynamic_anchor)) {
        status = add_anchor(compiler, *resource, item, dynamic_anchor, true);
    }
    return status;
}

/* The subschemas in the value of a keyword are still to be read. */
static bool pend_subschemas(struct compiler *compiler, uint32_t source, struct wire_value value,
                            enum keyword_shape shape, uint32_t resource) {
    enum wire_kind kind = wire_value_kind(value);
    bool is_map_of = shape == SHAPE_MAP || shape == SHAPE_MAP_OF_EITHER;
    bool is_array_of = shape == SHAPE_ARRAY || shape == SHAPE_SCHEMA_OR_ARRAY;
    if ((is_map_of && kind == WIRE_MAP) || (is_array_of && kind == WIRE_ARRAY)) {
        struct wire_value member = {value.document, value.index + 1};
        for (uint32_t left = value_item(value)->size; left > 0; left--) {
            member = is_map_of ? wire_value_next(member) : member;
            if (!pend(compiler, source, member.index, resource)) {
                return false;
            }
            member = wire_value_next(member);
        }
        return true;
    }
    if (shape == SHAPE_SCHEMA || shape == SHAPE_SCHEMA_OR_ARRAY) {
        return pend(compiler, source, value.index, resource);
    }
    return true;
}

static enum status scan(struct compiler *compiler, struct pending_scan at) {
    struct wire_value schema = compile_item(compiler, at.source, at.item);
    uint32_t *record = compile_record(compiler, at.source, at.item);
    enum wire_kind kind = wire_value_kind(schema);
    if (*record != 0 || (kind != WIRE_MAP && kind != WIRE_BOOL)) {
        return OK;
    }
    uint32_t resource = at.resource;
    enum status status = kind == WIRE_MAP ? read_identifiers(compiler, at.source, at.item, &resource) : OK;
    *record = resource + 1;
    if (status != OK || kind == WIRE_BOOL) {
        return status;
    }
    const struct dialect dialect = RESOURCE(compiler, resource)->dialect;
    struct wire_value name = {schema.document, schema.index + 1};
    for (uint32_t left = value_item(schema)->size; left > 0; left--) {
        struct wire_value value = wire_value_next(name);
        enum keyword keyword = keyword_find(&dialect, value_text(name));
        if (!compile_spend(compiler, 1)) {
            return compiler->status;
        }
        if (!pend_subschemas(compiler, at.source, value, keyword_shape(keyword), resource)) {
            return compile_no_memory(compiler);
        }
        name = wire_value_next(value);
    }
    return OK;
}

static enum status scan_pending(struct compiler *compiler) {
    enum status status = OK;
    while (status == OK && compiler->pending_scans.count > 0) {
        uint32_t last = --compiler->pending_scans.count;
        status = scan(compiler, *VECTOR_AT(compiler->pending_scans, struct pending_scan, last));
    }
    return status;
}

enum status compile_scan_source(struct compiler *compiler, uint32_t number) {
    struct source *source = &compiler->sources[number];
    struct bytes id = {0};
    if (wire_value_kind(source->root) == WIRE_MAP) {
        id = member_text(source->root, "$id");
    }
    struct bytes plain = BYTES_LITERAL("");
    struct bytes fragment;
    if (bytes_present(id)) {
        uri_split(id, &plain, &fragment);
    }
    struct dialect dialect;
    uint32_t meta;
    enum status status = compile_find_dialect(compiler, number, source->root.index, &dialect, &meta);
    bool has_ref = wire_value_kind(source->root) == WIRE_MAP && bytes_present(member_text(source->root, "$ref"));
    if (status == OK && dialect.draft == VALIDATE_DRAFT_07 && has_ref) {
        plain = BYTES_LITERAL("");
    }
    uint32_t resource = 0;
    if (status == OK) {
        status = add_resource(compiler, number, source->root.index, source->uri, plain, &resource);
    }
    uint32_t uri = 0;
    uint32_t uri_size = 0;
    if (status == OK) {
        status = resolve_name(compiler, BYTES_LITERAL(""), source->uri, &uri, &uri_size);
    }
    if (status == OK && uri_size > 0) {
        status = name_resource(compiler, resource, uri, uri_size);
    }
    if (status == OK && !pend(compiler, number, source->root.index, resource)) {
        status = compile_no_memory(compiler);
    }
    return status == OK ? scan_pending(compiler) : status;
}

enum status compile_scan_item(struct compiler *compiler, uint32_t number, uint32_t item) {
    const struct source *source = &compiler->sources[number];
    uint32_t around = source->parents[item - source->root.index];
    while (around != NO_INDEX && source->records[around] == 0) {
        around = source->parents[around];
    }
    if (around == NO_INDEX) {
        return compile_refuse(compiler, INVALID, number, item, "a schema must be an object or a boolean");
    }
    if (!pend(compiler, number, item, source->records[around] - 1)) {
        return compile_no_memory(compiler);
    }
    return scan_pending(compiler);
}
