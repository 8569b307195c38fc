/* pack.c: JSON values to msgpack, with the forms {"$bin": …} and the like that JSON has no word for. */
#include <errno.h>
#include <math.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "message/base64.h"
#include "message/message.h"

/* Where a value stands, for the words of a failure. Lives on the stack, each value below its parent's. */
struct place {
    const struct place *up; /* NULL: the root */
    const char *key;        /* NULL: an element of an array */
    size_t index;
    unsigned depth; /* maps and arrays of msgpack around it */
};

static void freep(uint8_t **memory) {
    free(*memory);
}

static size_t place_print(const struct place *place, char *text, size_t size) {
    size_t used = place->up == NULL ? 0 : place_print(place->up, text, size);
    if (place->up != NULL && used < size) {
        int length = place->key != NULL ? snprintf(text + used, size - used, "/%s", place->key)
                                        : snprintf(text + used, size - used, "/%zu", place->index);
        used += length < 0 ? 0 : (size_t)length;
    }
    return used;
}

static bool refuse(const struct place *place, struct failure *failure, const char *what) {
    char path[256] = "";
    (void)place_print(place, path, sizeof path);
    return failure_set(failure, "at '%s': %s", path, what);
}

static bool no_memory(struct failure *failure) {
    return failure_set(failure, "packing a message: no memory");
}

static bool pack_value(msgpack_packer *packer, const json_t *value, const struct place *place, struct failure *failure);

static bool pack_text(msgpack_packer *packer, const void *text, size_t size, struct failure *failure) {
    return (msgpack_pack_str(packer, size) == 0 && msgpack_pack_str_body(packer, text, size) == 0) ||
           no_memory(failure);
}

/* Opens an array or a map of `count` entries, after checking what msgpack can say and how deep it stands. */
static bool pack_open(msgpack_packer *packer, bool map, size_t count, const struct place *place,
                      struct failure *failure) {
    if (place->depth >= MESSAGE_DEPTH_MAX) {
        return refuse(place, failure, "nested too deep for a message");
    }
    if (count > UINT32_MAX) {
        return refuse(place, failure, "more than 4294967295 entries");
    }
    return (map ? msgpack_pack_map(packer, count) : msgpack_pack_array(packer, count)) == 0 || no_memory(failure);
}

static bool pack_bin(msgpack_packer *packer, const json_t *value, const struct place *place, struct failure *failure) {
    CLEANUP(freep) uint8_t *data = NULL;
    size_t size = 0;
    if (!base64_decode(value, &data, &size)) {
        return refuse(place, failure, "{\"$bin\": …} wants padded base64, such as \"AAH/\"");
    }
    return (msgpack_pack_bin(packer, size) == 0 && msgpack_pack_bin_body(packer, data, size) == 0) ||
           no_memory(failure);
}

static bool pack_str(msgpack_packer *packer, const json_t *value, const struct place *place, struct failure *failure) {
    CLEANUP(freep) uint8_t *data = NULL;
    size_t size = 0;
    if (!base64_decode(value, &data, &size)) {
        return refuse(place, failure, "{\"$str\": …} wants padded base64, such as \"AAH/\"");
    }
    return pack_text(packer, data, size, failure);
}

static bool pack_ext(msgpack_packer *packer, const json_t *value, const struct place *place, struct failure *failure) {
    const json_t *type = json_array_get(value, 0);
    json_int_t number = json_integer_value(type);
    CLEANUP(freep) uint8_t *data = NULL;
    size_t size = 0;
    if (json_array_size(value) != 2 || !json_is_integer(type) || number < INT8_MIN || number > INT8_MAX ||
        !base64_decode(json_array_get(value, 1), &data, &size)) {
        return refuse(place, failure, "{\"$ext\": …} wants [type, base64] with a type from -128 to 127");
    }
    return (msgpack_pack_ext(packer, size, (int8_t)number) == 0 && msgpack_pack_ext_body(packer, data, size) == 0) ||
           no_memory(failure);
}

static bool pack_float(msgpack_packer *packer, const json_t *value, const struct place *place,
                       struct failure *failure) {
    const char *name = json_is_string(value) ? json_string_value(value) : "";
    double number = 0;
    if (strcmp(name, "nan") == 0) {
        number = (double)NAN;
    } else if (strcmp(name, "inf") == 0) {
        number = (double)INFINITY;
    } else if (strcmp(name, "-inf") == 0) {
        number = -(double)INFINITY;
    } else {
        return refuse(place, failure, "{\"$float\": …} wants \"nan\", \"inf\" or \"-inf\"");
    }
    return msgpack_pack_double(packer, number) == 0 || no_memory(failure);
}

static bool pack_uint(msgpack_packer *packer, const json_t *value, const struct place *place, struct failure *failure) {
    const char *digits = json_is_string(value) ? json_string_value(value) : "";
    size_t length = strlen(digits);
    errno = 0;
    unsigned long long number = strtoull(digits, NULL, 10);
    if (length == 0 || length != json_string_length(value) || strspn(digits, "0123456789") != length || errno != 0) {
        return refuse(place, failure, "{\"$uint\": …} wants digits in quotes, up to \"18446744073709551615\"");
    }
    return msgpack_pack_uint64(packer, number) == 0 || no_memory(failure);
}

