/* Tests of plugin/wire/metadata.c: what a condition finds, and what equals what. */
#include "support.h"

#include <stdlib.h>

/* Does the metadata hold {pointer: expected}? Given as msgpack. */
static bool holds_bytes(struct bytes metadata, const char *pointer, struct bytes expected) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    CLEANUP(request_done) struct request request = {0};
    struct wire_filter filter;
    wire_put_map(&writer, 1);
    wire_put_text(&writer, "filter");
    wire_put_map(&writer, 1);
    wire_put_text(&writer, "metadata");
    wire_put_map(&writer, 1);
    wire_put_text(&writer, pointer);
    wire_put_raw(&writer, expected);
    request_open(&request, buffer_view(&writer.buffer));
    enum status status = wire_decode_filter(&request.map, "filter", &filter, &request.error);
    cr_assert_eq(status, OK, "%s", request.error.message);
    /* Exactly its size, so that a sanitizer sees what is read beyond it. */
    uint8_t *copy = malloc(metadata.size);
    if (metadata.size > 0) {
        memcpy(copy, metadata.data, metadata.size);
    }
    bool holds = filter.filter.metadata.holds(filter.filter.metadata.context,
                                              (struct bytes){.data = copy, .size = metadata.size});
    free(copy);
    return holds;
}

static bool holds(const char *metadata_json, const char *pointer, const char *expected_json) {
    CLEANUP(wire_writer_done) struct wire_writer metadata = {0};
    CLEANUP(wire_writer_done) struct wire_writer expected = {0};
    put_json(&metadata, metadata_json);
    put_json(&expected, expected_json);
    return holds_bytes(buffer_view(&metadata.buffer), pointer, buffer_view(&expected.buffer));
}

