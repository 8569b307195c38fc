/* support.h: requests for the tests of wire, written as JSON or byte by byte. */
#ifndef POLARIS_TESTS_UNIT_WIRE_SUPPORT_H
#define POLARIS_TESTS_UNIT_WIRE_SUPPORT_H

#include <criterion/criterion.h>

#include <stdio.h>

#include "wire/messages.h"

#define BYTES_OF(...)                                                                                                  \
    ((struct bytes){.data = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((const uint8_t[]){__VA_ARGS__})})

extern const struct wire_limits WIDE_LIMITS;

/* Writes JSON as msgpack. Apostrophes stand for quotation marks. */
void put_json(struct wire_writer *writer, const char *json);

/* A request in memory of exactly its size, so that a sanitizer sees every byte read beyond it. */
struct request {
    uint8_t *data;
    struct wire_document document;
    struct wire_map map;
    struct error error;
};
void request_done(struct request *request);

enum status request_parse(struct request *request, struct bytes input, const struct wire_limits *limits);
/* Parses what the test knows to be one map, and opens it. */
void request_open(struct request *request, struct bytes input);
void request_from_json(struct request *request, const char *json);

/* `fragment` is in the message, `path` is the field's. */
void expect_error(const struct error *error, enum status actual, enum status wanted, const char *path,
                  const char *fragment);

/* The field `name` of a map that a test wrote; fails the test if it is not there. */
struct wire_value field_of(struct wire_value map, const char *name);
bool has_field(struct wire_value map, const char *name);
void expect_text(struct wire_value value, const char *text);

#endif