static bool pack_pairs(msgpack_packer *packer, const json_t *value, const struct place *place,
                       struct failure *failure) {
    if (!json_is_array(value)) {
        return refuse(place, failure, "{\"$map\": …} wants [[key, value], …]");
    }
    size_t count = json_array_size(value);
    if (!pack_open(packer, true, count, place, failure)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(value, i);
        struct place below = {.up = place, .index = i, .depth = place->depth + 1};
        if (json_array_size(pair) != 2) {
            return refuse(&below, failure, "{\"$map\": …} wants [[key, value], …]");
        }
        if (!pack_value(packer, json_array_get(pair, 0), &below, failure) ||
            !pack_value(packer, json_array_get(pair, 1), &below, failure)) {
            return false;
        }
    }
    return true;
}

static const struct form {
    const char *name;
    bool (*pack)(msgpack_packer *packer, const json_t *value, const struct place *place, struct failure *failure);
} FORMS[] = {
    {"$bin", pack_bin},     {"$str", pack_str},   {"$ext", pack_ext},
    {"$float", pack_float}, {"$uint", pack_uint}, {"$map", pack_pairs},
};

/* An object whose only key begins with $ is a form; an unknown one is refused, because a typing mistake must not be
 * sent as data. */
static bool pack_form(msgpack_packer *packer, const char *name, const json_t *value, const struct place *place,
                      struct failure *failure) {
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        if (strcmp(FORMS[i].name, name) == 0) {
            return FORMS[i].pack(packer, value, place, failure);
        }
    }
    return refuse(place, failure,
                  "unknown form: an object whose only key begins with '$' is $bin, $str, $ext, $float, $uint or $map; "
                  "a map with such a key is written {\"$map\": [[key, value]]}");
}

static bool pack_object(msgpack_packer *packer, const json_t *value, const struct place *place,
                        struct failure *failure) {
    json_t *members = (json_t *)(uintptr_t)value; /* jansson's iterators take no const, and change nothing */
    void *at = json_object_iter(members);
    size_t count = json_object_size(value);
    if (count == 1 && json_object_iter_key(at)[0] == '$') {
        return pack_form(packer, json_object_iter_key(at), json_object_iter_value(at), place, failure);
    }
    if (!pack_open(packer, true, count, place, failure)) {
        return false;
    }
    for (; at != NULL; at = json_object_iter_next(members, at)) {
        struct place below = {.up = place, .key = json_object_iter_key(at), .depth = place->depth + 1};
        if (!pack_text(packer, below.key, json_object_iter_key_len(at), failure) ||
            !pack_value(packer, json_object_iter_value(at), &below, failure)) {
            return false;
        }
    }
    return true;
}

static bool pack_array(msgpack_packer *packer, const json_t *value, const struct place *place,
                       struct failure *failure) {
    size_t count = json_array_size(value);
    if (!pack_open(packer, false, count, place, failure)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct place below = {.up = place, .index = i, .depth = place->depth + 1};
        if (!pack_value(packer, json_array_get(value, i), &below, failure)) {
            return false;
        }
    }
    return true;
}

static bool pack_value(msgpack_packer *packer, const json_t *value, const struct place *place,
                       struct failure *failure) {
    switch (json_typeof(value)) {
    case JSON_NULL:
        return msgpack_pack_nil(packer) == 0 || no_memory(failure);
    case JSON_TRUE:
        return msgpack_pack_true(packer) == 0 || no_memory(failure);
    case JSON_FALSE:
        return msgpack_pack_false(packer) == 0 || no_memory(failure);
    case JSON_INTEGER:
        return msgpack_pack_int64(packer, json_integer_value(value)) == 0 || no_memory(failure);
    case JSON_REAL:
        return msgpack_pack_double(packer, json_real_value(value)) == 0 || no_memory(failure);
    case JSON_STRING:
        if (json_string_length(value) > UINT32_MAX) {
            return refuse(place, failure, "a string of more than 4294967295 bytes");
        }
        return pack_text(packer, json_string_value(value), json_string_length(value), failure);
    case JSON_ARRAY:
        return pack_array(packer, value, place, failure);
    case JSON_OBJECT:
        return pack_object(packer, value, place, failure);
    }
    return refuse(place, failure, "not a JSON value");
}

bool message_pack(const json_t *value, uint8_t **ret_data, size_t *ret_size, struct failure *failure) {
    CLEANUP(msgpack_sbuffer_destroy) msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    struct place root = {0};
    if (!pack_value(&packer, value, &root, failure)) {
        return false;
    }
    *ret_size = buffer.size;
    *ret_data = (uint8_t *)msgpack_sbuffer_release(&buffer); /* the caller's */
    return true;
}

bool message_pack_append(const polaris_bytes *events, size_t count, uint8_t **ret_data, size_t *ret_size,
                         struct failure *failure) {
    CLEANUP(msgpack_sbuffer_destroy) msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    struct place root = {0};
    if (!pack_open(&packer, true, 2, &root, failure) || !pack_text(&packer, "op", 2, failure) ||
        !pack_text(&packer, "append", 6, failure) || !pack_text(&packer, "events", 6, failure) ||
        !pack_open(&packer, false, count, &root, failure)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (msgpack_sbuffer_write(&buffer, (const char *)events[i].data, events[i].size) != 0) {
            return no_memory(failure);
        }
    }
    *ret_size = buffer.size;
    *ret_data = (uint8_t *)msgpack_sbuffer_release(&buffer); /* the caller's */
    return true;
}
