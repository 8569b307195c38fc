/* validation_test.c: the payloads of validations are what they are said to be, and their schemas no formality. */
#include "bench/validation.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cli.h"
#include "message/message.h"

/* Sizes that are promised, give or take a tenth or so. */
static const size_t SIZES[VALIDATION_CASE_COUNT][2] = {{100, 120}, {180, 220}, {360, 440}, {950, 1100}, {3800, 4200}};

static void check_validation(const json_t *cases) {
    static const char *const FIGURES[] = {"tape_ns", "tape_mb_s",    "evaluate_ns", "both_ns",
                                          "ratio",   "msgpack_c_ns", "spread"};
    cr_assert_eq(json_array_size(cases), (size_t)VALIDATION_CASE_COUNT);
    for (size_t i = 0; i < VALIDATION_CASE_COUNT; i++) {
        const json_t *each = json_array_get(cases, i);
        json_int_t size = json_integer_value(json_object_get(each, "bytes"));
        cr_expect_str_eq(json_string_value(json_object_get(each, "payload")), VALIDATION_CASES[i].name);
        cr_expect((size_t)size >= SIZES[i][0] && (size_t)size <= SIZES[i][1], "%lld bytes", (long long)size);
        for (size_t k = 0; k < sizeof FIGURES / sizeof FIGURES[0]; k++) {
            cr_expect(json_is_real(json_object_get(each, FIGURES[k])), "%s", FIGURES[k]);
        }
        cr_expect_gt(json_real_value(json_object_get(each, "both_ns")), 0);
        cr_expect_gt(json_real_value(json_object_get(each, "msgpack_c_ns")), 0);
    }
}

Test(bench_validation, payloads_of_validations_are_the_same_each_time_and_as_large_as_promised) {
    for (size_t i = 0; i < VALIDATION_CASE_COUNT; i++) {
        json_auto_t *once = VALIDATION_CASES[i].payload();
        json_auto_t *again = VALIDATION_CASES[i].payload();
        uint8_t *data = NULL;
        size_t size = 0;
        struct failure failure;
        cr_assert(message_pack(once, &data, &size, &failure), "%s", failure.message);
        free(data);
        cr_expect(json_equal(once, again));
        cr_expect(size >= SIZES[i][0] && size <= SIZES[i][1], "%s: %zu bytes", VALIDATION_CASES[i].name, size);
    }
}

/* Without its first property, or with one of another kind, no payload is valid: the schemas do look at it. */
Test(bench_validation, schemas_of_validations_are_no_formality, .init = cli_enter, .fini = cli_leave) {
    for (size_t i = 0; i < VALIDATION_CASE_COUNT; i++) {
        json_auto_t *payload = VALIDATION_CASES[i].payload();
        json_auto_t *lacking = json_deep_copy(payload);
        const char *first = json_object_iter_key(json_object_iter(payload));
        cr_assert_eq(json_object_del(lacking, first), 0);
        cr_assert_eq(json_object_set_new(payload, first, json_pack("{s: i}", "some", 1)), 0);
        char *texts[2] = {json_dumps(lacking, 0), json_dumps(payload, 0)};
        cli_file("schema.json", VALIDATION_CASES[i].schema);
        for (size_t k = 0; k < 2; k++) {
            cli_file("payload.json", texts[k]);
            free(texts[k]);
            CLEANUP(result_done)
            struct result result = RUN_FOR(1, NULL, "schema", "validate", "--schema", "schema.json", "payload.json");
            cli_contains(result.out, first);
        }
    }
}

Test(bench_validation, alone_gives_no_other_figures, .init = cli_enter, .fini = cli_leave) {
    CLEANUP(result_done)
    struct result result = RUN_FOR(0, NULL, "bench", "--validation", "--quick", "--runs", "1", "--json");
    json_auto_t *object = json_loads(result.out, 0, NULL);
    check_validation(json_object_get(object, "validation"));
    cr_expect_eq(json_array_size(json_object_get(object, "workloads")), 0u);
    cr_expect_eq(json_array_size(json_object_get(object, "stores")), 0u);

    CLEANUP(result_done)
    struct result table = RUN_FOR(0, NULL, "bench", "--validation", "--quick", "--runs", "1");
    cli_contains(table.out, "validation            bytes  tape ns  tape MB/s  evaluation ns  both ns  msgpack-c ns  ");
    cli_contains(table.out, "\nnode event ");
    cr_expect_null(strstr(table.out, "bare SQLite"));
}
