/* wire/map.c: a map read by name, with every field accounted for. */
#include "wire/field.h"
#include "wire/text.h"

#include <stdio.h>

enum { PAIRS_MAX = 64 }; /* the bits of wire_map.seen */

static const struct wire_path REQUEST = {0};

static const struct wire_item *item_at(struct wire_value value) {
    return &value.document->items[value.index];
}

static struct wire_value first_key(struct wire_value map) {
    return (struct wire_value){.document = map.document, .index = map.index + 1};
}

void wire_label(char target[WIRE_LABEL_SIZE], const struct wire_path *path, const char *name) {
    if (name == NULL && path != NULL && path->parent != NULL) {
        if (path->name == NULL) {
            const char *array = path->parent->name;
            snprintf(target, WIRE_LABEL_SIZE, "%s[%lld]", array != NULL ? array : "element", (long long)path->index);
            return;
        }
        name = path->name;
    }
    snprintf(target, WIRE_LABEL_SIZE, "%s", name != NULL ? name : "request");
}

enum status wire_refuse_kind(struct wire_value value, const char *wanted, const struct wire_path *path,
                             const char *name, struct error *error) {
    char label[WIRE_LABEL_SIZE];
    wire_label(label, path, name);
    error_set(error, INVALID, "%s is %s, it must be %s", label, wire_kind_name(wire_value_kind(value)), wanted);
    return wire_error_at(error, path, name);
}

enum status wire_absent(const struct wire_map *map, const char *name, enum wire_presence presence,
                        struct error *error) {
    if (presence == OPTIONAL) {
        return OK;
    }
    error_set(error, INVALID, "%s is missing: it is required", name);
    return wire_error_at(error, map->path, name);
}

static enum status refuse_key(struct wire_value map, uint32_t pair, struct wire_value key, const struct wire_path *path,
                              struct error *error) {
    char label[WIRE_LABEL_SIZE];
    wire_label(label, path, NULL);
    error_set(error, INVALID, "key %u of the %u of %s is %s, it must be a string", pair + 1, item_at(map)->size, label,
              wire_kind_name(wire_value_kind(key)));
    return wire_error_at(error, path, NULL);
}

static enum status refuse_duplicate(struct bytes key, const struct wire_path *path, struct error *error) {
    char label[WIRE_LABEL_SIZE];
    char quoted[WIRE_QUOTE_SIZE];
    wire_label(label, path, NULL);
    wire_quote(quoted, key);
    error_set(error, INVALID, "%s has the field \"%s\" twice: give it once", label, quoted);
    return wire_error_at(error, path, quoted);
}

enum status wire_map_open(struct wire_map *ret_map, struct wire_value value, const struct wire_path *path,
                          struct error *error) {
    path = path != NULL ? path : &REQUEST;
    if (wire_value_kind(value) != WIRE_MAP) {
        return wire_refuse_kind(value, "a map", path, NULL, error);
    }
    uint32_t pairs = item_at(value)->size;
    if (pairs > PAIRS_MAX) {
        char label[WIRE_LABEL_SIZE];
        wire_label(label, path, NULL);
        error_set(error, INVALID, "%s has %u fields, it may have 0 to %d", label, pairs, PAIRS_MAX);
        return wire_error_at(error, path, NULL);
    }
    struct bytes keys[PAIRS_MAX];
    struct wire_value key = first_key(value);
    for (uint32_t i = 0; i < pairs; i++) {
        if (wire_value_kind(key) != WIRE_STR) {
            return refuse_key(value, i, key, path, error);
        }
        keys[i] = wire_value_payload(key);
        for (uint32_t j = 0; j < i; j++) {
            if (bytes_equal(keys[i], keys[j])) {
                return refuse_duplicate(keys[i], path, error);
            }
        }
        key = wire_value_next(wire_value_next(key));
    }
    *ret_map = (struct wire_map){.value = value, .path = path};
    return OK;
}

enum status wire_map_finish(const struct wire_map *map, const char *what, struct error *error) {
    struct wire_value key = first_key(map->value);
    for (uint32_t i = 0; i < item_at(map->value)->size; i++) {
        if ((map->seen >> i & 1) == 0) {
            char quoted[WIRE_QUOTE_SIZE];
            wire_quote(quoted, wire_value_payload(key));
            error_set(error, INVALID, "%s has no field \"%s\": remove it or correct its name", what, quoted);
            return wire_error_at(error, map->path, quoted);
        }
        key = wire_value_next(wire_value_next(key));
    }
    return OK;
}

bool wire_map_find_or_nil(struct wire_map *map, const char *name, struct wire_value *ret_value) {
    struct bytes wanted = bytes_from_string(name);
    struct wire_value key = first_key(map->value);
    uint32_t pairs = item_at(map->value)->size;
    for (uint32_t i = 0; i < pairs; i++) {
        struct wire_value value = wire_value_next(key);
        if (item_at(key)->size == wanted.size && bytes_equal(wire_value_payload(key), wanted)) {
            map->seen |= UINT64_C(1) << i;
            *ret_value = value;
            return true;
        }
        key = wire_value_next(value);
    }
    return false;
}

bool wire_map_find(struct wire_map *map, const char *name, struct wire_value *ret_value) {
    struct wire_value value;
    if (!wire_map_find_or_nil(map, name, &value) || wire_value_kind(value) == WIRE_NIL) {
        return false;
    }
    *ret_value = value;
    return true;
}
