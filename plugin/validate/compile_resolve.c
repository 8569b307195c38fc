/* compile_resolve.c: where references lead, and where schemas stand. */
#include "validate/compile.h"

#include "validate/hash.h"
#include "validate/uri.h"
#include "validate/value.h"
#include "wire/json_text.h"

#include <stdio.h>

static uint32_t find_resource(const struct compiler *compiler, struct bytes uri) {
    uint32_t cursor = 0;
    uint32_t found;
    while ((found = index_next(&compiler->name_index, hash_bytes(uri, HASH_SEED), &cursor)) != NO_INDEX) {
        const struct resource_name *name = VECTOR_AT(compiler->resource_names, struct resource_name, found);
        if (bytes_equal((struct bytes){compiler->names.data + name->uri, name->uri_size}, uri)) {
            return name->resource;
        }
    }
    return NO_INDEX;
}

enum status compile_load_metaschema(struct compiler *compiler, struct bytes uri, bool *ret_found) {
    struct bytes text = metaschema_find(uri);
    *ret_found = bytes_present(text);
    if (!*ret_found) {
        return OK;
    }
    struct source *source = &compiler->sources[compiler->source_count];
    const struct wire_limits limits = {.size_max = UINT32_MAX, .depth_max = 64};
    enum status status = json_text_convert(text, limits.depth_max, &source->bytes, compiler->error);
    if (status == OK) {
        status = wire_document_parse(&source->tape, buffer_view(&source->bytes), &limits, compiler->error);
    }
    if (status != OK) {
        compiler->status = status;
        return status;
    }
    uint64_t size = compiler->size; /* what is built in does not count */
    uint32_t number;
    status = compile_add_source(compiler, (struct wire_value){&source->tape, 0}, (struct bytes){0}, &number);
    compiler->size = size;
    return status == OK ? compile_scan_source(compiler, number) : status;
}

uint32_t compile_find_anchor(const struct compiler *compiler, uint32_t resource, struct bytes name) {
    uint32_t cursor = 0;
    uint32_t found;
    while ((found = index_next(&compiler->anchor_index, hash_bytes(name, resource), &cursor)) != NO_INDEX) {
        const struct anchor *anchor = VECTOR_AT(compiler->anchors, struct anchor, found);
        if (anchor->resource == resource && bytes_equal(anchor->name, name)) {
            return found;
        }
    }
    return NO_INDEX;
}

/* ---- pointers ---- */

/* ~0 and ~1, in place. */
static size_t unescape_token(uint8_t *token, size_t size) {
    size_t out = 0;
    for (size_t i = 0; i < size; i++) {
        if (token[i] == '~' && i + 1 < size && (token[i + 1] == '0' || token[i + 1] == '1')) {
            token[out++] = token[++i] == '0' ? '~' : '/';
        } else {
            token[out++] = token[i];
        }
    }
    return out;
}

static uint32_t element_at(struct wire_value array, struct bytes token) {
    uint64_t position = 0;
    if (token.size == 0 || token.size > 9 || (token.size > 1 && token.data[0] == '0')) {
        return NO_INDEX;
    }
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] < '0' || token.data[i] > '9') {
            return NO_INDEX;
        }
        position = position * 10 + (uint64_t)(token.data[i] - '0');
    }
    if (position >= value_item(array)->size) {
        return NO_INDEX;
    }
    struct wire_value element = {array.document, array.index + 1};
    for (; position > 0; position--) {
        element = wire_value_next(element);
    }
    return element.index;
}

/* The item that a decoded pointer leads to from `from`; NO_INDEX: none. Alters the pointer. */
static uint32_t walk(struct compiler *compiler, struct wire_value from, struct buffer *pointer) {
    size_t at = 0;
    while (at < pointer->size) {
        uint8_t *token = pointer->data + at + 1;
        size_t size = 0;
        while (at + 1 + size < pointer->size && token[size] != '/') {
            size++;
        }
        at += 1 + size;
        struct bytes name = {.data = token, .size = unescape_token(token, size)};
        if (!compile_spend(compiler, 1 + value_item(from)->size)) {
            return NO_INDEX;
        }
        enum wire_kind kind = wire_value_kind(from);
        from.index = kind == WIRE_MAP     ? value_member(from, name).index
                     : kind == WIRE_ARRAY ? element_at(from, name)
                                          : NO_INDEX;
        if (from.index == NO_INDEX) {
            return NO_INDEX;
        }
    }
    return from.index;
}

/* ---- references ---- */

static enum status find_or_load(struct compiler *compiler, struct bytes base, struct bytes plain,
                                uint32_t *ret_resource) {
    CLEANUP(buffer_done) struct buffer uri = {0};
    if (!uri_resolve(base, plain, &uri) || !buffer_reserve(&uri, 1)) {
        return compile_no_memory(compiler);
    }
    *ret_resource = find_resource(compiler, buffer_view(&uri));
    bool found = false;
    if (*ret_resource == NO_INDEX) {
        enum status status = compile_load_metaschema(compiler, buffer_view(&uri), &found);
        if (status != OK) {
            return status;
        }
    }
    if (found) {
        *ret_resource = find_resource(compiler, buffer_view(&uri));
    }
    return OK;
}

