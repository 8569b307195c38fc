/* unpack.c: hostile msgpack to JSON values. A reader of its own, because msgpack-c allocates what a header claims
 * before it looks for the data; here memory follows the bytes that are really there. */
#include <endian.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "message/base64.h"
#include "message/message.h"

struct reader {
    const uint8_t *start, *at, *end;
    unsigned depth;
    struct failure *failure;
};

static json_t *read_value(struct reader *reader);

static json_t *refuse(struct reader *reader, const uint8_t *at, const char *what) {
    (void)failure_set(reader->failure, "msgpack of %td bytes, at byte %td: %s", reader->end - reader->start,
                      at - reader->start, what);
    return NULL;
}

static json_t *or_no_memory(struct reader *reader, json_t *value) {
    return value != NULL ? value : refuse(reader, reader->at, "no memory");
}

/* Takes `size` bytes; NULL if there are not so many. */
static const uint8_t *take(struct reader *reader, uint64_t size) {
    const uint8_t *at = reader->at;
    if (size > (uint64_t)(reader->end - at)) {
        (void)refuse(reader, at, "it ends in the middle of a value");
        return NULL;
    }
    reader->at += size;
    return at;
}

/* Takes a big-endian unsigned number of 1, 2, 4 or 8 bytes. */
static bool take_number(struct reader *reader, unsigned width, uint64_t *ret_number) {
    const uint8_t *at = take(reader, width);
    if (at == NULL) {
        return false;
    }
    uint64_t number = 0;
    memcpy((uint8_t *)&number + (sizeof number - width), at, width);
    *ret_number = be64toh(number);
    return true;
}

static json_t *read_uint(struct reader *reader, unsigned width) {
    uint64_t number;
    if (!take_number(reader, width, &number)) {
        return NULL;
    }
    if (number <= INT64_MAX) {
        return or_no_memory(reader, json_integer((json_int_t)number));
    }
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%" PRIu64, number);
    return or_no_memory(reader, json_pack("{s: s}", "$uint", digits));
}

static json_t *read_int(struct reader *reader, unsigned width) {
    uint64_t number;
    if (!take_number(reader, width, &number)) {
        return NULL;
    }
    unsigned unused = 64 - 8 * width;
    return or_no_memory(reader, json_integer((int64_t)(number << unused) >> unused)); /* extends the sign */
}

static json_t *read_float(struct reader *reader, unsigned width) {
    uint64_t bits;
    if (!take_number(reader, width, &bits)) {
        return NULL;
    }
    double number;
    if (width == sizeof(float)) {
        uint32_t bits32 = (uint32_t)bits;
        float number32;
        memcpy(&number32, &bits32, sizeof number32);
        number = (double)number32;
    } else {
        memcpy(&number, &bits, sizeof number);
    }
    if (isfinite(number)) {
        return or_no_memory(reader, json_real(number));
    }
    const char *name = isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
    return or_no_memory(reader, json_pack("{s: s}", "$float", name));
}

/* A form with base64, such as {"$bin": "AAH/"}. */
static json_t *form(struct reader *reader, const char *name, const uint8_t *data, size_t size) {
    return or_no_memory(reader, json_pack("{s: o}", name, base64_encode(data, size)));
}

static json_t *read_str(struct reader *reader, uint64_t size) {
    const uint8_t *data = take(reader, size);
    if (data == NULL) {
        return NULL;
    }
    json_t *text = json_stringn((const char *)data, size); /* NULL if it is no UTF-8 */
    return text != NULL ? text : form(reader, "$str", data, size);
}

static json_t *read_bin(struct reader *reader, uint64_t size) {
    const uint8_t *data = take(reader, size);
    return data != NULL ? form(reader, "$bin", data, size) : NULL;
}

static json_t *read_ext(struct reader *reader, uint64_t size) {
    const uint8_t *type = take(reader, 1);
    const uint8_t *data = type != NULL ? take(reader, size) : NULL;
    if (data == NULL) {
        return NULL;
    }
    json_int_t number = *type < 128 ? *type : *type - 256;
    return or_no_memory(reader, json_pack("{s: [I, o]}", "$ext", number, base64_encode(data, size)));
}

/* Checks what the header of a container claims, before anything is made for it: each entry is at least a byte. */
static bool enter(struct reader *reader, uint64_t values) {
    if (values > (uint64_t)(reader->end - reader->at)) {
        return refuse(reader, reader->at, "an array or a map claims more entries than there are bytes left") != NULL;
    }
    if (reader->depth == MESSAGE_DEPTH_MAX) {
        return refuse(reader, reader->at, "nested too deep for a message") != NULL;
    }
    reader->depth++;
    return true;
}

static json_t *read_array(struct reader *reader, uint64_t count) {
    if (!enter(reader, count)) {
        return NULL;
    }
    json_auto_t *array = or_no_memory(reader, json_array());
    for (uint64_t i = 0; i < count && array != NULL; i++) {
        json_t *value = read_value(reader);
        if (value == NULL) {
            return NULL;
        }
        if (json_array_append_new(array, value) != 0) {
            return refuse(reader, reader->at, "no memory");
        }
    }
    reader->depth--;
    return json_incref(array);
}

/* Can the map stay a JSON object with this key? JSON text has no keys with a NUL here (jansson refuses them). */
static bool is_plain_key(const json_t *object, const json_t *key) {
    return json_is_string(key) && memchr(json_string_value(key), '\0', json_string_length(key)) == NULL &&
           json_object_getn(object, json_string_value(key), json_string_length(key)) == NULL;
}

