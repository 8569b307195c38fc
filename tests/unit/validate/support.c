/* support.c: schemas and payloads for the tests of validate. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What JSON text cannot say: a text that begins with '=' is the integer behind it, beyond int64, or a key that may come
 * twice. All else is copied as it is: containers count their elements, so headers stay good. */
static void replace_marked(const struct wire_document *tape, struct buffer *ret) {
    for (uint32_t i = 0; i < tape->item_count; i++) {
        struct wire_value value = {tape, i};
        enum wire_kind kind = wire_value_kind(value);
        struct bytes raw = wire_value_raw(value);
        struct bytes text = kind == WIRE_STR ? wire_value_payload(value) : (struct bytes){0};
        if (text.size < 2 || text.data[0] != '=') {
            bool is_container = kind == WIRE_ARRAY || kind == WIRE_MAP;
            cr_assert(buffer_append(ret, raw.data, is_container ? tape->items[i].header_size : raw.size));
            continue;
        }
        uint8_t made[16] = {0xCF};
        size_t size = 9;
        if (text.data[1] >= '0' && text.data[1] <= '9') {
            uint64_t number = strtoull((const char *)text.data + 1, NULL, 10);
            for (int byte = 0; byte < 8; byte++) {
                made[1 + byte] = (uint8_t)(number >> (56 - 8 * byte));
            }
        } else {
            cr_assert_lt(text.size, sizeof made);
            made[0] = (uint8_t)(0xA0 | (text.size - 1));
            memcpy(made + 1, text.data + 1, text.size - 1);
            size = text.size;
        }
        cr_assert(buffer_append(ret, made, size));
    }
}

const char *printed(struct buffer *text, const char *format, ...) {
    char *more = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&more, format, args);
    va_end(args);
    cr_assert(size >= 0);
    text->size -= text->size > 0;
    cr_assert(buffer_append(text, more, (size_t)size + 1));
    free(more);
    return (const char *)text->data;
}

void printed_run(struct buffer *text, char c, size_t count) {
    text->size -= text->size > 0;
    cr_assert(buffer_reserve(text, count + 1));
    memset(text->data + text->size, c, count);
    text->size += count;
    text->data[text->size++] = '\0';
}

void json_open(struct json *json, const char *text) {
    json_open_seeded(json, text, 0);
}

void json_open_seeded(struct json *json, const char *text, uint64_t seed) {
    struct error error;
    const struct wire_limits limits = {.size_max = 64 << 20, .depth_max = 1024, .seed = seed};
    CLEANUP(buffer_done) struct buffer plain = {0};
    CLEANUP(wire_document_done) struct wire_document tape = {0};
    char *copy = strdup(text);
    for (char *c = copy; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    *json = (struct json){0};
    enum status status = json_text_convert(bytes_from_string(copy), 1024, &plain, &error);
    cr_assert_eq(status, OK, "%s: %.200s", error.message, text);
    free(copy);
    cr_assert_eq(wire_document_parse(&tape, buffer_view(&plain), &limits, &error), OK);
    replace_marked(&tape, &json->bytes);
    status = wire_document_parse(&json->tape, buffer_view(&json->bytes), &limits, &error);
    cr_assert_eq(status, OK, "%s: %.200s", error.message, text);
}

void json_done(struct json *json) {
    wire_document_done(&json->tape);
    buffer_done(&json->bytes);
}

struct wire_value json_root(const struct json *json) {
    return (struct wire_value){.document = &json->tape, .index = 0};
}

void subject_init(struct subject *subject) {
    *subject = (struct subject){0};
    validate_options_init(&subject->options);
    subject->context = validate_context_new(7);
}

void subject_done(struct subject *subject) {
    validate_program_free(subject->program);
    validate_context_free(subject->context);
    validate_report_done(&subject->report);
    json_done(&subject->schema);
}

enum status subject_compile(struct subject *subject, const char *schema) {
    json_open(&subject->schema, schema);
    return validate_compile(json_root(&subject->schema), &subject->options, &subject->program, &subject->report,
                            &subject->error);
}

enum status subject_run(struct subject *subject, struct wire_value payload, bool *ret_valid) {
    enum status status = validate_run(subject->program, subject->context, payload, ret_valid, &subject->error);
    if (status != OK) {
        return status;
    }
    bool explained = !*ret_valid;
    struct error error;
    enum status explaining =
        validate_explain(subject->program, subject->context, payload, &explained, &subject->report, &error);
    cr_expect_eq(explaining, OK, "%s", error.message);
    cr_expect_eq(explained, *ret_valid, "the evaluators disagree: fast says %d", *ret_valid);
    cr_expect_eq(*ret_valid, subject->report.count == 0);
    return OK;
}

bool is_valid(const char *schema, const char *payload) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json instance;
    bool valid = false;
    subject_init(&subject);
    enum status status = subject_compile(&subject, schema);
    cr_assert_eq(status, OK, "%s: %s", schema, subject.error.message);
    json_open(&instance, payload);
    status = subject_run(&subject, json_root(&instance), &valid);
    cr_assert_eq(status, OK, "%s: %s", schema, subject.error.message);
    return valid;
}

void expect_lines(struct subject *subject, const char *payload, const char *lines) {
    CLEANUP(json_done) struct json instance;
    CLEANUP(buffer_done) struct buffer text = {0};
    bool valid = true;
    json_open(&instance, payload);
    enum status status = subject_run(subject, json_root(&instance), &valid);
    cr_assert_eq(status, OK, "%s", subject->error.message);
    cr_expect(!valid);
    for (uint32_t i = 0; i < subject->report.count; i++) {
        char line[1024];
        struct validate_failure failure = validate_report_at(&subject->report, i);
        validate_failure_print(&failure, line, sizeof line);
        cr_assert(buffer_append(&text, line, strlen(line)) && buffer_append(&text, "\n", 1));
    }
    cr_assert(buffer_append(&text, "", 1));
    cr_expect_str_eq((const char *)text.data, lines);
}
