/* reencode.c: msgpack by hand, with headers chosen as no library would. */
#include "reencode.h"

#include "require.h"

struct encoder {
    struct buffer *out;
    enum reencoding how;
    uint32_t state;
};

static bool is_wide(struct encoder *encoder) {
    encoder->state = encoder->state * 1664525u + 1013904223u;
    return encoder->how == REENCODE_WIDE || (encoder->how == REENCODE_MIXED && (encoder->state >> 16 & 1) != 0);
}

static void put(struct encoder *encoder, uint8_t head, uint64_t number, int size) {
    uint8_t bytes[9] = {head};
    for (int i = 0; i < size; i++) {
        bytes[1 + i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    }
    REQUIRE(buffer_append(encoder->out, bytes, 1 + (size_t)size));
}

/* Short forms hold up to `fix_max` in their first byte; the others are `head16` and the one after it. */
static void put_sized(struct encoder *encoder, uint8_t fix, uint32_t fix_max, uint8_t head16, uint32_t size) {
    bool wide = is_wide(encoder);
    if (!wide && size <= fix_max) {
        put(encoder, (uint8_t)(fix | size), 0, 0);
    } else if (!wide && size <= 0xFFFF) {
        put(encoder, head16, size, 2);
    } else {
        put(encoder, (uint8_t)(head16 + 1), size, 4);
    }
}

static void put_double(struct encoder *encoder, double number) {
    uint64_t bits;
    uint32_t half;
    float narrow = (float)number;
    if (!is_wide(encoder) && (double)narrow == number) {
        memcpy(&half, &narrow, sizeof half);
        put(encoder, 0xCA, half, 4);
        return;
    }
    memcpy(&bits, &number, sizeof bits);
    put(encoder, 0xCB, bits, 8);
}

static void put_integer(struct encoder *encoder, int64_t number) {
    if (is_wide(encoder)) {
        bool is_exact = number >= -(INT64_C(1) << 53) && number <= INT64_C(1) << 53;
        if (is_exact && is_wide(encoder)) {
            put_double(encoder, (double)number);
        } else {
            put(encoder, number < 0 || is_wide(encoder) ? 0xD3 : 0xCF, (uint64_t)number, 8);
        }
    } else if (number >= -32 && number <= 127) {
        put(encoder, (uint8_t)number, 0, 0);
    } else if (number >= INT16_MIN && number <= INT16_MAX) {
        put(encoder, 0xD1, (uint64_t)number, 2);
    } else if (number > 0 && number <= UINT32_MAX) {
        put(encoder, 0xCE, (uint64_t)number, 4);
    } else {
        put(encoder, 0xD3, (uint64_t)number, 8);
    }
}

static void put_float(struct encoder *encoder, double number) {
    bool is_whole = number >= -9.0e15 && number <= 9.0e15 && (double)(int64_t)number == number;
    if (is_whole && !is_wide(encoder)) {
        put_integer(encoder, (int64_t)number);
    } else {
        put_double(encoder, number);
    }
}

static void put_value(struct encoder *encoder, struct wire_value value);

static void put_map(struct encoder *encoder, struct wire_value value) {
    uint32_t count = value.document->items[value.index].size;
    put_sized(encoder, 0x80, 15, 0xDE, count);
    struct wire_value *keys = calloc((size_t)count + 1, sizeof *keys);
    REQUIRE(keys != NULL);
    struct wire_value key = {value.document, value.index + 1};
    for (uint32_t i = 0; i < count; i++) {
        keys[encoder->how == REENCODE_MIXED ? count - 1 - i : i] = key;
        key = wire_value_next(wire_value_next(key));
    }
    for (uint32_t i = 0; i < count; i++) {
        put_value(encoder, keys[i]);
        put_value(encoder, wire_value_next(keys[i]));
    }
    free(keys);
}

static void put_value(struct encoder *encoder, struct wire_value value) {
    const struct wire_item *item = &value.document->items[value.index];
    struct wire_value element = {value.document, value.index + 1};
    struct bytes payload;
    switch ((enum wire_kind)item->kind) {
    case WIRE_INT:
        put_integer(encoder, wire_value_int(value));
        return;
    case WIRE_FLOAT:
        put_float(encoder, wire_value_float(value));
        return;
    case WIRE_STR:
        payload = wire_value_payload(value);
        put_sized(encoder, 0xA0, 31, 0xDA, item->size);
        REQUIRE(buffer_append(encoder->out, payload.data, payload.size));
        return;
    case WIRE_ARRAY:
        put_sized(encoder, 0x90, 15, 0xDC, item->size);
        for (uint32_t i = 0; i < item->size; i++) {
            put_value(encoder, element);
            element = wire_value_next(element);
        }
        return;
    case WIRE_MAP:
        put_map(encoder, value);
        return;
    case WIRE_NIL:
    case WIRE_BOOL:
    case WIRE_UINT:
    case WIRE_BIN:
    case WIRE_EXT:
        payload = wire_value_raw(value);
        REQUIRE(buffer_append(encoder->out, payload.data, payload.size));
        return;
    }
}

void reencode(struct wire_value value, enum reencoding how, uint32_t choice, struct buffer *ret) {
    struct encoder encoder = {.out = ret, .how = how, .state = choice};
    put_value(&encoder, value);
}
