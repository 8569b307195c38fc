/* allocation.c: each allocation fails once: NO_MEMORY is told, nothing leaks; and a payload like the last one needs
 * none. */
#include "support.h"

#include "failing_allocations.h"

static const char SCHEMA[] =
    "{'$id': 'http://x/a', 'type': 'object', 'properties': {'id': {'type': 'string', 'minLength': 1}, 'list': "
    "{'items': "
    "{'$ref': '#/$defs/n'}, 'uniqueItems': true}, 'k': {'enum': [1, 'a', [2]]}, 'w': {'type': 'number', 'minimum': 0}, "
    "'t': {'$ref': 'other#x'}}, 'patternProperties': {'^p': {'const': {'a': 1}}}, 'required': ['id'], "
    "'dependentRequired': {'k': ['id']}, 'anyOf': [{'properties': {'x': true}}, {'required': ['k']}], "
    "'unevaluatedProperties': false, '$defs': {'n': {'type': 'integer', 'maximum': 9}, 'o': {'$id': 'other', "
    "'$dynamicAnchor': 'x', 'oneOf': [{'type': 'null'}, {'items': {'$dynamicRef': '#x'}}]}}}";
static const char VALID[] =
    "{'id': 'n', 'list': [1, 2, 3, 4, 5, 6, 7, 8], 'k': [2.0], 'w': 0.5, 't': [[], [[]]], 'p1': {'a': 1}, 'x': 1}";
static const char INVALID_PAYLOAD[] = "{'id': '', 'list': [1, 10], 'k': 2, 'w': -0.5, 't': [1], 'p1': 0, 'y': 1}";

static enum status attempt(const struct json *schema, const struct json *payload, uint32_t *ret_count,
                           struct error *error) {
    CLEANUP(validate_report_done) struct validate_report report = {0};
    CLEANUP(validate_program_freep) struct validate_program *program = NULL;
    CLEANUP(validate_context_freep) struct validate_context *context = validate_context_new(7);
    struct validate_options options;
    bool valid;
    validate_options_init(&options);
    if (context == NULL) {
        return error_set(error, NO_MEMORY, "no memory");
    }
    enum status status = validate_compile(json_root(schema), &options, &program, NULL, error);
    if (status == OK) {
        status = validate_run(program, context, json_root(payload), &valid, error);
    }
    if (status == OK) {
        status = validate_explain(program, context, json_root(payload), &valid, &report, error);
    }
    /* A report that memory ran out for is cut, and says so. */
    *ret_count = report.count;
    return status == OK && report.truncated ? NO_MEMORY : status;
}

Test(validate_allocation, every_failure_is_told_and_nothing_leaks) {
    CLEANUP(json_done) struct json schema;
    CLEANUP(json_done) struct json payload;
    json_open(&schema, SCHEMA);
    json_open(&payload, INVALID_PAYLOAD);
    struct error error = {0};
    uint32_t failures = 0;
    uint32_t all = 0;
    cr_assert_eq(attempt(&schema, &payload, &all, &error), OK);
    for (int n = 1;; n++) {
        allocations_fail_at(n, false);
        enum status status = attempt(&schema, &payload, &failures, &error);
        bool has_fired = allocations_failed() > 0;
        allocations_fail_at(0, false);
        if (!has_fired) {
            cr_expect_eq(status, OK, "%s", error.message);
            cr_expect_gt(n, 300, "only %d allocations were seen", n - 1);
            return;
        }
        if (status == OK && failures == all) {
            continue; /* it was for a failure that did not count in the end: of a branch of anyOf */
        }
        cr_assert_eq(status, NO_MEMORY, "allocation %d: %s %s", n, status_name(status), error.message);
    }
}

Test(validate_allocation, a_payload_like_the_last_one_needs_none) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json payload;
    bool valid = false;
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, SCHEMA), OK, "%s", subject.error.message);
    json_open(&payload, VALID);
    cr_assert_eq(subject_run(&subject, json_root(&payload), &valid), OK);
    char line[400] = "";
    if (!valid) {
        struct validate_failure failure = validate_report_at(&subject.report, 0);
        validate_failure_print(&failure, line, sizeof line);
    }
    cr_assert(valid, "%s", line);
    unsigned before = allocations_made();
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(validate_run(subject.program, subject.context, json_root(&payload), &valid, &subject.error), OK);
    }
    cr_expect_eq(allocations_made(), before);
}

/* From bytes to verdict, as a store does it with one event after the other. */
Test(validate_allocation, valid_events_need_none_once_context_and_document_are_warm) {
    static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = 64};
    static const char *const EVENTS[] = {
        VALID,
        "{'id': 'other', 'list': [8, 7, 6, 5, 4, 3, 2, 1], 'k': 'a', 't': [[[]]], 'x': 2}",
        "{'id': '\u00e4', 'list': [], 'k': 1, 'p2': {'a': 1.0}}",
    };
    enum { COUNT = sizeof EVENTS / sizeof EVENTS[0] };
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(wire_document_done) struct wire_document document = {0};
    struct json events[COUNT];
    unsigned before = 0;
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, SCHEMA), OK, "%s", subject.error.message);
    for (int i = 0; i < COUNT; i++) {
        json_open(&events[i], EVENTS[i]);
    }
    for (int round = 0; round < 3; round++) {
        before = round == 1 ? allocations_made() : before;
        for (int i = 0; i < COUNT; i++) {
            bool valid = false;
            struct bytes bytes = buffer_view(&events[i].bytes);
            cr_assert_eq(wire_document_parse(&document, bytes, &LIMITS, &subject.error), OK);
            struct wire_value payload = {.document = &document, .index = 0};
            cr_assert_eq(validate_run(subject.program, subject.context, payload, &valid, &subject.error), OK);
            cr_expect(valid, "event %d", i);
            wire_document_reset(&document);
        }
    }
    cr_expect_eq(allocations_made(), before);
    for (int i = 0; i < COUNT; i++) {
        json_done(&events[i]);
    }
}
