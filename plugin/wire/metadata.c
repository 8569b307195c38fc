/* wire/metadata.c: does the value at a pointer equal the expected one? Decided over the stored bytes as they are,
 * without allocating, since it runs for every candidate event of a read. The bytes may come from a damaged file: what
 * is malformed holds nothing. */
#include "wire/metadata.h"

#include "wire/messages.h"
#include "wire/shape.h"
#include "wire/text.h"

/* A value in raw bytes, with what follows it up to `end`. */
struct spot {
    const uint8_t *at;
    const uint8_t *end;
};

static bool read_head(struct spot spot, struct wire_head *ret_head) {
    return spot.at < spot.end && wire_head_read(spot.at, (size_t)(spot.end - spot.at), ret_head) == WIRE_HEAD_OK;
}

/* Steps over one whole value. */
static bool skip_value(struct spot *spot) {
    size_t size = spot->at < spot->end ? wire_skip(spot->at, (size_t)(spot->end - spot->at)) : 0;
    spot->at += size;
    return size > 0;
}

/* ---- pointers ---- */

/* Is the key the token, once ~1 is read as / and ~0 as ~? */
static bool token_is_key(struct bytes token, struct bytes key) {
    size_t used = 0;
    for (size_t i = 0; i < token.size; i++, used++) {
        uint8_t byte = token.data[i];
        if (byte == '~' && i + 1 < token.size) {
            i++;
            byte = token.data[i] == '1' ? '/' : '~';
        }
        if (used == key.size || key.data[used] != byte) {
            return false;
        }
    }
    return used == key.size;
}

/* False: the token is no index as RFC 6901 writes them. */
static bool token_to_index(struct bytes token, uint32_t *ret_index) {
    enum { DIGITS_MAX = 10 };
    if (token.size == 0 || token.size > DIGITS_MAX || (token.data[0] == '0' && token.size > 1)) {
        return false;
    }
    uint64_t index = 0;
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] < '0' || token.data[i] > '9') {
            return false;
        }
        index = index * 10 + (uint64_t)(token.data[i] - '0');
    }
    *ret_index = (uint32_t)index;
    return index <= UINT32_MAX;
}

/* Moves from the map at `spot` to the value of its first key that is the token. */
static bool enter_map(struct spot *spot, const struct wire_head *head, struct bytes token) {
    spot->at += head->header_size;
    for (uint32_t i = 0; i < head->size; i++) {
        struct wire_head key;
        if (!read_head(*spot, &key)) {
            return false;
        }
        struct bytes text = {.data = spot->at + key.header_size, .size = key.size};
        bool is_match = key.kind == WIRE_STR && token_is_key(token, text);
        if (!skip_value(spot)) {
            return false;
        }
        if (is_match) {
            return true;
        }
        if (!skip_value(spot)) {
            return false;
        }
    }
    return false;
}

static bool enter_array(struct spot *spot, const struct wire_head *head, struct bytes token) {
    uint32_t index;
    if (!token_to_index(token, &index) || index >= head->size) {
        return false;
    }
    spot->at += head->header_size;
    for (uint32_t i = 0; i < index; i++) {
        if (!skip_value(spot)) {
            return false;
        }
    }
    return true;
}

static bool resolve(struct spot *spot, struct bytes pointer) {
    size_t i = 0;
    while (i < pointer.size) {
        size_t start = ++i; /* behind the slash */
        while (i < pointer.size && pointer.data[i] != '/') {
            i++;
        }
        struct bytes token = {.data = pointer.data + start, .size = i - start};
        struct wire_head head;
        if (!read_head(*spot, &head)) {
            return false;
        }
        bool is_found = head.kind == WIRE_MAP     ? enter_map(spot, &head, token)
                        : head.kind == WIRE_ARRAY ? enter_array(spot, &head, token)
                                                  : false;
        if (!is_found) {
            return false;
        }
    }
    return true;
}

/* ---- equality ---- */

static bool float_equals_int(double number, int64_t integer) {
    /* The bounds are exact as doubles, so that the conversion is defined. NaN is within none. */
    return number >= -0x1p63 && number < 0x1p63 && (int64_t)number == integer && (double)(int64_t)number == number;
}

static bool float_equals_uint(double number, uint64_t integer) {
    return number >= 0x1p63 && number < 0x1p64 && (uint64_t)number == integer; /* doubles are whole up there */
}

static bool kind_is_number(enum wire_kind kind) {
    return kind == WIRE_INT || kind == WIRE_UINT || kind == WIRE_FLOAT;
}

static bool float_equals(double number, enum wire_kind kind, const uint8_t *whole) {
    return kind == WIRE_INT ? float_equals_int(number, wire_int_read(whole))
                            : float_equals_uint(number, (uint64_t)wire_int_read(whole));
}

