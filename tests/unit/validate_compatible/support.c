/* support.c: comparing pairs of schemas for tests; every witness is confirmed. */
#include "support.h"

#include "validate/value.h"

#include <stdio.h>

void pair_init(struct pair *pair) {
    *pair = (struct pair){.answer = COMPATIBLE_UNKNOWN};
    subject_init(&pair->writer);
    subject_init(&pair->reader);
}

void pair_done(struct pair *pair) {
    subject_done(&pair->writer);
    subject_done(&pair->reader);
    compatible_report_done(&pair->report);
}

void pair_compile(struct pair *pair, const char *writer, const char *reader) {
    enum status status = subject_compile(&pair->writer, writer);
    cr_assert_eq(status, OK, "%s: %s", pair->writer.error.message, writer);
    status = subject_compile(&pair->reader, reader);
    cr_assert_eq(status, OK, "%s: %s", pair->reader.error.message, reader);
}

static void put(struct buffer *ret, const char *text) {
    cr_assert(buffer_append(ret, text, strlen(text)));
}

static void print_text(struct bytes text, struct buffer *ret) {
    put(ret, "'");
    cr_assert(buffer_append(ret, text.data, text.size));
    put(ret, "'");
}

void print_value(struct wire_value value, struct buffer *ret) {
    char number[NUMBER_TEXT_SIZE];
    enum wire_kind kind = wire_value_kind(value);
    if (kind_is_number(kind)) {
        number_print(number_of(value), number);
        put(ret, number);
    } else if (kind == WIRE_STR) {
        print_text(value_text(value), ret);
    } else if (kind == WIRE_ARRAY || kind == WIRE_MAP) {
        struct wire_value at = {value.document, value.index + 1};
        put(ret, kind == WIRE_MAP ? "{" : "[");
        for (uint32_t i = 0; i < value_item(value)->size; i++) {
            put(ret, i > 0 ? ", " : "");
            if (kind == WIRE_MAP) {
                print_value(at, ret);
                put(ret, ": ");
                at = wire_value_next(at);
            }
            print_value(at, ret);
            at = wire_value_next(at);
        }
        put(ret, kind == WIRE_MAP ? "}" : "]");
    } else {
        put(ret, kind == WIRE_NIL ? "null" : kind != WIRE_BOOL ? "?" : wire_value_bool(value) ? "true" : "false");
    }
}

static void print_witness(struct bytes witness, struct buffer *ret) {
    static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = 1024};
    CLEANUP(wire_document_done) struct wire_document tape = {0};
    struct error error;
    cr_assert_eq(wire_document_parse(&tape, witness, &LIMITS, &error), OK, "%s", error.message);
    print_value((struct wire_value){&tape, 0}, ret);
}

const char *print_report(const struct compatible_report *report, struct buffer *text) {
    text->size = 0;
    for (uint32_t i = 0; i < report->count; i++) {
        struct compatible_difference difference = compatible_report_at(report, i);
        put(text, "\n  ");
        put(text, compatible_answer_name(difference.answer));
        put(text, " ");
        put(text, difference.kind);
        put(text, " '");
        cr_assert(buffer_append(text, difference.writer_path.data, difference.writer_path.size));
        put(text, "' '");
        cr_assert(buffer_append(text, difference.reader_path.data, difference.reader_path.size));
        put(text, "' ");
        cr_assert(buffer_append(text, difference.message.data, difference.message.size));
        if (bytes_present(difference.witness)) {
            put(text, " ");
            print_witness(difference.witness, text);
        }
    }
    cr_assert(buffer_append(text, "", 1));
    return (const char *)text->data;
}

static bool accepts(struct subject *subject, struct bytes payload) {
    static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = 1024};
    CLEANUP(wire_document_done) struct wire_document tape = {0};
    struct error error;
    bool valid = false;
    cr_assert_eq(wire_document_parse(&tape, payload, &LIMITS, &error), OK, "%s", error.message);
    enum status status =
        validate_run(subject->program, subject->context, (struct wire_value){&tape, 0}, &valid, &error);
    cr_assert_eq(status, OK, "%s", error.message);
    return valid;
}

