/* model.c: payloads that JSON could not be: refused with code, path and offset; let through where a program is
 * extended. */
#include "support.h"

struct refusal {
    const char *bytes; /* msgpack */
    size_t size;
    const char *path;
    uint32_t offset;
    const char *fragment;
    bool extended_too;
};

#define RAW(text) text, sizeof(text) - 1

static const struct refusal REFUSALS[] = {
    {RAW("\xC4\x01x"), "", 0, "binary data", false},
    {RAW("\x92\x01\xD4\x05x"), "/1", 2, "an extension value", false},
    {RAW("\x81\xA1"
         "a\xCB\x7F\xF8\x00\x00\x00\x00\x00\x00"),
     "/a", 3, "finite", false},
    {RAW("\x91\xCA\x7F\x80\x00\x00"), "/0", 1, "finite", false},
    {RAW("\x81\xA1"
         "m\x81\x01\x02"),
     "/m", 4, "strings as keys (got 1)", false},
    {RAW("\x82\xA1"
         "a\x01\xA1"
         "a\x02"),
     "", 4, "each key once (got \"a\")", false},
    {RAW("\x91\xA2\xC3\x28"), "/0", 1, "UTF-8", true},
};

static void run(const struct refusal *refusal, bool extended) {
    CLEANUP(subject_done) struct subject subject;
    struct wire_document document = {0};
    const struct wire_limits limits = {.size_max = 1 << 20, .depth_max = 10};
    bool valid = false;
    subject_init(&subject);
    subject.options.extended = extended;
    cr_assert_eq(subject_compile(&subject, "true"), OK);
    struct bytes bytes = {(const uint8_t *)refusal->bytes, refusal->size};
    cr_assert_eq(wire_document_parse(&document, bytes, &limits, &subject.error), OK, "%s", subject.error.message);
    cr_assert_eq(subject_run(&subject, (struct wire_value){&document, 0}, &valid), OK);
    cr_expect_eq(valid, extended && !refusal->extended_too);
    if (!valid) {
        struct validate_failure failure = validate_report_at(&subject.report, 0);
        cr_expect(bytes_equal_string(failure.instance_path, refusal->path), "%.*s",
                  BYTES_FORMAT(failure.instance_path));
        cr_expect_str_eq(failure.code, "model");
        cr_expect_eq(failure.offset, refusal->offset, "%u for %s", failure.offset, refusal->fragment);
        CLEANUP(buffer_done) struct buffer message = {0};
        cr_assert(buffer_append(&message, failure.message.data, failure.message.size) &&
                  buffer_append(&message, "", 1));
        cr_expect_not_null(strstr((const char *)message.data, refusal->fragment), "%s", (const char *)message.data);
    }
    wire_document_done(&document);
}

Test(validate_model, what_json_lacks_is_refused_unless_the_program_is_extended) {
    for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++) {
        run(&REFUSALS[i], false);
        run(&REFUSALS[i], true);
    }
}

Test(validate_model, keys_that_come_twice_are_found_in_wide_maps) {
    static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = 10};
    CLEANUP(buffer_done) struct buffer bytes = {0};
    CLEANUP(subject_done) struct subject subject;
    struct wire_document document = {0};
    bool valid = true;
    cr_assert(buffer_append(&bytes, "\xDE\x00\x65", 3));
    for (int i = 0; i <= 100; i++) {
        uint8_t pair[4] = {0xA2, (uint8_t)('a' + i % 100 / 10), (uint8_t)('0' + i % 10), (uint8_t)i};
        cr_assert(buffer_append(&bytes, pair, sizeof pair));
    }
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, "{'type': 'object'}"), OK);
    cr_assert_eq(wire_document_parse(&document, buffer_view(&bytes), &LIMITS, &subject.error), OK);
    cr_assert_eq(subject_run(&subject, (struct wire_value){&document, 0}, &valid), OK);
    cr_expect(!valid);
    wire_document_done(&document);
}

/* 40 keys of two bytes, each with an array of a number; the last value may be something else. */
static void append_wide_map(struct buffer *bytes, const char *last, size_t last_size) {
    cr_assert(buffer_append(bytes, "\xDE\x00\x28", 3));
    for (int i = 0; i < 40; i++) {
        uint8_t pair[] = {0xA2, (uint8_t)('a' + i / 10), (uint8_t)('0' + i % 10), 0x91, 0x01};
        cr_assert(buffer_append(bytes, pair, i < 39 ? sizeof pair : 3));
    }
    cr_assert(buffer_append(bytes, last, last_size));
}

/* Wide maps are looked at again, and what is in them and around them only where something is noted of it. */
Test(validate_model, faults_are_found_behind_wide_maps_and_within) {
    static const struct {
        const char *last; /* in the map */
        size_t size;
        const char *path; /* of the fault; NULL: there is none */
    } CASES[] = {
        {RAW("\x91\x01"), NULL},
        {RAW("\xC4\x00"), "/1/d9"},
        {RAW("\x91\x91\xA1\xFF"), "/1/d9/0/0"},
        {RAW("\x81\x01\x02"), "/1/d9"},
        {RAW("\x82\xA0\x01\xA0\x02"), "/1/d9"},
    };
    static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = 10};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buffer_done) struct buffer bytes = {0};
        CLEANUP(subject_done) struct subject subject;
        CLEANUP(wire_document_done) struct wire_document document = {0};
        bool valid = false;
        cr_assert(buffer_append(&bytes, "\x92\x91\x81\xA1x\x01", 6));
        append_wide_map(&bytes, CASES[i].last, CASES[i].size);
        subject_init(&subject);
        cr_assert_eq(subject_compile(&subject, "true"), OK);
        cr_assert_eq(wire_document_parse(&document, buffer_view(&bytes), &LIMITS, &subject.error), OK, "%s",
                     subject.error.message);
        cr_assert_eq(subject_run(&subject, (struct wire_value){&document, 0}, &valid), OK);
        cr_expect_eq(valid, CASES[i].path == NULL, "case %zu", i);
        if (!valid) {
            struct validate_failure failure = validate_report_at(&subject.report, 0);
            cr_expect(bytes_equal_string(failure.instance_path, CASES[i].path), "%.*s",
                      BYTES_FORMAT(failure.instance_path));
        }
    }
}
