/* support.h: schemas and payloads for the tests of validate, written as JSON with ' for ". */
#ifndef POLARIS_TESTS_UNIT_VALIDATE_SUPPORT_H
#define POLARIS_TESTS_UNIT_VALIDATE_SUPPORT_H

#include "validate/validate.h"
#include "wire/json_text.h"

#include <criterion/criterion.h>

/* A JSON text as a tape. '=18446744073709551615' is that integer, and a key '=type' the key type, to have it twice. */
struct json {
    struct buffer bytes;
    struct wire_document tape;
};
void json_open(struct json *json, const char *text);
void json_open_seeded(struct json *json, const char *text, uint64_t seed);
void json_done(struct json *json);
struct wire_value json_root(const struct json *json);

/* Appends to a NUL-terminated text, and returns it. */
const char *printed(struct buffer *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same character `count` times. */
void printed_run(struct buffer *text, char c, size_t count);

/* A compiled schema, and what running it needs. */
struct subject {
    struct validate_options options; /* set before subject_compile; subject_init gives the defaults */
    struct json schema;
    struct validate_program *program;
    struct validate_context *context;
    struct validate_report report; /* of the last payload that was invalid */
    struct error error;
};
void subject_init(struct subject *subject);
void subject_done(struct subject *subject);
/* The compiler's status. */
enum status subject_compile(struct subject *subject, const char *schema);
/* Runs all evaluators, which must agree; the status of the fast one. */
enum status subject_run(struct subject *subject, struct wire_value payload, bool *ret_valid);
/* Compiles and runs; nothing may fail. */
bool is_valid(const char *schema, const char *payload);
/* The lines of the report on the payload, joined by newlines. */
void expect_lines(struct subject *subject, const char *payload, const char *lines);

#endif
