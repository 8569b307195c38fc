/* wire/field.c: the fields of a map, by what they hold; every refusal names the field, the value and what it may be. */
#include "wire/field.h"

#include "bounds.h"
#include "wire/shape.h"
#include "wire/text.h"

#include <math.h>
#include <stdio.h>

enum {
    TIMESTAMP_EXT_TYPE = -1,
    MICROSECONDS = 1000000,
    NANOSECONDS_PER_MICROSECOND = 1000,
    NANOSECONDS_MAX = 999999999
};

/* ---- strings ---- */

enum status wire_check_text(struct wire_value value, size_t size_min, size_t size_max, const struct wire_path *path,
                            const char *name, struct bytes *ret, struct error *error) {
    if (wire_value_kind(value) != WIRE_STR) {
        return wire_refuse_kind(value, "a string", path, name, error);
    }
    struct bytes text = wire_value_payload(value);
    char label[WIRE_LABEL_SIZE];
    if (text.size < size_min) {
        wire_label(label, path, name);
        error_set(error, INVALID, "%s is an empty string, it may be %zu to %zu bytes", label, size_min, size_max);
        return wire_error_at(error, path, name);
    }
    if (text.size > size_max) {
        wire_label(label, path, name);
        error_set(error, INVALID, "%s is %zu bytes, it may be %zu to %zu", label, text.size, size_min, size_max);
        return wire_error_at(error, path, name);
    }
    bool has_nul = text.size > 0 && memchr(text.data, '\0', text.size) != NULL;
    if (has_nul || !wire_utf8_valid(text)) {
        char quoted[WIRE_QUOTE_SIZE];
        wire_label(label, path, name);
        wire_quote(quoted, text);
        error_set(error, INVALID, "%s is \"%s\", which %s: strings are UTF-8 without NUL", label, quoted,
                  has_nul ? "contains a NUL" : "is not valid UTF-8");
        return wire_error_at(error, path, name);
    }
    *ret = text;
    return OK;
}

enum status wire_map_name(struct wire_map *map, const char *name, enum wire_presence presence, size_t size_max,
                          struct bytes *ret, struct error *error) {
    struct wire_value value;
    if (!wire_map_find(map, name, &value)) {
        return wire_absent(map, name, presence, error);
    }
    return wire_check_text(value, 1, size_max, map->path, name, ret, error);
}

enum status wire_map_text(struct wire_map *map, const char *name, enum wire_presence presence, size_t size_max,
                          struct bytes *ret, struct error *error) {
    struct wire_value value;
    if (!wire_map_find(map, name, &value)) {
        return wire_absent(map, name, presence, error);
    }
    return wire_check_text(value, 0, size_max, map->path, name, ret, error);
}

/* "order is "sideways", it may be asc, desc" */
static enum status refuse_choice(const struct wire_map *map, const char *name, struct bytes given,
                                 const char *const *choices, struct error *error) {
    char list[256] = "";
    size_t used = 0;
    for (size_t i = 0; choices[i] != NULL && used < sizeof list; i++) {
        int written = snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", choices[i]);
        used += written > 0 ? (size_t)written : 0;
    }
    char quoted[WIRE_QUOTE_SIZE];
    wire_quote(quoted, given);
    error_set(error, INVALID, "%s is \"%s\", it may be one of: %s", name, quoted, list);
    return wire_error_at(error, map->path, name);
}

enum status wire_map_choice(struct wire_map *map, const char *name, enum wire_presence presence,
                            const char *const *choices, int *ret, struct error *error) {
    struct wire_value value;
    if (!wire_map_find(map, name, &value)) {
        return wire_absent(map, name, presence, error);
    }
    if (wire_value_kind(value) != WIRE_STR) {
        return wire_refuse_kind(value, "a string", map->path, name, error);
    }
    struct bytes given = wire_value_payload(value);
    for (int i = 0; choices[i] != NULL; i++) {
        if (bytes_equal_string(given, choices[i])) {
            *ret = i;
            return OK;
        }
    }
    return refuse_choice(map, name, given, choices, error);
}

/* ---- numbers ---- */

