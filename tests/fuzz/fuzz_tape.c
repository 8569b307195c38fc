/* fuzz_tape.c: any bytes through the shape pass. What it accepts is one well-formed value by the word of a second
 * reader, written here as simply as can be, and of msgpack-c, which finds the same values in it; and the tape covers
 * every byte. What it refuses is none, or beyond a limit.
 *
 * The first byte chooses the limits. */
#include "require.h"

#include "wire/document.h"
#include "wire/shape.h"

#include <msgpack.h>

enum { MSGPACK_DEPTH_MAX = 30 /* what msgpack-c's unpacker holds */ };

/* ---- a second reader ---- */

struct cursor {
    const uint8_t *data;
    size_t size;
    size_t at;
    uint32_t depth_max; /* of containers that were seen within each other */
    uint32_t items;
};

static bool skip(struct cursor *cursor, uint64_t count) {
    if (count > cursor->size - cursor->at) {
        return false;
    }
    cursor->at += (size_t)count;
    return true;
}

static bool read_number(struct cursor *cursor, int bytes, uint64_t *ret) {
    *ret = 0;
    for (int i = 0; i < bytes; i++) {
        if (cursor->at == cursor->size) {
            return false;
        }
        *ret = *ret << 8 | cursor->data[cursor->at++];
    }
    return true;
}

static bool read_value(struct cursor *cursor, uint32_t depth);