static bool numbers_equal(enum wire_kind a_kind, const uint8_t *a, enum wire_kind b_kind, const uint8_t *b) {
    if (a_kind == WIRE_FLOAT && b_kind == WIRE_FLOAT) {
        double x = wire_float_read(a);
        double y = wire_float_read(b);
        return x >= y && x <= y;
    }
    if (a_kind == WIRE_FLOAT) {
        return float_equals(wire_float_read(a), b_kind, b);
    }
    if (b_kind == WIRE_FLOAT) {
        return float_equals(wire_float_read(b), a_kind, a);
    }
    return a_kind == b_kind && wire_int_read(a) == wire_int_read(b);
}

/* Two values of which the heads were read and are no containers. */
static bool scalars_equal(const uint8_t *a, const struct wire_head *a_head, const uint8_t *b,
                          const struct wire_head *b_head) {
    if (kind_is_number(a_head->kind) && kind_is_number(b_head->kind)) {
        return numbers_equal(a_head->kind, a, b_head->kind, b);
    }
    if (a_head->kind != b_head->kind || a_head->size != b_head->size) {
        return false;
    }
    if (a_head->kind == WIRE_BOOL) {
        return *a == *b;
    }
    if (a_head->kind == WIRE_EXT && a[a_head->header_size - 1] != b[b_head->header_size - 1]) {
        return false;
    }
    return a_head->size == 0 || memcmp(a + a_head->header_size, b + b_head->header_size, a_head->size) == 0;
}

/* An array or map of which the elements are being compared. Elements of the expected value are taken in order. */
struct level {
    bool is_map;
    uint32_t left;     /* elements, or pairs, of the expected value still to compare */
    struct spot first; /* map: the first key of the actual value */
    struct spot at;    /* the actual value's next element; map: the key where the search begins */
    uint32_t pairs;    /* map: of the actual value */
    uint32_t pair;     /* map: the number of the key at `at` */
};

/* Finds the pair with the key at `expected` and sets *ret_value to its value. Begins where the last one was found: most
 * maps have their keys in the same order. */
static bool find_pair(struct level *level, struct spot expected, struct spot *ret_value) {
    struct wire_head wanted;
    if (!read_head(expected, &wanted)) {
        return false;
    }
    for (uint32_t tried = 0; tried < level->pairs; tried++) {
        if (level->pair == level->pairs) {
            level->pair = 0;
            level->at = level->first;
        }
        struct wire_head key;
        if (!read_head(level->at, &key)) {
            return false;
        }
        bool is_match = !wire_kind_is_container(key.kind) && scalars_equal(expected.at, &wanted, level->at.at, &key);
        if (!skip_value(&level->at)) {
            return false;
        }
        *ret_value = level->at;
        level->pair++;
        if (!skip_value(&level->at)) {
            return false;
        }
        if (is_match) {
            return true;
        }
    }
    return false;
}

/* Compares two values without what is in them; a container of the same kind and size is entered. */
static bool enter_equal(struct spot *expected, struct spot actual, struct level *levels, uint32_t *depth) {
    struct wire_head expected_head;
    struct wire_head actual_head;
    if (!read_head(*expected, &expected_head) || !read_head(actual, &actual_head)) {
        return false;
    }
    if (!wire_kind_is_container(expected_head.kind)) {
        if (wire_kind_is_container(actual_head.kind) ||
            !scalars_equal(expected->at, &expected_head, actual.at, &actual_head)) {
            return false;
        }
        expected->at += wire_head_extent(&expected_head);
        return true;
    }
    if (expected_head.kind != actual_head.kind || expected_head.size != actual_head.size) {
        return false;
    }
    expected->at += expected_head.header_size;
    if (expected_head.size == 0) {
        return true;
    }
    if (*depth == FILTER_METADATA_DEPTH_MAX) {
        return false; /* refused by wire_metadata_check */
    }
    struct spot first = {.at = actual.at + actual_head.header_size, .end = actual.end};
    levels[(*depth)++] = (struct level){.is_map = expected_head.kind == WIRE_MAP,
                                        .left = expected_head.size,
                                        .first = first,
                                        .at = first,
                                        .pairs = actual_head.size};
    return true;
}

static bool values_equal(struct spot expected, struct spot actual) {
    struct level levels[FILTER_METADATA_DEPTH_MAX];
    uint32_t depth = 0;
    if (!enter_equal(&expected, actual, levels, &depth)) {
        return false;
    }
    while (depth > 0) {
        struct level *level = &levels[depth - 1];
        if (level->left == 0) {
            depth--;
            continue;
        }
        level->left--;
        struct spot element = level->at;
        bool is_there =
            level->is_map ? find_pair(level, expected, &element) && skip_value(&expected) : skip_value(&level->at);
        if (!is_there || !enter_equal(&expected, element, levels, &depth)) {
            return false;
        }
    }
    return true;
}