enum status wire_map_int(struct wire_map *map, const char *name, enum wire_presence presence, int64_t min, int64_t max,
                         int64_t *ret, struct error *error) {
    struct wire_value value;
    if (!wire_map_find(map, name, &value)) {
        return wire_absent(map, name, presence, error);
    }
    enum wire_kind kind = wire_value_kind(value);
    if (kind == WIRE_UINT) {
        error_set(error, INVALID, "%s is %llu, it may be %lld to %lld", name,
                  (unsigned long long)wire_value_uint(value), (long long)min, (long long)max);
        return wire_error_at(error, map->path, name);
    }
    if (kind != WIRE_INT) {
        return wire_refuse_kind(value, "an integer", map->path, name, error);
    }
    int64_t number = wire_value_int(value);
    if (number < min || number > max) {
        error_set(error, INVALID, "%s is %lld, it may be %lld to %lld", name, (long long)number, (long long)min,
                  (long long)max);
        return wire_error_at(error, map->path, name);
    }
    *ret = number;
    return OK;
}

enum status wire_map_number(struct wire_map *map, const char *name, enum wire_presence presence, double min, double max,
                            double *ret, struct error *error) {
    struct wire_value value;
    if (!wire_map_find(map, name, &value)) {
        return wire_absent(map, name, presence, error);
    }
    double number;
    switch (wire_value_kind(value)) {
    case WIRE_INT:
        number = (double)wire_value_int(value);
        break;
    case WIRE_UINT:
        number = (double)wire_value_uint(value);
        break;
    case WIRE_FLOAT:
        number = wire_value_float(value);
        break;
    case WIRE_NIL:
    case WIRE_BOOL:
    case WIRE_STR:
    case WIRE_BIN:
    case WIRE_EXT:
    case WIRE_ARRAY:
    case WIRE_MAP:
    default:
        return wire_refuse_kind(value, "a number", map->path, name, error);
    }
    if (!(number >= min && number <= max)) { /* false for NaN as well */
        if (isnan(number)) {
            error_set(error, INVALID, "%s is NaN, it may be %g to %g", name, min, max);
        } else {
            error_set(error, INVALID, "%s is %g, it may be %g to %g", name, number, min, max);
        }
        return wire_error_at(error, map->path, name);
    }
    *ret = number;
    return OK;
}

enum status wire_map_bool(struct wire_map *map, const char *name, enum wire_presence presence, bool *ret,
                          struct error *error) {
    struct wire_value value;
    if (!wire_map_find(map, name, &value)) {
        return wire_absent(map, name, presence, error);
    }
    if (wire_value_kind(value) != WIRE_BOOL) {
        return wire_refuse_kind(value, "a boolean", map->path, name, error);
    }
    *ret = wire_value_bool(value);
    return OK;
}

/* ---- times ---- */

/* The three layouts of the msgpack timestamp: 32 bits of seconds; 30 of nanoseconds and 34 of seconds; 32 of
 * nanoseconds and 64 of seconds. False: none of them. */
static bool read_timestamp(struct wire_value value, int64_t *ret_seconds, uint64_t *ret_nanoseconds) {
    struct bytes payload = wire_value_payload(value);
    if (wire_value_ext_type(value) != TIMESTAMP_EXT_TYPE) {
        return false;
    }
    if (payload.size == 4) {
        *ret_seconds = wire_read_32(payload.data);
        *ret_nanoseconds = 0;
    } else if (payload.size == 8) {
        uint64_t both = wire_read_64(payload.data);
        *ret_seconds = (int64_t)(both & ((UINT64_C(1) << 34) - 1));
        *ret_nanoseconds = both >> 34;
    } else if (payload.size == 12) {
        *ret_seconds = (int64_t)wire_read_64(payload.data + 4);
        *ret_nanoseconds = wire_read_32(payload.data);
    } else {
        return false;
    }
    return *ret_nanoseconds <= NANOSECONDS_MAX;
}

static enum status refuse_time(const struct wire_map *map, const char *name, const char *what, struct error *error) {
    error_set(error, INVALID, "%s is %s, it may be %lld to %lld (microseconds, years 1 to 9999)", name, what,
              (long long)TIME_US_MIN, (long long)TIME_US_MAX);
    return wire_error_at(error, map->path, name);
}