static void confirm(struct pair *pair) {
    bool has_no = false;
    for (uint32_t i = 0; i < pair->report.count; i++) {
        struct compatible_difference difference = compatible_report_at(&pair->report, i);
        cr_expect_neq(difference.answer, COMPATIBLE_YES);
        cr_expect(difference.message.size > 0 && strlen(difference.kind) > 0);
        cr_expect(bytes_present(difference.writer_path) && bytes_present(difference.reader_path));
        cr_expect_eq(difference.answer == COMPATIBLE_NO, bytes_present(difference.witness));
        if (bytes_present(difference.witness)) {
            has_no = true;
            cr_expect(accepts(&pair->writer, difference.witness), "the writer refuses the witness of %s",
                      difference.kind);
            cr_expect(!accepts(&pair->reader, difference.witness), "the reader accepts the witness of %s",
                      difference.kind);
        }
    }
    cr_expect_eq(pair->answer == COMPATIBLE_NO, has_no);
    cr_expect_eq(pair->answer == COMPATIBLE_YES, pair->report.count == 0);
}

enum status pair_check(struct pair *pair, enum compatible_content content) {
    struct compatible_side writer = {json_root(&pair->writer.schema), &pair->writer.options, pair->writer.program};
    struct compatible_side reader = {json_root(&pair->reader.schema), &pair->reader.options, pair->reader.program};
    compatible_report_done(&pair->report);
    enum status status =
        compatible_check(&writer, &reader, content, pair->writer.context, &pair->answer, &pair->report, &pair->error);
    if (status == OK) {
        confirm(pair);
    }
    return status;
}

enum compatible_answer compare(const char *writer, const char *reader, enum compatible_content content) {
    CLEANUP(pair_done) struct pair pair;
    pair_init(&pair);
    pair_compile(&pair, writer, reader);
    enum status status = pair_check(&pair, content);
    cr_assert_eq(status, OK, "%s: %s / %s", pair.error.message, writer, reader);
    return pair.answer;
}

static void expect_answer(struct pair *pair, const char *writer, const char *reader, enum compatible_answer answer,
                          struct buffer *text) {
    pair_init(pair);
    pair_compile(pair, writer, reader);
    enum status status = pair_check(pair, COMPATIBLE_STRICT);
    cr_assert_eq(status, OK, "%s: %s / %s", pair->error.message, writer, reader);
    cr_expect_eq(pair->answer, answer, "%s is read by %s: %s, not %s%s", writer, reader,
                 compatible_answer_name(pair->answer), compatible_answer_name(answer),
                 print_report(&pair->report, text));
}

void expect_yes(const char *writer, const char *reader) {
    CLEANUP(pair_done) struct pair pair;
    CLEANUP(buffer_done) struct buffer text = {0};
    expect_answer(&pair, writer, reader, COMPATIBLE_YES, &text);
}

static bool is_it(const struct compatible_difference *difference, const char *kind, const char *writer_path,
                  const char *reader_path, const char *witness) {
    CLEANUP(buffer_done) struct buffer text = {0};
    if (bytes_present(difference->witness)) {
        print_witness(difference->witness, &text);
    }
    return strcmp(difference->kind, kind) == 0 && bytes_equal_string(difference->writer_path, writer_path) &&
           bytes_equal_string(difference->reader_path, reader_path) &&
           (witness == NULL || bytes_equal_string(buffer_view(&text), witness));
}

void expect_no(const char *writer, const char *reader, const char *kind, const char *writer_path,
               const char *reader_path, const char *witness) {
    CLEANUP(pair_done) struct pair pair;
    CLEANUP(buffer_done) struct buffer text = {0};
    bool found = false;
    expect_answer(&pair, writer, reader, COMPATIBLE_NO, &text);
    for (uint32_t i = 0; i < pair.report.count; i++) {
        struct compatible_difference difference = compatible_report_at(&pair.report, i);
        found = found ||
                (difference.answer == COMPATIBLE_NO && is_it(&difference, kind, writer_path, reader_path, witness));
    }
    cr_expect(found, "%s is read by %s: expected %s '%s' '%s' %s, not%s", writer, reader, kind, writer_path,
              reader_path, witness, print_report(&pair.report, &text));
}

void expect_unknown(const char *writer, const char *reader, const char *kind) {
    CLEANUP(pair_done) struct pair pair;
    CLEANUP(buffer_done) struct buffer text = {0};
    bool found = false;
    expect_answer(&pair, writer, reader, COMPATIBLE_UNKNOWN, &text);
    for (uint32_t i = 0; i < pair.report.count; i++) {
        found = found || strcmp(compatible_report_at(&pair.report, i).kind, kind) == 0;
    }
    cr_expect(found, "%s is read by %s: expected %s, not%s", writer, reader, kind, print_report(&pair.report, &text));
}