bool wire_metadata_holds(const void *context, struct bytes metadata) {
    const struct wire_metadata_conditions *conditions = context;
    for (uint32_t i = 0; i < conditions->count; i++) {
        if (!bytes_present(metadata)) {
            return false;
        }
        struct bytes raw = wire_value_raw(conditions->condition[i].expected);
        struct spot expected = {.at = raw.data, .end = raw.data + raw.size};
        struct spot actual = {.at = metadata.data, .end = metadata.data + metadata.size};
        if (!resolve(&actual, conditions->condition[i].pointer) || !values_equal(expected, actual)) {
            return false;
        }
    }
    return true;
}

/* ---- what a condition may be ---- */

static bool pointer_is_valid(struct bytes pointer) {
    if (pointer.size > 0 && pointer.data[0] != '/') {
        return false;
    }
    for (size_t i = 0; i < pointer.size; i++) {
        bool is_escape = pointer.data[i] == '~';
        if (is_escape && (i + 1 == pointer.size || (pointer.data[i + 1] != '0' && pointer.data[i + 1] != '1'))) {
            return false;
        }
    }
    return true;
}

/* Does any value nest deeper than the predicate's stack holds? */
static bool is_too_deep(struct wire_value value) {
    const struct wire_item *items = value.document->items;
    uint32_t ends[FILTER_METADATA_DEPTH_MAX];
    uint32_t depth = 0;
    for (uint32_t i = value.index; i < items[value.index].next; i++) {
        while (depth > 0 && ends[depth - 1] == i) {
            depth--;
        }
        if (wire_kind_is_container((enum wire_kind)items[i].kind)) {
            if (depth == FILTER_METADATA_DEPTH_MAX) {
                return true;
            }
            ends[depth++] = items[i].next;
        }
    }
    return false;
}

static bool keys_equal(struct wire_value a, struct wire_value b) {
    struct bytes a_raw = wire_value_raw(a);
    struct bytes b_raw = wire_value_raw(b);
    struct wire_head a_head;
    struct wire_head b_head;
    return read_head((struct spot){a_raw.data, a_raw.data + a_raw.size}, &a_head) &&
           read_head((struct spot){b_raw.data, b_raw.data + b_raw.size}, &b_head) &&
           scalars_equal(a_raw.data, &a_head, b_raw.data, &b_head);
}

/* With each key once, two maps of the same size are equal when each expected pair is found. */
static const char *find_bad_key(struct wire_value map) {
    uint32_t pairs = map.document->items[map.index].size;
    struct wire_value key = {.document = map.document, .index = map.index + 1};
    struct wire_value first = key;
    for (uint32_t i = 0; i < pairs; i++) {
        if (wire_kind_is_container(wire_value_kind(key))) {
            return "has a map with an array or a map as key";
        }
        struct wire_value earlier = first;
        for (uint32_t j = 0; j < i; j++) {
            if (keys_equal(earlier, key)) {
                return "has a map with a key twice";
            }
            earlier = wire_value_next(wire_value_next(earlier));
        }
        key = wire_value_next(wire_value_next(key));
    }
    return NULL;
}

static const char *find_bad_map(struct wire_value value) {
    const struct wire_item *items = value.document->items;
    for (uint32_t i = value.index; i < items[value.index].next; i++) {
        const char *bad = items[i].kind == WIRE_MAP ? find_bad_key((struct wire_value){value.document, i}) : NULL;
        if (bad != NULL) {
            return bad;
        }
    }
    return NULL;
}

enum status wire_metadata_check(struct bytes pointer, struct wire_value expected, const struct wire_path *path,
                                struct error *error) {
    char quoted[WIRE_QUOTE_SIZE];
    wire_quote(quoted, pointer);
    size_t size = wire_value_raw(expected).size;
    const char *bad = NULL;
    if (!pointer_is_valid(pointer)) {
        error_set(error, INVALID, "metadata condition \"%s\" is no RFC 6901 pointer: it may be empty or begin with /",
                  quoted);
    } else if (size > FILTER_METADATA_SIZE_MAX) {
        error_set(error, TOO_LARGE, "the value of metadata condition \"%s\" is %zu bytes, it may be up to %d", quoted,
                  size, FILTER_METADATA_SIZE_MAX);
        error_add_number(error, "size", (int64_t)size);
        error_add_number(error, "limit", FILTER_METADATA_SIZE_MAX);
    } else if (is_too_deep(expected)) {
        error_set(error, TOO_LARGE, "the value of metadata condition \"%s\" is nested deeper than %d", quoted,
                  FILTER_METADATA_DEPTH_MAX);
        error_add_number(error, "limit", FILTER_METADATA_DEPTH_MAX);
    } else if ((bad = find_bad_map(expected)) != NULL) {
        error_set(error, INVALID, "the value of metadata condition \"%s\" %s: it can equal nothing", quoted, bad);
    } else {
        return OK;
    }
    return wire_error_at(error, path, quoted);
}