enum status wire_map_time(struct wire_map *map, const char *name, enum wire_presence presence, bool *ret_present,
                          int64_t *ret_us, struct error *error) {
    struct wire_value value;
    if (!wire_map_find(map, name, &value)) {
        enum status status = wire_absent(map, name, presence, error);
        if (status == OK) {
            *ret_present = false;
        }
        return status;
    }
    enum wire_kind kind = wire_value_kind(value);
    int64_t us;
    char what[64];
    if (kind == WIRE_EXT) {
        int64_t seconds;
        uint64_t nanoseconds;
        if (!read_timestamp(value, &seconds, &nanoseconds)) {
            error_set(error, INVALID, "%s is an extension value of type %d and %u bytes that is no msgpack timestamp",
                      name, wire_value_ext_type(value), (unsigned)wire_value_payload(value).size);
            return wire_error_at(error, map->path, name);
        }
        if (seconds < TIME_US_MIN / MICROSECONDS || seconds > TIME_US_MAX / MICROSECONDS) {
            snprintf(what, sizeof what, "a timestamp of %lld seconds", (long long)seconds);
            return refuse_time(map, name, what, error);
        }
        us = seconds * MICROSECONDS + (int64_t)(nanoseconds / NANOSECONDS_PER_MICROSECOND);
    } else if (kind == WIRE_INT) {
        us = wire_value_int(value);
    } else if (kind == WIRE_UINT) {
        snprintf(what, sizeof what, "%llu", (unsigned long long)wire_value_uint(value));
        return refuse_time(map, name, what, error);
    } else {
        return wire_refuse_kind(value, "an integer (microseconds) or a msgpack timestamp", map->path, name, error);
    }
    if (us < TIME_US_MIN || us > TIME_US_MAX) {
        snprintf(what, sizeof what, "%lld", (long long)us);
        return refuse_time(map, name, what, error);
    }
    *ret_us = us;
    *ret_present = true;
    return OK;
}

/* ---- containers ---- */

enum status wire_map_raw_map(struct wire_map *map, const char *name, enum wire_presence presence, size_t size_max,
                             struct bytes *ret, struct error *error) {
    struct wire_value value;
    if (!wire_map_find(map, name, &value)) {
        return wire_absent(map, name, presence, error);
    }
    if (wire_value_kind(value) != WIRE_MAP) {
        return wire_refuse_kind(value, "a map", map->path, name, error);
    }
    struct bytes raw = wire_value_raw(value);
    if (raw.size > size_max) {
        error_set(error, TOO_LARGE, "%s is %zu bytes, it may be up to %zu", name, raw.size, size_max);
        error_add_number(error, "size", (int64_t)raw.size);
        error_add_number(error, "limit", (int64_t)size_max);
        return wire_error_at(error, map->path, name);
    }
    *ret = raw;
    return OK;
}

enum status wire_map_array(struct wire_map *map, const char *name, enum wire_presence presence, size_t count_max,
                           bool *ret_present, struct wire_value *ret_first, size_t *ret_count, struct error *error) {
    struct wire_value value;
    if (!wire_map_find(map, name, &value)) {
        enum status status = wire_absent(map, name, presence, error);
        if (status == OK) {
            *ret_present = false;
        }
        return status;
    }
    if (wire_value_kind(value) != WIRE_ARRAY) {
        return wire_refuse_kind(value, "an array", map->path, name, error);
    }
    size_t count = value.document->items[value.index].size;
    if (count > count_max) {
        error_set(error, INVALID, "%s has %zu elements, it may have 0 to %zu", name, count, count_max);
        return wire_error_at(error, map->path, name);
    }
    *ret_first = (struct wire_value){.document = value.document, .index = value.index + 1};
    *ret_count = count;
    *ret_present = true;
    return OK;
}

enum status wire_map_names(struct wire_map *map, const char *name, enum wire_presence presence, size_t size_max,
                           size_t count_max, struct bytes *ret, uint32_t *ret_count, struct error *error) {
    bool is_present = false;
    struct wire_value element;
    size_t count = 0;
    enum status status = wire_map_array(map, name, presence, count_max, &is_present, &element, &count, error);
    if (status != OK || !is_present) {
        return status;
    }
    if (count == 0) {
        error_set(error, INVALID, "%s is an empty array, it may have 1 to %zu elements: leave it out", name, count_max);
        return wire_error_at(error, map->path, name);
    }
    struct wire_path array = {.parent = map->path, .name = name};
    for (size_t i = 0; i < count; i++) {
        struct wire_path path = {.parent = &array, .index = (int64_t)i};
        status = wire_check_text(element, 1, size_max, &path, NULL, &ret[i], error);
        if (status != OK) {
            return status;
        }
        element = wire_value_next(element);
    }
    *ret_count = (uint32_t)count;
    return OK;
}