Test(metadata, pointers_find_values_through_maps_and_arrays) {
    const struct {
        const char *metadata;
        const char *pointer;
        const char *expected;
        bool holds;
    } cases[] = {
        {"{'a': 1}", "/a", "1", true},
        {"{'a': 1}", "/b", "1", false},
        {"{'a': 1}", "", "{'a': 1}", true},
        {"{'a': {'b': {'c': 'x'}}}", "/a/b/c", "'x'", true},
        {"{'a': {'b': 1}}", "/a/b/c", "1", false},
        {"{'a': [10, 20, 30]}", "/a/2", "30", true},
        {"{'a': [10, 20, 30]}", "/a/3", "30", false},
        {"{'a': [10, 20, 30]}", "/a/02", "30", false},
        {"{'a': [10, 20, 30]}", "/a/-", "30", false},
        {"{'a': [10, 20, 30]}", "/a/", "10", false},
        {"{'a': [10, 20, 30]}", "/a/4294967296", "10", false},
        {"{'a': [10, 20, 30]}", "/a/99999999999999999999", "10", false},
        {"{'0': 'zero'}", "/0", "'zero'", true},
        {"{'a/b': 1}", "/a~1b", "1", true},
        {"{'a~b': 1}", "/a~0b", "1", true},
        {"{'a~1b': 1}", "/a~01b", "1", true},
        {"{'a/': 1}", "/a~1", "1", true},
        {"{'': 1}", "/", "1", true},
        {"{'': {'': 1}}", "//", "1", true},
        {"{'ab': 1}", "/a", "1", false},
        {"{'a': 1}", "/ab", "1", false},
        {"{'x': {'a': 2}, 'a': 1}", "/a", "1", true},
        {"{}", "/a", "null", false},
        {"{'a': null}", "/a", "null", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool actual = holds(cases[i].metadata, cases[i].pointer, cases[i].expected);
        cr_expect_eq(actual, cases[i].holds, "%s at '%s' = %s", cases[i].metadata, cases[i].pointer, cases[i].expected);
    }
}

Test(metadata, values_are_equal_by_value) {
    const struct {
        const char *actual;
        const char *expected;
        bool equal;
    } cases[] = {
        {"1", "1", true},
        {"1", "1.0", true},
        {"1.0", "1", true},
        {"1.5", "1.5", true},
        {"1.5", "1", false},
        {"1", "2", false},
        {"-1", "-1.0", true},
        {"0.0", "-0.0", true},
        {"9007199254740993", "9007199254740992.0", false}, /* 2^53 + 1 is no double */
        {"9223372036854775807", "9223372036854775808.0", false},
        {"-9223372036854775808", "-9223372036854775808.0", true},
        {"1", "true", false},
        {"true", "true", true},
        {"true", "false", false},
        {"'a'", "'a'", true},
        {"'a'", "'b'", false},
        {"'a'", "'ab'", false},
        {"'1'", "1", false},
        {"''", "''", true},
        {"''", "null", false},
        {"null", "null", true},
        {"false", "null", false},
        {"[]", "[]", true},
        {"[]", "{}", false},
        {"{}", "{}", true},
        {"{}", "null", false},
        {"[1, [2, 'x'], 3]", "[1, [2.0, 'x'], 3]", true},
        {"[1, [2, 'x'], 3]", "[1, [2, 'x'], 4]", false},
        {"[1, 2]", "[2, 1]", false},
        {"[1, 2]", "[1]", false},
        {"{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", true},
        {"{'a': 1, 'b': 2, 'c': 3}", "{'c': 3, 'b': 2, 'a': 1}", true},
        {"{'a': 1, 'b': 2}", "{'a': 1}", false},
        {"{'a': 1}", "{'a': 1, 'b': 2}", false},
        {"{'a': 1, 'b': 2}", "{'a': 1, 'c': 2}", false},
        {"{'a': {'x': [1, {'y': 2}]}, 'b': []}", "{'b': [], 'a': {'x': [1, {'y': 2}]}}", true},
        {"{'a': {'x': [1, {'y': 2}]}, 'b': []}", "{'b': [], 'a': {'x': [1, {'y': 3}]}}", false},
        {"[[], [[]], {}]", "[[], [[]], {}]", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char metadata[256];
        snprintf(metadata, sizeof metadata, "{'v': %s}", cases[i].actual);
        cr_expect_eq(holds(metadata, "/v", cases[i].expected), cases[i].equal, "%s = %s", cases[i].actual,
                     cases[i].expected);
    }
}

Test(metadata, msgpack_only_values_are_equal_by_value) {
    const struct {
        struct bytes actual; /* the value of "v" */
        struct bytes expected;
        bool equal;
    } cases[] = {
        {BYTES_OF(0xCC, 0x01), BYTES_OF(0x01), true},                   /* wider integer */
        {BYTES_OF(0xD9, 0x01, 'a'), BYTES_OF(0xA1, 'a'), true},         /* wider string */
        {BYTES_OF(0xDC, 0, 1, 0x05), BYTES_OF(0x91, 0xCC, 0x05), true}, /* wider array */
        {BYTES_OF(0xCA, 0x3F, 0x80, 0, 0), BYTES_OF(0x01), true},       /* float 1 */
        {BYTES_OF(0xC4, 1, 'a'), BYTES_OF(0xA1, 'a'), false},           /* bin is no str */
        {BYTES_OF(0xC4, 1, 'a'), BYTES_OF(0xC5, 0, 1, 'a'), true},
        {BYTES_OF(0xD4, 1, 'a'), BYTES_OF(0xC7, 1, 1, 'a'), true},
        {BYTES_OF(0xD4, 1, 'a'), BYTES_OF(0xD4, 2, 'a'), false}, /* other ext type */
        {BYTES_OF(0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0), BYTES_OF(0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0), false}, /* NaN */
        {BYTES_OF(0xCF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), BYTES_OF(0xFF), false}, /* 2^64-1, -1 */
        {BYTES_OF(0xCF, 0x80, 0, 0, 0, 0, 0, 0, 0), BYTES_OF(0xCB, 0x43, 0xE0, 0, 0, 0, 0, 0, 0), true}, /* 2^63 */
        {BYTES_OF(0xCB, 0x43, 0xF0, 0, 0, 0, 0, 0, 0), BYTES_OF(0xCF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF),
         false},                                                              /* 2^64 */
        {BYTES_OF(0x81, 0x01, 0x02), BYTES_OF(0x81, 0xCC, 0x01, 0x02), true}, /* integer keys */
        {BYTES_OF(0x81, 0x90, 0x02), BYTES_OF(0x81, 0x01, 0x02), false},      /* an array as key */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(wire_writer_done) struct wire_writer metadata = {0};
        wire_put_map(&metadata, 1);
        wire_put_text(&metadata, "v");
        wire_put_raw(&metadata, cases[i].actual);
        bool equal = holds_bytes(buffer_view(&metadata.buffer), "/v", cases[i].expected);
        cr_expect_eq(equal, cases[i].equal, "case %zu", i);
    }
}

Test(metadata, the_first_of_duplicate_keys_counts) {
    struct bytes metadata = BYTES_OF(0x82, 0xA1, 'a', 0x01, 0xA1, 'a', 0x02);
    cr_expect(holds_bytes(metadata, "/a", BYTES_OF(0x01)));
    cr_expect_not(holds_bytes(metadata, "/a", BYTES_OF(0x02)));
    cr_expect_not(holds_bytes(metadata, "", BYTES_OF(0x82, 0xA1, 'a', 0x01, 0xA1, 'b', 0x02)));
}

Test(metadata, an_event_without_metadata_holds_nothing) {
    CLEANUP(request_done) struct request request = {0};
    struct wire_filter filter;
    request_from_json(&request, "{'filter': {'metadata': {'': {}}}}");
    cr_assert_eq(wire_decode_filter(&request.map, "filter", &filter, &request.error), OK);
    cr_expect_not(wire_metadata_holds(filter.filter.metadata.context, (struct bytes){0}));
}

Test(metadata, every_condition_must_hold) {
    CLEANUP(request_done) struct request request = {0};
    CLEANUP(wire_writer_done) struct wire_writer metadata = {0};
    struct wire_filter filter;
    request_from_json(&request, "{'filter': {'metadata': {'/a': 1, '/b': 2}}}");
    cr_assert_eq(wire_decode_filter(&request.map, "filter", &filter, &request.error), OK);
    put_json(&metadata, "{'a': 1, 'b': 2}");
    cr_expect(wire_metadata_holds(&filter.conditions, buffer_view(&metadata.buffer)));
    wire_rollback(&metadata, 0);
    put_json(&metadata, "{'a': 1, 'b': 3}");
    cr_expect_not(wire_metadata_holds(&filter.conditions, buffer_view(&metadata.buffer)));
}

Test(metadata, damaged_bytes_hold_nothing) {
    CLEANUP(wire_writer_done) struct wire_writer metadata = {0};
    put_json(&metadata, "{'x': [1, 2, {'y': 'zzzz'}], 'a': {'b': [1, 2, 'three']}}");
    struct bytes whole = buffer_view(&metadata.buffer);
    struct bytes expected = BYTES_OF(0x81, 0xA1, 'b', 0x93, 0x01, 0x02, 0xA5, 't', 'h', 'r', 'e', 'e');
    cr_expect(holds_bytes(whole, "/a", expected));
    for (size_t size = 0; size < whole.size; size++) {
        cr_expect_not(holds_bytes((struct bytes){whole.data, size}, "/a", expected), "%zu bytes", size);
    }
}

static void expect_condition_refused(struct bytes expected, enum status wanted, const char *message) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    CLEANUP(request_done) struct request request = {0};
    struct wire_filter filter;
    wire_put_map(&writer, 1);
    wire_put_text(&writer, "filter");
    wire_put_map(&writer, 1);
    wire_put_text(&writer, "metadata");
    wire_put_map(&writer, 1);
    wire_put_text(&writer, "/a");
    wire_put_raw(&writer, expected);
    request_open(&request, buffer_view(&writer.buffer));
    enum status status = wire_decode_filter(&request.map, "filter", &filter, &request.error);
    expect_error(&request.error, status, wanted, "/filter/metadata/~1a", message);
    cr_expect_null(filter.filter.metadata.holds);
}

Test(metadata, values_that_cannot_be_compared_in_bounds_are_refused) {
    uint8_t large[4097] = {0xC5, 0x0F, 0xFE};
    expect_condition_refused((struct bytes){large, sizeof large}, TOO_LARGE, "is 4097 bytes, it may be up to 4096");
    uint8_t deep[33];
    memset(deep, 0x91, 32);
    deep[32] = 0x90;
    expect_condition_refused((struct bytes){deep, 33}, TOO_LARGE, "nested deeper than 32");
    expect_condition_refused(BYTES_OF(0x82, 0xA1, 'k', 0x01, 0xD9, 0x01, 'k', 0x02), INVALID, "a map with a key twice");
    expect_condition_refused(BYTES_OF(0x81, 0x90, 0x01), INVALID, "an array or a map as key");
}

Test(metadata, nesting_up_to_the_limit_is_compared) {
    CLEANUP(wire_writer_done) struct wire_writer metadata = {0};
    uint8_t deep[32];
    memset(deep, 0x91, 31);
    deep[31] = 0x90;
    wire_put_map(&metadata, 1);
    wire_put_text(&metadata, "a");
    wire_put_raw(&metadata, (struct bytes){deep, 32});
    cr_expect(holds_bytes(buffer_view(&metadata.buffer), "/a", (struct bytes){deep, 32}));
    cr_expect_not(holds_bytes(buffer_view(&metadata.buffer), "/a", (struct bytes){deep + 1, 31}));
}
