/* wire/shape.c: the bounded pass over hostile msgpack that proves its shape and writes the tape. */
#include "wire/shape.h"

#include <assert.h>
#include <stdlib.h>

static_assert(sizeof(struct wire_item) == 16, "the tape's items are 16 bytes");

enum { TAPE_CAPACITY_MIN = 64 };

/* How the headers 0xc0 to 0xdf are built: the bytes of the length or count that follow, or a fixed payload. */
struct form {
    uint8_t kind;
    uint8_t header_size;  /* all bytes before the payload or the elements */
    uint8_t length_bytes; /* the size of the length, right after the first byte; 0: it is `fixed` */
    uint8_t fixed;
};

static const struct form FORMS[32] = {
    [0x00] = {WIRE_NIL, 1, 0, 0},   [0x02] = {WIRE_BOOL, 1, 0, 0},  [0x03] = {WIRE_BOOL, 1, 0, 0},
    [0x04] = {WIRE_BIN, 2, 1, 0},   [0x05] = {WIRE_BIN, 3, 2, 0},   [0x06] = {WIRE_BIN, 5, 4, 0},
    [0x07] = {WIRE_EXT, 3, 1, 0},   [0x08] = {WIRE_EXT, 4, 2, 0},   [0x09] = {WIRE_EXT, 6, 4, 0},
    [0x0a] = {WIRE_FLOAT, 5, 0, 0}, [0x0b] = {WIRE_FLOAT, 9, 0, 0}, [0x0c] = {WIRE_INT, 2, 0, 0},
    [0x0d] = {WIRE_INT, 3, 0, 0},   [0x0e] = {WIRE_INT, 5, 0, 0},   [0x0f] = {WIRE_INT, 9, 0, 0},
    [0x10] = {WIRE_INT, 2, 0, 0},   [0x11] = {WIRE_INT, 3, 0, 0},   [0x12] = {WIRE_INT, 5, 0, 0},
    [0x13] = {WIRE_INT, 9, 0, 0},   [0x14] = {WIRE_EXT, 2, 0, 1},   [0x15] = {WIRE_EXT, 2, 0, 2},
    [0x16] = {WIRE_EXT, 2, 0, 4},   [0x17] = {WIRE_EXT, 2, 0, 8},   [0x18] = {WIRE_EXT, 2, 0, 16},
    [0x19] = {WIRE_STR, 2, 1, 0},   [0x1a] = {WIRE_STR, 3, 2, 0},   [0x1b] = {WIRE_STR, 5, 4, 0},
    [0x1c] = {WIRE_ARRAY, 3, 2, 0}, [0x1d] = {WIRE_ARRAY, 5, 4, 0}, [0x1e] = {WIRE_MAP, 3, 2, 0},
    [0x1f] = {WIRE_MAP, 5, 4, 0},
};

enum { BYTE_NEVER_USED = 0xC1, BYTE_FLOAT32 = 0xCA, BYTE_UINT64 = 0xCF };

enum wire_head_result wire_head_read(const uint8_t *data, size_t left, struct wire_head *ret_head) {
    uint8_t first = data[0];
    struct wire_head head = {.header_size = 1};
    if (first < 0x80 || first >= 0xE0) {
        head.kind = WIRE_INT;
    } else if (first < 0x90) {
        head.kind = WIRE_MAP;
        head.size = first & 0x0F;
    } else if (first < 0xA0) {
        head.kind = WIRE_ARRAY;
        head.size = first & 0x0F;
    } else if (first < 0xC0) {
        head.kind = WIRE_STR;
        head.size = first & 0x1F;
    } else if (first == BYTE_NEVER_USED) {
        return WIRE_HEAD_UNKNOWN;
    } else {
        const struct form *form = &FORMS[first & 0x1F];
        if (left < form->header_size) {
            return WIRE_HEAD_CUT;
        }
        head.kind = (enum wire_kind)form->kind;
        head.header_size = form->header_size;
        head.size = form->length_bytes == 0 ? form->fixed : (uint32_t)wire_big_endian(data + 1, form->length_bytes);
        if (first == BYTE_UINT64 && (data[1] & 0x80) != 0) {
            head.kind = WIRE_UINT;
        }
    }
    *ret_head = head;
    uint64_t needed = wire_kind_is_container(head.kind) ? wire_head_children(&head) : head.size;
    return needed > left - head.header_size ? WIRE_HEAD_CLAIMS : WIRE_HEAD_OK;
}

int64_t wire_int_read(const uint8_t *data) {
    switch (data[0]) {
    case 0xCC:
        return data[1];
    case 0xCD:
        return (int64_t)wire_big_endian(data + 1, 2);
    case 0xCE:
        return (int64_t)wire_big_endian(data + 1, 4);
    case BYTE_UINT64:
    case 0xD3:
        return (int64_t)wire_big_endian(data + 1, 8);
    case 0xD0:
        return (int8_t)data[1];
    case 0xD1:
        return (int16_t)wire_big_endian(data + 1, 2);
    case 0xD2:
        return (int32_t)wire_big_endian(data + 1, 4);
    default:
        return (int8_t)data[0];
    }
}

