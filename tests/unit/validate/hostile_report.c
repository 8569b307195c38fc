/* hostile_report.c: payloads made to be slow to explain: it ends soon, and what the report has is true. */
#include "support.h"

enum { STEPS_MAX = 1000000 };

static void open_subject(struct subject *subject, const char *schema) {
    subject_init(subject);
    subject->options.limits.validation_steps_max = STEPS_MAX;
    cr_assert_eq(subject_compile(subject, schema), OK, "%s", subject->error.message);
}

static enum status explain(struct subject *subject, const struct json *payload) {
    bool valid = false;
    cr_assert_eq(validate_run(subject->program, subject->context, json_root(payload), &valid, &subject->error), OK);
    cr_expect(!valid);
    valid = true;
    enum status status = validate_explain(subject->program, subject->context, json_root(payload), &valid,
                                          &subject->report, &subject->error);
    cr_expect(status == TOO_LARGE || (status == OK && !valid), "%s", subject->error.message);
    cr_expect_leq(subject->report.text.size, subject->options.limits.failures_size_max);
    return status;
}

/* Each failure of a branch, forgotten at once, would be written with the whole key: 10 GB and more. */
Test(validate_hostile_report, long_paths_cost_steps) {
    static const size_t SIZES[] = {50000, 500000};
    for (int i = 0; i < 2; i++) {
        CLEANUP(subject_done) struct subject subject;
        CLEANUP(json_done) struct json payload;
        CLEANUP(buffer_done) struct buffer text = {0};
        open_subject(&subject, "{'additionalProperties': {'items': {'anyOf': [{'type': 'null'}, true]}}, "
                               "'maxProperties': 0}");
        printed(&text, "{'");
        printed_run(&text, 'k', SIZES[i]);
        printed(&text, "': [");
        for (int element = 0; element < 30000; element++) {
            printed(&text, "%s1", element > 0 ? "," : "");
        }
        printed(&text, "]}");
        json_open(&payload, (const char *)text.data);
        /* A path that the report has no room for is not written at all. */
        cr_expect_eq(explain(&subject, &payload), SIZES[i] == 50000 ? TOO_LARGE : OK);
    }
}

/* 2^24 explanations of branches that are forgotten, where the verdict took a few steps. */
Test(validate_hostile_report, a_report_cut_by_a_limit_has_no_failures_of_branches_that_may_hold) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json payload;
    CLEANUP(buffer_done) struct buffer text = {0};
    printed(&text, "{'maxItems': 0, '$ref': '#/$defs/d0', '$defs': {");
    for (int i = 0; i < 24; i++) {
        printed(&text,
                "'d%d': {'allOf': [{'anyOf': [{'$ref': '#/$defs/d%d'}, true]}, {'anyOf': [{'$ref': '#/$defs/d%d'}, "
                "true]}, false]},",
                i, i + 1, i + 1);
    }
    open_subject(&subject, printed(&text, "'d24': {'type': 'null'}}}"));
    json_open(&payload, "[1]");
    cr_expect_eq(explain(&subject, &payload), TOO_LARGE);
    cr_expect(subject.report.truncated);
    cr_assert_eq(subject.report.count, 1);
    struct validate_failure failure = validate_report_at(&subject.report, 0);
    cr_expect_str_eq(failure.code, "maxItems");
}
