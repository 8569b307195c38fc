/* support.c: requests for the tests of wire. */
#include "support.h"

#include <jansson.h>
#include <stdlib.h>

const struct wire_limits WIDE_LIMITS = {.size_max = 64 << 20, .depth_max = 128};

/* Recursion is bounded by what a test writes. */
static void put_json_value(struct wire_writer *writer, const json_t *json) {
    switch (json_typeof(json)) {
    case JSON_OBJECT: {
        wire_put_map(writer, (uint32_t)json_object_size(json));
        for (void *at = json_object_iter((json_t *)(uintptr_t)json); at != NULL;
             at = json_object_iter_next((json_t *)(uintptr_t)json, at)) {
            wire_put_text(writer, json_object_iter_key(at));
            put_json_value(writer, json_object_iter_value(at));
        }
        return;
    }
    case JSON_ARRAY:
        wire_put_array(writer, (uint32_t)json_array_size(json));
        for (size_t i = 0; i < json_array_size(json); i++) {
            put_json_value(writer, json_array_get(json, i));
        }
        return;
    case JSON_STRING:
        wire_put_str(
            writer, (struct bytes){.data = (const uint8_t *)json_string_value(json), .size = json_string_length(json)});
        return;
    case JSON_INTEGER:
        wire_put_int(writer, json_integer_value(json));
        return;
    case JSON_REAL:
        wire_put_float(writer, json_real_value(json));
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        wire_put_bool(writer, json_is_true(json));
        return;
    case JSON_NULL:
        wire_put_nil(writer);
        return;
    }
}

void put_json(struct wire_writer *writer, const char *json) {
    char *text = strdup(json);
    for (char *c = text; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    json_error_t reason;
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &reason);
    cr_assert_not_null(value, "%s in %s", reason.text, json);
    put_json_value(writer, value);
    json_decref(value);
    free(text);
}

void request_done(struct request *request) {
    wire_document_done(&request->document);
    free(request->data);
    *request = (struct request){0};
}

enum status request_parse(struct request *request, struct bytes input, const struct wire_limits *limits) {
    free(request->data);
    request->data = malloc(input.size);
    if (input.size > 0) {
        memcpy(request->data, input.data, input.size);
    }
    struct bytes copy = {.data = request->data, .size = input.size};
    return wire_document_parse(&request->document, copy, limits, &request->error);
}

void request_open(struct request *request, struct bytes input) {
    enum status status = request_parse(request, input, &WIDE_LIMITS);
    cr_assert_eq(status, OK, "%s", request->error.message);
    status = wire_map_open(&request->map, (struct wire_value){.document = &request->document}, NULL, &request->error);
    cr_assert_eq(status, OK, "%s", request->error.message);
}

void request_from_json(struct request *request, const char *json) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    put_json(&writer, json);
    request_open(request, buffer_view(&writer.buffer));
}

void expect_error(const struct error *error, enum status actual, enum status wanted, const char *path,
                  const char *fragment) {
    cr_assert_eq(actual, wanted, "%s, not %s: %s", status_name(actual), status_name(wanted), error->message);
    cr_expect_eq(error->status, wanted);
    cr_expect_str_eq(error->path, path);
    cr_expect_not_null(strstr(error->message, fragment), "\"%s\" is not in \"%s\"", fragment, error->message);
}

static bool find_field(struct wire_value map, const char *name, struct wire_value *ret_value) {
    cr_assert_eq(wire_value_kind(map), WIRE_MAP);
    struct wire_value key = {.document = map.document, .index = map.index + 1};
    for (uint32_t i = 0; i < map.document->items[map.index].size; i++) {
        *ret_value = wire_value_next(key);
        if (bytes_equal_string(wire_value_payload(key), name)) {
            return true;
        }
        key = wire_value_next(*ret_value);
    }
    return false;
}

struct wire_value field_of(struct wire_value map, const char *name) {
    struct wire_value value = {0};
    cr_assert(find_field(map, name, &value), "no field %s", name);
    return value;
}

bool has_field(struct wire_value map, const char *name) {
    struct wire_value value;
    return find_field(map, name, &value);
}

void expect_text(struct wire_value value, const char *text) {
    cr_assert_eq(wire_value_kind(value), WIRE_STR);
    struct bytes payload = wire_value_payload(value);
    cr_expect(bytes_equal_string(payload, text), "\"%.*s\" is not \"%s\"", BYTES_FORMAT(payload), text);
}