/* The members of an object as [[key, value], …]. */
static json_t *to_pairs(json_t *object) {
    json_auto_t *pairs = json_array();
    for (void *at = json_object_iter(object); at != NULL && pairs != NULL; at = json_object_iter_next(object, at)) {
        json_t *key = json_stringn_nocheck(json_object_iter_key(at), json_object_iter_key_len(at));
        if (json_array_append_new(pairs, json_pack("[o, O]", key, json_object_iter_value(at))) != 0) {
            return NULL;
        }
    }
    return json_incref(pairs);
}

/* An object as long as it can be one; from the first key that is not plain on, pairs. */
static json_t *read_map(struct reader *reader, uint64_t count) {
    if (!enter(reader, 2 * count)) {
        return NULL;
    }
    json_auto_t *object = or_no_memory(reader, json_object());
    json_auto_t *pairs = NULL;
    for (uint64_t i = 0; i < count && object != NULL; i++) {
        json_auto_t *key = read_value(reader);
        if (key == NULL) {
            return NULL;
        }
        if (pairs == NULL && !is_plain_key(object, key)) {
            pairs = or_no_memory(reader, to_pairs(object));
            if (pairs == NULL) {
                return NULL;
            }
        }
        json_t *value = read_value(reader);
        if (value == NULL) {
            return NULL;
        }
        int failed = pairs != NULL
                         ? json_array_append_new(pairs, json_pack("[O, o]", key, value))
                         : json_object_setn_new_nocheck(object, json_string_value(key), json_string_length(key), value);
        if (failed != 0) {
            return refuse(reader, reader->at, "no memory");
        }
    }
    reader->depth--;
    if (pairs == NULL && json_object_size(object) == 1 && json_object_iter_key(json_object_iter(object))[0] == '$') {
        pairs = to_pairs(object);
        return pairs != NULL ? or_no_memory(reader, json_pack("{s: O}", "$map", pairs))
                             : refuse(reader, reader->at, "no memory");
    }
    return pairs != NULL ? or_no_memory(reader, json_pack("{s: O}", "$map", pairs)) : json_incref(object);
}

/* Reads the length after a header and then what has that length. */
static json_t *read_sized(struct reader *reader, unsigned width, json_t *(*read)(struct reader *, uint64_t)) {
    uint64_t size;
    return take_number(reader, width, &size) ? read(reader, size) : NULL;
}

static json_t *read_value(struct reader *reader) {
    const uint8_t *at = take(reader, 1);
    if (at == NULL) {
        return NULL;
    }
    uint8_t head = *at;
    if (head < 0x80) {
        return or_no_memory(reader, json_integer(head));
    }
    if (head >= 0xe0) {
        return or_no_memory(reader, json_integer(head - 256));
    }
    if (head < 0x90) {
        return read_map(reader, head & 0x0f);
    }
    if (head < 0xa0) {
        return read_array(reader, head & 0x0f);
    }
    if (head < 0xc0) {
        return read_str(reader, head & 0x1f);
    }
    unsigned log2 = head & 3; /* of the width, where a row of four headers goes up by powers of two */
    switch (head) {
    case 0xc0:
        return json_null();
    case 0xc2:
        return json_false();
    case 0xc3:
        return json_true();
    case 0xc4: /* bin 8, 16, 32 */
    case 0xc5:
    case 0xc6:
        return read_sized(reader, 1u << log2, read_bin);
    case 0xc7: /* ext 8, 16, 32 */
    case 0xc8:
    case 0xc9:
        return read_sized(reader, 1u << (head - 0xc7), read_ext);
    case 0xca:
        return read_float(reader, sizeof(float));
    case 0xcb:
        return read_float(reader, sizeof(double));
    case 0xcc: /* uint 8, 16, 32, 64 */
    case 0xcd:
    case 0xce:
    case 0xcf:
        return read_uint(reader, 1u << log2);
    case 0xd0: /* int 8, 16, 32, 64 */
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return read_int(reader, 1u << log2);
    case 0xd4: /* ext of 1, 2, 4, 8, 16 bytes */
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return read_ext(reader, 1u << (head - 0xd4));
    case 0xd9: /* str 8, 16, 32 */
    case 0xda:
    case 0xdb:
        return read_sized(reader, 1u << (head - 0xd9), read_str);
    case 0xdc: /* array 16, 32 */
    case 0xdd:
        return read_sized(reader, 2u << (head - 0xdc), read_array);
    case 0xde: /* map 16, 32 */
    case 0xdf:
        return read_sized(reader, 2u << (head - 0xde), read_map);
    default:
        return refuse(reader, at, "no msgpack begins with the byte 0xc1");
    }
}

bool message_unpack(const void *data, size_t size, json_t **ret_value, struct failure *failure) {
    struct reader reader = {.failure = failure, .start = data, .at = data, .end = (const uint8_t *)data + size};
    if (size == 0) {
        return failure_set(failure, "msgpack of 0 bytes: there is no value");
    }
    json_auto_t *value = read_value(&reader);
    if (value == NULL) {
        return false;
    }
    if (reader.at != reader.end) {
        return refuse(&reader, reader.at, "bytes follow the value") != NULL;
    }
    *ret_value = json_incref(value);
    return true;
}