static bool read_elements(struct cursor *cursor, uint64_t count, uint32_t depth) {
    if (depth + 1 > cursor->depth_max) {
        cursor->depth_max = depth + 1;
    }
    if (depth > WIRE_DEPTH_LIMIT) {
        return false; /* deeper than any limit: no matter */
    }
    for (; count > 0; count--) {
        if (!read_value(cursor, depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool read_value(struct cursor *cursor, uint32_t depth) {
    static const uint8_t FIXED[] = {1, 2, 4, 8, 1, 2, 4, 8};
    uint64_t first;
    uint64_t size = 0;
    if (!read_number(cursor, 1, &first)) {
        return false;
    }
    cursor->items++;
    if (first <= 0x7F || first >= 0xE0 || first == 0xC0 || first == 0xC2 || first == 0xC3) {
        return true;
    }
    if (first <= 0x8F) {
        return read_elements(cursor, 2 * (first & 15), depth);
    }
    if (first <= 0x9F) {
        return read_elements(cursor, first & 15, depth);
    }
    if (first <= 0xBF) {
        return skip(cursor, first & 31);
    }
    if (first >= 0xC4 && first <= 0xC6) { /* bin */
        return read_number(cursor, 1 << (first - 0xC4), &size) && skip(cursor, size);
    }
    if (first >= 0xC7 && first <= 0xC9) { /* ext */
        return read_number(cursor, 1 << (first - 0xC7), &size) && skip(cursor, 1) && skip(cursor, size);
    }
    if (first == 0xCA || first == 0xCB) { /* float */
        return skip(cursor, first == 0xCA ? 4 : 8);
    }
    if (first >= 0xCC && first <= 0xD3) { /* integers */
        return skip(cursor, FIXED[first - 0xCC]);
    }
    if (first >= 0xD4 && first <= 0xD8) { /* fixed ext */
        return skip(cursor, 1) && skip(cursor, UINT64_C(1) << (first - 0xD4));
    }
    if (first >= 0xD9 && first <= 0xDB) { /* str */
        return read_number(cursor, 1 << (first - 0xD9), &size) && skip(cursor, size);
    }
    if (first >= 0xDC && first <= 0xDF) { /* array, map */
        return read_number(cursor, first % 2 == 0 ? 2 : 4, &size) &&
               read_elements(cursor, first >= 0xDE ? 2 * size : size, depth);
    }
    return false; /* 0xC1 */
}

/* ---- the tape ---- */

/* Each item begins where the one before it ends or, of a container, where its header ends; and `next` and the depth
 * fit.
 */
static void require_invariants(const struct wire_document *document, uint32_t depth_max) {
    uint32_t ends[WIRE_DEPTH_LIMIT + 1];
    uint32_t depth = 0;
    size_t offset = 0;
    REQUIRE(document->item_count > 0 && document->items[0].next == document->item_count);
    for (uint32_t i = 0; i < document->item_count; i++) {
        const struct wire_item *item = &document->items[i];
        enum wire_kind kind = (enum wire_kind)item->kind;
        bool is_container = wire_kind_is_container(kind);
        while (depth > 0 && ends[depth - 1] == i) {
            depth--;
        }
        REQUIRE(kind <= WIRE_MAP && (kind == WIRE_STR || is_container || item->mark == 0));
        REQUIRE(item->offset == offset && item->header_size > 0);
        REQUIRE(item->next > i && item->next <= (depth > 0 ? ends[depth - 1] : document->item_count));
        REQUIRE(is_container || item->next == i + 1);
        offset += item->header_size + (is_container ? 0 : item->size);
        if (is_container) {
            uint64_t children = kind == WIRE_MAP ? 2 * (uint64_t)item->size : item->size;
            uint32_t child = i + 1;
            for (; children > 0 && child < item->next; children--) {
                child = document->items[child].next;
            }
            REQUIRE(children == 0 && child == item->next);
            REQUIRE(depth < depth_max);
            ends[depth++] = item->next;
        }
        REQUIRE(wire_skip(document->input.data + item->offset, document->input.size - item->offset) ==
                wire_value_raw((struct wire_value){document, i}).size);
    }
    REQUIRE(offset == document->input.size);
}

/* ---- msgpack-c ---- */

static bool is_text_of(struct wire_value value, const char *data, uint32_t size) {
    struct bytes payload = wire_value_payload(value);
    return payload.size == size && (size == 0 || memcmp(payload.data, data, size) == 0);
}

static void require_same(struct wire_value value, const msgpack_object *object);

static void require_same_elements(struct wire_value value, const msgpack_object *object) {
    struct wire_value child = {value.document, value.index + 1};
    uint32_t size = value.document->items[value.index].size;
    bool is_map = wire_value_kind(value) == WIRE_MAP;
    REQUIRE(object->type == (is_map ? MSGPACK_OBJECT_MAP : MSGPACK_OBJECT_ARRAY));
    REQUIRE(size == (is_map ? object->via.map.size : object->via.array.size));
    for (uint32_t i = 0; i < size; i++) {
        if (is_map) {
            require_same(child, &object->via.map.ptr[i].key);
            child = wire_value_next(child);
        }
        require_same(child, is_map ? &object->via.map.ptr[i].val : &object->via.array.ptr[i]);
        child = wire_value_next(child);
    }
}

static void require_same(struct wire_value value, const msgpack_object *object) {
    switch (wire_value_kind(value)) {
    case WIRE_NIL:
        REQUIRE(object->type == MSGPACK_OBJECT_NIL);
        return;
    case WIRE_BOOL:
        REQUIRE(object->type == MSGPACK_OBJECT_BOOLEAN && object->via.boolean == wire_value_bool(value));
        return;
    case WIRE_INT:
        REQUIRE(object->type == MSGPACK_OBJECT_POSITIVE_INTEGER || object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER);
        REQUIRE((object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) == (wire_value_int(value) < 0));
        REQUIRE(object->via.i64 == wire_value_int(value));
        return;
    case WIRE_UINT:
        REQUIRE(object->type == MSGPACK_OBJECT_POSITIVE_INTEGER && object->via.u64 == wire_value_uint(value));
        REQUIRE(wire_value_uint(value) > INT64_MAX);
        return;
    case WIRE_FLOAT: {
        double number = wire_value_float(value);
        REQUIRE(object->type == MSGPACK_OBJECT_FLOAT32 || object->type == MSGPACK_OBJECT_FLOAT64);
        REQUIRE(memcmp(&number, &object->via.f64, sizeof number) == 0 || number != number);
        return;
    }
    case WIRE_STR:
        REQUIRE(object->type == MSGPACK_OBJECT_STR && is_text_of(value, object->via.str.ptr, object->via.str.size));
        return;
    case WIRE_BIN:
        REQUIRE(object->type == MSGPACK_OBJECT_BIN && is_text_of(value, object->via.bin.ptr, object->via.bin.size));
        return;
    case WIRE_EXT:
        REQUIRE(object->type == MSGPACK_OBJECT_EXT && object->via.ext.type == wire_value_ext_type(value));
        REQUIRE(is_text_of(value, object->via.ext.ptr, object->via.ext.size));
        return;
    case WIRE_ARRAY:
    case WIRE_MAP:
        require_same_elements(value, object);
        return;
    }
}

static void require_msgpack_agrees(const struct wire_document *document) {
    msgpack_unpacked unpacked;
    size_t offset = 0;
    msgpack_unpacked_init(&unpacked);
    msgpack_unpack_return result =
        msgpack_unpack_next(&unpacked, (const char *)document->input.data, document->input.size, &offset);
    REQUIRE(result == MSGPACK_UNPACK_SUCCESS && offset == document->input.size);
    require_same((struct wire_value){document, 0}, &unpacked.data);
    msgpack_unpacked_destroy(&unpacked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const struct bytes input = {data + 1, size - 1};
    const struct wire_limits limits = {.size_max = data[0] % 2 != 0 ? UINT32_MAX : 4096,
                                       .depth_max = data[0] < 128 ? WIRE_DEPTH_LIMIT : data[0] % 32};
    CLEANUP(wire_document_done) struct wire_document document = {0};
    struct error error;
    struct cursor cursor = {.data = input.data, .size = input.size};
    bool is_one = read_value(&cursor, 0) && cursor.at == cursor.size;
    enum status status = wire_document_parse(&document, input, &limits, &error);
    REQUIRE((wire_skip(input.data, input.size) == input.size) == is_one || cursor.depth_max > WIRE_DEPTH_LIMIT ||
            input.size == 0);
    if (status != OK) {
        REQUIRE(document.items == NULL && document.item_count == 0);
        REQUIRE(error.status == status && error.message[0] != '\0');
        REQUIRE(status == INVALID || status == TOO_LARGE);
        REQUIRE(!is_one ||
                (status == TOO_LARGE && (input.size > limits.size_max || cursor.depth_max > limits.depth_max)));
        return 0;
    }
    REQUIRE(is_one && input.size <= limits.size_max && cursor.depth_max <= limits.depth_max);
    REQUIRE(document.item_count == cursor.items && document.item_count <= input.size);
    require_invariants(&document, limits.depth_max);
    if (cursor.depth_max <= MSGPACK_DEPTH_MAX) {
        require_msgpack_agrees(&document);
    }
    return 0;
}