enum status compile_resolve(struct compiler *compiler, uint32_t resource, uint32_t source, uint32_t item,
                            struct bytes reference, struct target *ret_target) {
    if (++compiler->reference_count > compiler->options->limits.schema_references_max) {
        return compile_limit(compiler, "schema_references_max", compiler->options->limits.schema_references_max);
    }
    struct bytes plain;
    struct bytes fragment;
    uri_split(reference, &plain, &fragment);
    uint32_t found = resource;
    if (plain.size > 0) {
        CLEANUP(buffer_done) struct buffer base = {0};
        struct bytes uri = compile_resource_uri(compiler, RESOURCE(compiler, resource));
        if (!compile_spend_bytes(compiler, uri.size + plain.size)) {
            return compiler->status;
        }
        if (!buffer_append(&base, uri.data, uri.size) || !buffer_reserve(&base, 1)) {
            return compile_no_memory(compiler);
        }
        enum status status = find_or_load(compiler, buffer_view(&base), plain, &found);
        if (status != OK) {
            return status;
        }
    }
    if (found == NO_INDEX) {
        return compile_refuse(compiler, INVALID, source, item,
                              "the reference '%.*s' leads to no schema that was given: nothing is ever fetched",
                              BYTES_FORMAT(reference));
    }
    CLEANUP(buffer_done) struct buffer decoded = {0};
    if (!uri_decode(fragment, &decoded) || !buffer_reserve(&decoded, 1)) {
        return compile_no_memory(compiler);
    }
    const struct resource *to = RESOURCE(compiler, found);
    struct target target = {.source = to->source, .item = to->root, .anchor = NO_INDEX};
    if (decoded.size > 0 && decoded.data[0] != '/') {
        target.anchor = compile_find_anchor(compiler, found, buffer_view(&decoded));
        target.item =
            target.anchor != NO_INDEX ? VECTOR_AT(compiler->anchors, struct anchor, target.anchor)->item : NO_INDEX;
    } else {
        target.item = walk(compiler, compile_item(compiler, target.source, target.item), &decoded);
    }
    if (target.item == NO_INDEX) {
        return compiler->status != OK
                   ? compiler->status
                   : compile_refuse(compiler, INVALID, source, item, "the reference '%.*s' leads to nothing",
                                    BYTES_FORMAT(reference));
    }
    *ret_target = target;
    return OK;
}

/* ---- locations ---- */

/* "/properties/name": the way from one schema down to another. */
static bool append_way(const struct source *source, uint32_t from, uint32_t to, struct buffer *ret) {
    if (from == to) {
        return true;
    }
    uint32_t way[1024];
    uint32_t count = 0;
    for (uint32_t at = to; at != from && count < 1024; at = source->parents[at]) {
        way[count++] = at;
    }
    const struct wire_document *document = source->root.document;
    while (count > 0) {
        uint32_t at = way[--count];
        uint32_t parent = source->parents[at];
        char number[16];
        struct bytes token = bytes_from_string(number);
        if (document->items[source->root.index + parent].kind == WIRE_ARRAY) {
            snprintf(number, sizeof number, "%u", source->positions[at]);
            token = bytes_from_string(number);
        } else {
            token = value_text((struct wire_value){document, source->root.index + at - 1});
        }
        if (!buffer_append(ret, "/", 1) || !uri_append_token(token, ret)) {
            return false;
        }
    }
    return true;
}

static uint32_t add_location(struct compiler *compiler, uint32_t parent, struct bytes text) {
    struct location location = {.parent = parent, .text = compile_text(compiler, text), .size = (uint32_t)text.size};
    return compile_append(compiler, SECTION_locations, &location, 1);
}

uint32_t compile_location(struct compiler *compiler, uint32_t number, uint32_t item) {
    const struct source *source = &compiler->sources[number];
    uint32_t base = source->root.index;
    uint32_t chain[1024]; /* schemas within each other that have no location yet, the innermost first */
    uint32_t count = 0;
    uint32_t location = NO_INDEX;
    const struct resource *resource = RESOURCE(compiler, source->records[item - base] - 1);
    uint32_t root = resource->source == number ? resource->root - base : 0;
    for (uint32_t at = item - base; count < 1024; at = source->parents[at]) {
        if (source->locations[at] != 0) {
            location = source->locations[at] - 1;
            break;
        }
        if (source->records[at] != 0) {
            chain[count++] = at;
        }
        if (at == root) {
            break;
        }
    }
    CLEANUP(buffer_done) struct buffer text = {0};
    uint32_t above = NO_INDEX;
    while (count > 0 && compiler->status == OK) {
        uint32_t at = chain[--count];
        bool fine;
        text.size = 0;
        if (at == root) {
            struct bytes uri = compile_resource_uri(compiler, RESOURCE(compiler, source->records[at] - 1));
            fine = buffer_append(&text, uri.data, uri.size) && buffer_append(&text, "#", 1);
        } else {
            above = source->parents[at];
            while (source->records[above] == 0) {
                above = source->parents[above];
            }
            fine = append_way(source, above, at, &text);
        }
        if (!fine) {
            compile_no_memory(compiler);
            break;
        }
        location = add_location(compiler, location, buffer_view(&text));
        source->locations[at] = location + 1;
    }
    return location;
}
