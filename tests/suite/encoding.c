/* encoding.c: msgpack by hand, as a library would choose the headers by itself. */
#include "encoding.h"

#include <stdlib.h>

const char *encoding_name(enum encoding encoding) {
    static const char *const NAMES[ENCODING_COUNT] = {"minimal", "widest", "shuffled"};
    return NAMES[encoding];
}

static void put(struct buffer *ret, uint8_t head, uint64_t number, int size) {
    uint8_t bytes[9] = {head};
    for (int i = 0; i < size; i++) {
        bytes[1 + i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    }
    if (!buffer_append(ret, bytes, 1 + (size_t)size)) {
        abort();
    }
}

/* A header with a size: short forms hold up to `fix_max` in their first byte, the others follow `eight`. */
static void put_sized(struct buffer *ret, bool widest, uint8_t fix, size_t fix_max, uint8_t eight, uint8_t sixteen,
                      size_t size) {
    if (widest || size > 0xFFFF) {
        put(ret, (uint8_t)(sixteen + 1), size, 4);
    } else if (size <= fix_max) {
        put(ret, (uint8_t)(fix | size), 0, 0);
    } else if (eight != 0 && size <= 0xFF) {
        put(ret, eight, size, 1);
    } else {
        put(ret, sixteen, size, 2);
    }
}

static void put_integer(struct buffer *ret, bool widest, json_int_t value) {
    uint64_t bits = (uint64_t)value;
    if (widest) {
        put(ret, value < 0 ? 0xD3 : 0xCF, bits, 8);
    } else if (value >= -32 && value <= 127) {
        put(ret, (uint8_t)value, 0, 0);
    } else if (value >= 0) {
        int size = bits <= 0xFF ? 1 : bits <= 0xFFFF ? 2 : bits <= 0xFFFFFFFF ? 4 : 8;
        put(ret, size == 1 ? 0xCC : size == 2 ? 0xCD : size == 4 ? 0xCE : 0xCF, bits, size);
    } else {
        int size = value >= INT8_MIN ? 1 : value >= INT16_MIN ? 2 : value >= INT32_MIN ? 4 : 8;
        put(ret, size == 1 ? 0xD0 : size == 2 ? 0xD1 : size == 4 ? 0xD2 : 0xD3, bits, size);
    }
}

static void put_real(struct buffer *ret, bool widest, double value) {
    float narrow = (float)value;
    uint64_t bits = 0;
    if (!widest && (double)narrow == value) {
        uint32_t half;
        memcpy(&half, &narrow, sizeof half);
        put(ret, 0xCA, half, 4);
        return;
    }
    memcpy(&bits, &value, sizeof bits);
    put(ret, 0xCB, bits, 8);
}

static void put_text(struct buffer *ret, bool widest, const char *text, size_t size) {
    put_sized(ret, widest, 0xA0, 31, 0xD9, 0xDA, size);
    if (!buffer_append(ret, text, size)) {
        abort();
    }
}

static void put_object(const json_t *object, enum encoding encoding, struct buffer *ret) {
    bool widest = encoding == ENCODING_WIDEST;
    size_t count = json_object_size(object);
    put_sized(ret, widest, 0x80, 15, 0, 0xDE, count);
    void **members = calloc(count + 1, sizeof *members);
    if (members == NULL) {
        abort();
    }
    json_t *at = (json_t *)(uintptr_t)object; /* jansson's iterators want it so */
    size_t i = 0;
    for (void *member = json_object_iter(at); member != NULL; member = json_object_iter_next(at, member)) {
        members[i++] = member;
    }
    for (i = 0; i < count; i++) {
        /* Odd places first, from behind; then the even ones. */
        size_t odd = count / 2;
        size_t place = encoding != ENCODING_SHUFFLED ? i : i < odd ? 2 * (odd - i) - 1 : 2 * (i - odd);
        const char *key = json_object_iter_key(members[place]);
        put_text(ret, widest, key, json_object_iter_key_len(members[place]));
        encode(json_object_iter_value(members[place]), encoding, ret);
    }
    free(members);
}

void encode(const json_t *value, enum encoding encoding, struct buffer *ret) {
    bool widest = encoding == ENCODING_WIDEST;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(value, encoding, ret);
        return;
    case JSON_ARRAY:
        put_sized(ret, widest, 0x90, 15, 0, 0xDC, json_array_size(value));
        for (size_t i = 0; i < json_array_size(value); i++) {
            encode(json_array_get(value, i), encoding, ret);
        }
        return;
    case JSON_STRING:
        put_text(ret, widest, json_string_value(value), json_string_length(value));
        return;
    case JSON_INTEGER:
        put_integer(ret, widest, json_integer_value(value));
        return;
    case JSON_REAL:
        put_real(ret, widest, json_real_value(value));
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        put(ret, json_is_true(value) ? 0xC3 : 0xC2, 0, 0);
        return;
    case JSON_NULL:
        put(ret, 0xC0, 0, 0);
        return;
    }
}
