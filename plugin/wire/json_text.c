/* wire/json_text.c: JSON text, read by jansson, written as msgpack. */
#include "wire/json_text.h"

#include <jansson.h>

#include "wire/writer.h"

enum { DEPTH_LIMIT = 1024 };

static void free_json(json_t **json) {
    json_decref(*json);
}

/* ---- reading ---- */

/* jansson calls itself for what is nested: how deep, is bounded before. Brackets within strings do not count; of text
 * that is no JSON the count is worth nothing, but never less than what jansson would nest. */
static uint32_t nesting(struct bytes text) {
    uint32_t depth = 0;
    uint32_t deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (in_string) {
            i += c == '\\'; /* whatever is escaped ends no string */
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

static enum status refuse(struct bytes text, const json_error_t *reason, struct error *error) {
    /* Syntax errors always have a text. Running out of memory within a token reads as one: refused all the same. */
    if (reason->text[0] == '\0' || json_error_code(reason) == json_error_out_of_memory) {
        return error_set(error, NO_MEMORY, "no memory to read JSON text of %zu bytes", text.size);
    }
    const char *advice = strstr(reason->text, "integer") != NULL
                             ? "; integers have 64 bits and a sign: write larger ones with an exponent"
                             : "";
    return error_set(error, INVALID, "JSON text is malformed at line %d, column %d: %s%s", reason->line, reason->column,
                     reason->text, advice);
}

/* ---- writing ---- */

/* An array or an object whose elements are being written. */
struct frame {
    json_t *json;
    size_t index; /* of an array's next element */
    void *member; /* of an object's next member, or NULL */
};

static void put_scalar(struct wire_writer *writer, const json_t *json) {
    switch (json_typeof(json)) {
    case JSON_STRING:
        wire_put_str(writer, (struct bytes){(const uint8_t *)json_string_value(json), json_string_length(json)});
        break;
    case JSON_INTEGER:
        wire_put_int(writer, json_integer_value(json));
        break;
    case JSON_REAL:
        wire_put_float(writer, json_real_value(json));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        wire_put_bool(writer, json_is_true(json));
        break;
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        wire_put_nil(writer);
        break;
    }
}

/* The frame's next element, with its key written; NULL: there is none. */
static json_t *next_element(struct wire_writer *writer, struct frame *frame) {
    if (json_is_array(frame->json)) {
        return json_array_get(frame->json, frame->index++);
    }
    if (frame->member == NULL) {
        return NULL;
    }
    wire_put_text(writer, json_object_iter_key(frame->member));
    json_t *value = json_object_iter_value(frame->member);
    frame->member = json_object_iter_next(frame->json, frame->member);
    return value;
}

static void put_value(struct wire_writer *writer, json_t *root) {
    struct frame frames[DEPTH_LIMIT];
    uint32_t depth = 0;
    json_t *json = root;
    while (json != NULL) {
        if (json_is_array(json)) {
            wire_put_array(writer, (uint32_t)json_array_size(json));
            frames[depth++] = (struct frame){.json = json};
        } else if (json_is_object(json)) {
            wire_put_map(writer, (uint32_t)json_object_size(json));
            frames[depth++] = (struct frame){.json = json, .member = json_object_iter(json)};
        } else {
            put_scalar(writer, json);
        }
        json = NULL;
        while (depth > 0 && json == NULL) {
            json = next_element(writer, &frames[depth - 1]);
            depth -= json == NULL;
        }
    }
}

enum status json_text_convert(struct bytes text, uint32_t depth_max, struct buffer *ret, struct error *error) {
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    depth_max = depth_max < DEPTH_LIMIT ? depth_max : DEPTH_LIMIT;
    if (nesting(text) > depth_max) {
        error_set(error, TOO_LARGE, "JSON text is nested deeper than %u", depth_max);
        error_add_number(error, "limit", depth_max);
        return TOO_LARGE;
    }
    json_error_t reason = {0}; /* jansson leaves the code unset when its first allocations fail */
    CLEANUP(free_json) json_t *json = json_loadb((const char *)text.data, text.size, flags, &reason);
    if (json == NULL) {
        return refuse(text, &reason, error);
    }
    struct wire_writer writer = {.buffer = *ret};
    put_value(&writer, json);
    *ret = writer.buffer;
    return wire_writer_check(&writer, error);
}