double wire_float_read(const uint8_t *data) {
    if (data[0] == BYTE_FLOAT32) {
        uint32_t bits = (uint32_t)wire_big_endian(data + 1, 4);
        float number;
        memcpy(&number, &bits, sizeof number);
        return (double)number;
    }
    uint64_t bits = wire_big_endian(data + 1, 8);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

size_t wire_skip(const uint8_t *data, size_t left) {
    size_t offset = 0;
    uint64_t pending = 1;
    while (pending > 0) {
        struct wire_head head;
        /* Each pending value takes a byte at least, so `pending` cannot grow beyond the bytes left. */
        if (pending > left - offset || wire_head_read(data + offset, left - offset, &head) != WIRE_HEAD_OK) {
            return 0;
        }
        offset += wire_head_extent(&head);
        pending += wire_head_children(&head) - 1;
    }
    return offset;
}

static enum status refuse_head(enum wire_head_result result, const struct wire_head *head, struct bytes input,
                               size_t offset, struct error *error) {
    size_t left = input.size - offset;
    switch (result) {
    case WIRE_HEAD_UNKNOWN:
        return error_set(error, INVALID, "byte 0xc1 at offset %zu of the request is no msgpack", offset);
    case WIRE_HEAD_CLAIMS:
        if (wire_kind_is_container(head->kind)) {
            return error_set(error, INVALID, "%s at offset %zu of the request claims %u %s, but only %zu bytes follow",
                             wire_kind_name(head->kind), offset, head->size,
                             head->kind == WIRE_MAP ? "pairs" : "elements", left - head->header_size);
        }
        return error_set(error, INVALID, "%s at offset %zu of the request claims %u bytes, but only %zu follow",
                         wire_kind_name(head->kind), offset, head->size, left - head->header_size);
    case WIRE_HEAD_OK:
    case WIRE_HEAD_CUT:
        break;
    }
    return error_set(error, INVALID, "the request ends within the value at offset %zu: it was cut at %zu bytes", offset,
                     input.size);
}

/* One more item. The tape doubles, up to the one item per byte that the input can hold. */
static struct wire_item *tape_add(struct wire_document *document) {
    if (document->item_count == document->item_capacity) {
        uint64_t capacity = 2 * (uint64_t)document->item_capacity;
        capacity = capacity < TAPE_CAPACITY_MIN ? TAPE_CAPACITY_MIN : capacity;
        capacity = capacity > document->input.size ? document->input.size : capacity;
        struct wire_item *items = realloc(document->items, (size_t)capacity * sizeof *items);
        if (items == NULL) {
            return NULL;
        }
        document->items = items;
        document->item_capacity = (uint32_t)capacity;
    }
    return &document->items[document->item_count++];
}

static enum status check_size(struct bytes input, const struct wire_limits *limits, struct error *error) {
    uint64_t size_max = limits->size_max < UINT32_MAX ? limits->size_max : UINT32_MAX;
    if (input.data == NULL || input.size == 0) {
        return error_set(error, INVALID, "request is empty: one msgpack map is expected");
    }
    if (input.size > size_max) {
        error_set(error, TOO_LARGE, "request is %zu bytes, request_size_max is %llu: split it", input.size,
                  (unsigned long long)size_max);
        error_add_number(error, "size", input.size > INT64_MAX ? INT64_MAX : (int64_t)input.size);
        error_add_number(error, "limit", (int64_t)size_max);
        return TOO_LARGE;
    }
    return OK;
}

static enum status refuse_depth(uint32_t depth_max, size_t offset, struct error *error) {
    error_set(error, TOO_LARGE, "request is nested deeper than %u at offset %zu: depth_max allows no more", depth_max,
              offset);
    error_add_number(error, "limit", depth_max);
    return TOO_LARGE;
}

/* An array or map whose elements are being read. */
struct frame {
    uint32_t item;
    uint32_t left; /* elements still to come */
};

static enum status write_tape(struct wire_document *document, uint32_t depth_max, struct error *error) {
    struct bytes input = document->input;
    struct frame frames[WIRE_DEPTH_LIMIT];
    uint32_t depth = 0;
    size_t offset = 0;
    do {
        struct wire_head head = {0};
        if (offset == input.size) {
            return refuse_head(WIRE_HEAD_CUT, &head, input, offset, error);
        }
        enum wire_head_result result = wire_head_read(input.data + offset, input.size - offset, &head);
        if (result != WIRE_HEAD_OK) {
            return refuse_head(result, &head, input, offset, error);
        }
        bool is_container = wire_kind_is_container(head.kind);
        if (is_container && depth == depth_max) {
            return refuse_depth(depth_max, offset, error);
        }
        struct wire_item *item = tape_add(document);
        if (item == NULL) {
            return error_set(error, NO_MEMORY, "no memory to read a request of %zu bytes", input.size);
        }
        *item = (struct wire_item){.offset = (uint32_t)offset,
                                   .size = head.size,
                                   .next = document->item_count,
                                   .kind = (uint8_t)head.kind,
                                   .header_size = (uint8_t)head.header_size};
        offset += wire_head_extent(&head);
        if (is_container && head.size > 0) {
            frames[depth++] =
                (struct frame){.item = document->item_count - 1, .left = (uint32_t)wire_head_children(&head)};
            continue;
        }
        while (depth > 0 && --frames[depth - 1].left == 0) {
            document->items[frames[--depth].item].next = document->item_count;
        }
    } while (depth > 0);
    if (offset < input.size) {
        return error_set(error, INVALID,
                         "%zu bytes follow the end of the request at offset %zu: one msgpack map is "
                         "expected",
                         input.size - offset, offset);
    }
    return OK;
}

enum status wire_document_parse(struct wire_document *document, struct bytes input, const struct wire_limits *limits,
                                struct error *error) {
    enum status status = check_size(input, limits, error);
    if (status != OK) {
        return status;
    }
    document->input = input;
    document->item_count = 0;
    status = write_tape(document, limits->depth_max < WIRE_DEPTH_LIMIT ? limits->depth_max : WIRE_DEPTH_LIMIT, error);
    if (status != OK) {
        wire_document_done(document);
    }
    return status;
}

void wire_document_done(struct wire_document *document) {
    free(document->items);
    *document = (struct wire_document){0};
}
