/* wire/document.c: the values of a parsed document, and where they stand in it. */
#include "wire/document.h"

#include "wire/shape.h"
#include "wire/text.h"

#include <stdio.h>

const char *wire_kind_name(enum wire_kind kind) {
    switch (kind) {
    case WIRE_NIL:
        return "nil";
    case WIRE_BOOL:
        return "a boolean";
    case WIRE_INT:
    case WIRE_UINT:
        return "an integer";
    case WIRE_FLOAT:
        return "a float";
    case WIRE_STR:
        return "a string";
    case WIRE_BIN:
        return "binary data";
    case WIRE_EXT:
        return "an extension value";
    case WIRE_ARRAY:
        return "an array";
    case WIRE_MAP:
        return "a map";
    }
    return "no value";
}

static const struct wire_item *item_of(struct wire_value value) {
    return &value.document->items[value.index];
}

static const uint8_t *bytes_of(struct wire_value value) {
    return value.document->input.data + item_of(value)->offset;
}

struct bytes wire_value_raw(struct wire_value value) {
    const struct wire_document *document = value.document;
    const struct wire_item *item = item_of(value);
    size_t end = item->next < document->item_count ? document->items[item->next].offset : document->input.size;
    return (struct bytes){.data = document->input.data + item->offset, .size = end - item->offset};
}

struct bytes wire_value_payload(struct wire_value value) {
    const struct wire_item *item = item_of(value);
    return (struct bytes){.data = bytes_of(value) + item->header_size, .size = item->size};
}

int64_t wire_value_int(struct wire_value value) {
    return wire_int_read(bytes_of(value));
}

uint64_t wire_value_uint(struct wire_value value) {
    return (uint64_t)wire_int_read(bytes_of(value));
}

double wire_value_float(struct wire_value value) {
    return wire_float_read(bytes_of(value));
}

bool wire_value_bool(struct wire_value value) {
    return (*bytes_of(value) & 1) != 0;
}

int8_t wire_value_ext_type(struct wire_value value) {
    return (int8_t)bytes_of(value)[item_of(value)->header_size - 1];
}

/* ---- paths ---- */

enum { PATH_STEPS_MAX = 16 }; /* more than any request of SPEC.md nests its own fields */

/* Adds "/name" with ~ and / escaped; what does not fit is left out. */
static void add_step(char *path, size_t *used, const char *name) {
    size_t end = *used;
    path[end++] = '/';
    for (const char *c = name; *c != '\0'; c++) {
        if (end + 2 >= ERROR_PATH_SIZE) {
            return;
        }
        if (*c == '~' || *c == '/') {
            path[end++] = '~';
            path[end++] = *c == '~' ? '0' : '1';
        } else {
            path[end++] = *c;
        }
    }
    *used = end;
}

enum status wire_error_at(struct error *error, const struct wire_path *path, const char *name) {
    const struct wire_path *steps[PATH_STEPS_MAX];
    size_t count = 0;
    for (; path != NULL && path->parent != NULL && count < PATH_STEPS_MAX; path = path->parent) {
        steps[count++] = path;
    }
    char text[ERROR_PATH_SIZE];
    size_t used = 0;
    while (count > 0) {
        const struct wire_path *step = steps[--count];
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)step->index);
        add_step(text, &used, step->name != NULL ? step->name : number);
    }
    if (name != NULL) {
        add_step(text, &used, name);
    }
    text[used] = '\0';
    error_set_path(error, "%s", text);
    return error->status;
}
