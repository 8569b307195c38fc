/* Tests of plugin/wire/map.c and field.c: each field is found, checked and accounted for. */
#include "support.h"

#include <math.h>

static enum status open_map(struct request *request, struct bytes input) {
    enum status status = request_parse(request, input, &WIDE_LIMITS);
    cr_assert_eq(status, OK, "%s", request->error.message);
    return wire_map_open(&request->map, (struct wire_value){.document = &request->document}, NULL, &request->error);
}

Test(map, what_is_no_map_is_refused) {
    CLEANUP(request_done) struct request request = {0};
    expect_error(&request.error, open_map(&request, BYTES_OF(0x90)), INVALID, "",
                 "request is an array, it must be a map");
    expect_error(&request.error, open_map(&request, BYTES_OF(0x01)), INVALID, "", "request is an integer");
}

Test(map, keys_that_are_no_strings_are_refused) {
    CLEANUP(request_done) struct request request = {0};
    enum status status = open_map(&request, BYTES_OF(0x82, 0xA1, 'a', 0x01, 0x05, 0x01));
    expect_error(&request.error, status, INVALID, "", "key 2 of the 2 of request is an integer, it must be a string");
    status = open_map(&request, BYTES_OF(0x81, 0xC4, 0x01, 'a', 0x01));
    expect_error(&request.error, status, INVALID, "", "is binary data");
}

Test(map, a_key_twice_is_refused_by_name) {
    CLEANUP(request_done) struct request request = {0};
    enum status status = open_map(&request, BYTES_OF(0x82, 0xA2, 'o', 'p', 0x01, 0xD9, 0x02, 'o', 'p', 0x02));
    expect_error(&request.error, status, INVALID, "/op", "the field \"op\" twice");
}

Test(map, more_than_64_fields_are_refused) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    CLEANUP(request_done) struct request request = {0};
    for (uint32_t count = 64; count <= 65; count++) {
        wire_rollback(&writer, 0);
        wire_put_map(&writer, count);
        for (uint32_t i = 0; i < count; i++) {
            char name[16];
            snprintf(name, sizeof name, "f%u", i);
            wire_put_text(&writer, name);
            wire_put_nil(&writer);
        }
        enum status status = open_map(&request, buffer_view(&writer.buffer));
        cr_expect_eq(status, count == 64 ? OK : INVALID);
    }
    cr_expect_str_eq(request.error.message, "request has 65 fields, it may have 0 to 64");
}

Test(map, a_field_that_was_never_asked_for_is_refused) {
    CLEANUP(request_done) struct request request = {0};
    struct wire_value value;
    request_from_json(&request, "{'op': 'append', 'colour': 'red'}");
    cr_assert(wire_map_find(&request.map, "op", &value));

    enum status status = wire_map_finish(&request.map, "append", &request.error);
    expect_error(&request.error, status, INVALID, "/colour", "append has no field \"colour\"");

    cr_assert(wire_map_find(&request.map, "colour", &value));
    cr_expect_eq(wire_map_finish(&request.map, "append", &request.error), OK);
}

Test(map, a_hostile_unknown_key_is_escaped_and_cut) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    CLEANUP(request_done) struct request request = {0};
    uint8_t key[3000];
    memset(key, '/', sizeof key);
    wire_put_map(&writer, 1);
    wire_put_str(&writer, (struct bytes){.data = key, .size = sizeof key});
    wire_put_nil(&writer);
    request_open(&request, buffer_view(&writer.buffer));

    cr_expect_eq(wire_map_finish(&request.map, "append", &request.error), INVALID);

    cr_expect_eq(strncmp(request.error.path, "/~1~1~1", 7), 0);
    cr_expect_lt(strlen(request.error.path), 150);
}

Test(map, nil_counts_as_absent_and_as_asked_for) {
    CLEANUP(request_done) struct request request = {0};
    request_from_json(&request, "{'limit': null}");
    int64_t limit = 7;

    cr_expect_eq(wire_map_int(&request.map, "limit", OPTIONAL, 0, 10, &limit, &request.error), OK);

    cr_expect_eq(limit, 7);
    cr_expect_eq(wire_map_finish(&request.map, "events", &request.error), OK);
    enum status status = wire_map_int(&request.map, "limit", REQUIRED, 0, 10, &limit, &request.error);
    expect_error(&request.error, status, INVALID, "/limit", "limit is missing");
}

Test(map, integers_out_of_range_are_named_with_value_and_range) {
    CLEANUP(request_done) struct request request = {0};
    const struct {
        const char *json;
        const char *message;
    } cases[] = {
        {"{'limit': -1}", "limit is -1, it may be 0 to 100000"},
        {"{'limit': 100001}", "limit is 100001, it may be 0 to 100000"},
        {"{'limit': -9223372036854775808}", "limit is -9223372036854775808, it may be 0 to 100000"},
        {"{'limit': 1.0}", "limit is a float, it must be an integer"},
        {"{'limit': '1'}", "limit is a string, it must be an integer"},
        {"{'limit': true}", "limit is a boolean, it must be an integer"},
        {"{'limit': []}", "limit is an array, it must be an integer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t limit = 7;
        request_from_json(&request, cases[i].json);
        enum status status = wire_map_int(&request.map, "limit", OPTIONAL, 0, 100000, &limit, &request.error);
        expect_error(&request.error, status, INVALID, "/limit", cases[i].message);
        cr_expect_eq(limit, 7);
    }
    int64_t limit = 7;
    request_open(&request, BYTES_OF(0x81, 0xA5, 'l', 'i', 'm', 'i', 't', 0xCF, 0x80, 0, 0, 0, 0, 0, 0, 0));
    enum status status = wire_map_int(&request.map, "limit", OPTIONAL, 0, INT64_MAX, &limit, &request.error);
    expect_error(&request.error, status, INVALID, "/limit", "limit is 9223372036854775808, it may be 0 to 92");
}

Test(map, integers_at_the_ends_of_the_range_are_taken) {
    CLEANUP(request_done) struct request request = {0};
    int64_t number = 0;
    request_from_json(&request, "{'low': -5, 'high': 5}");
    cr_expect_eq(wire_map_int(&request.map, "low", REQUIRED, -5, 5, &number, &request.error), OK);
    cr_expect_eq(number, -5);
    cr_expect_eq(wire_map_int(&request.map, "high", REQUIRED, -5, 5, &number, &request.error), OK);
    cr_expect_eq(number, 5);
}

Test(map, numbers_take_integers_and_floats_but_no_nan) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    CLEANUP(request_done) struct request request = {0};
    double number = 0;
    request_from_json(&request, "{'a': 2, 'b': 1.5, 'c': 101, 'd': '2'}");
    cr_expect_eq(wire_map_number(&request.map, "a", REQUIRED, 1, 100, &number, &request.error), OK);
    cr_expect_float_eq(number, 2, 0);
    cr_expect_eq(wire_map_number(&request.map, "b", REQUIRED, 1, 100, &number, &request.error), OK);
    cr_expect_float_eq(number, 1.5, 0);
    enum status status = wire_map_number(&request.map, "c", REQUIRED, 1, 100, &number, &request.error);
    expect_error(&request.error, status, INVALID, "/c", "c is 101, it may be 1 to 100");
    status = wire_map_number(&request.map, "d", REQUIRED, 1, 100, &number, &request.error);
    expect_error(&request.error, status, INVALID, "/d", "d is a string, it must be a number");

    const double not_numbers[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    for (size_t i = 0; i < 3; i++) {
        wire_rollback(&writer, 0);
        wire_put_map(&writer, 1);
        wire_put_text(&writer, "a");
        wire_put_float(&writer, not_numbers[i]);
        request_open(&request, buffer_view(&writer.buffer));
        status = wire_map_number(&request.map, "a", REQUIRED, 0, 1, &number, &request.error);
        expect_error(&request.error, status, INVALID, "/a", i == 0 ? "a is NaN" : "inf, it may be 0 to 1");
    }
}

Test(map, names_are_bounded_utf8_without_nul) {
    CLEANUP(request_done) struct request request = {0};
    const struct {
        const char *json;
        const char *message;
    } cases[] = {
        {"{'name': ''}", "name is an empty string, it may be 1 to 4 bytes"},
        {"{'name': 'abcde'}", "name is 5 bytes, it may be 1 to 4"},
        {"{'name': 'a\\u0000b'}", "name is \"a?b\", which contains a NUL"},
        {"{'name': 5}", "name is an integer, it must be a string"},
        {"{}", "name is missing"},
    };
    struct bytes name = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        request_from_json(&request, cases[i].json);
        enum status status = wire_map_name(&request.map, "name", REQUIRED, 4, &name, &request.error);
        expect_error(&request.error, status, INVALID, "/name", cases[i].message);
    }
    request_open(&request, BYTES_OF(0x81, 0xA4, 'n', 'a', 'm', 'e', 0xA2, 'a', 0xFF));
    enum status status = wire_map_name(&request.map, "name", REQUIRED, 4, &name, &request.error);
    expect_error(&request.error, status, INVALID, "/name", "name is \"a?\", which is not valid UTF-8");
    cr_expect_not(bytes_present(name));

    request_from_json(&request, "{'name': '\u00e9\u00e9'}");
    cr_expect_eq(wire_map_name(&request.map, "name", REQUIRED, 4, &name, &request.error), OK);
    cr_expect_eq(name.size, 4);
}

Test(map, texts_may_be_empty) {
    CLEANUP(request_done) struct request request = {0};
    struct bytes text = {0};
    request_from_json(&request, "{'text': '', 'long': 'abcde'}");
    cr_expect_eq(wire_map_text(&request.map, "text", REQUIRED, 4, &text, &request.error), OK);
    cr_expect(bytes_present(text));
    enum status status = wire_map_text(&request.map, "long", REQUIRED, 4, &text, &request.error);
    expect_error(&request.error, status, INVALID, "/long", "long is 5 bytes, it may be 0 to 4");
}

Test(map, booleans_are_booleans_only) {
    CLEANUP(request_done) struct request request = {0};
    bool yes = false;
    request_from_json(&request, "{'yes': true, 'one': 1}");
    cr_expect_eq(wire_map_bool(&request.map, "yes", REQUIRED, &yes, &request.error), OK);
    cr_expect(yes);
    enum status status = wire_map_bool(&request.map, "one", REQUIRED, &yes, &request.error);
    expect_error(&request.error, status, INVALID, "/one", "one is an integer, it must be a boolean");
}

Test(map, choices_are_listed_when_none_fits) {
    CLEANUP(request_done) struct request request = {0};
    static const char *const ORDERS[] = {"asc", "desc", NULL};
    int order = 0;
    request_from_json(&request, "{'order': 'desc', 'other': 'sideways', 'number': 1}");
    cr_expect_eq(wire_map_choice(&request.map, "order", REQUIRED, ORDERS, &order, &request.error), OK);
    cr_expect_eq(order, 1);
    enum status status = wire_map_choice(&request.map, "other", REQUIRED, ORDERS, &order, &request.error);
    expect_error(&request.error, status, INVALID, "/other", "other is \"sideways\", it may be one of: asc, desc");
    status = wire_map_choice(&request.map, "number", REQUIRED, ORDERS, &order, &request.error);
    expect_error(&request.error, status, INVALID, "/number", "number is an integer, it must be a string");
}

static enum status read_time(struct request *request, struct bytes value, int64_t *ret_us) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    wire_put_map(&writer, 1);
    wire_put_text(&writer, "time");
    wire_put_raw(&writer, value);
    request_open(request, buffer_view(&writer.buffer));
    bool is_present = false;
    enum status status = wire_map_time(&request->map, "time", OPTIONAL, &is_present, ret_us, &request->error);
    cr_expect_eq(is_present, status == OK);
    return status;
}

Test(map, times_come_as_integers_or_timestamps) {
    CLEANUP(request_done) struct request request = {0};
    const struct {
        struct bytes input;
        int64_t us;
    } cases[] = {
        {BYTES_OF(0x00), 0},
        {BYTES_OF(0xFF), -1},
        {BYTES_OF(0xD6, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), INT64_C(4294967295000000)},
        /* 64 bits: 999,999,999 ns and 1 s; the nanoseconds are cut */
        {BYTES_OF(0xD7, 0xFF, 0xEE, 0x6B, 0x27, 0xFC, 0, 0, 0, 1), 1999999},
        /* 96 bits: -1 s and 500,000,000 ns */
        {BYTES_OF(0xC7, 12, 0xFF, 0x1D, 0xCD, 0x65, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), -500000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t us = 7;
        enum status status = read_time(&request, cases[i].input, &us);
        cr_expect_eq(status, OK, "case %zu: %s", i, request.error.message);
        cr_expect_eq(us, cases[i].us, "case %zu: %lld", i, (long long)us);
    }
}

Test(map, what_is_no_time_is_refused) {
    CLEANUP(request_done) struct request request = {0};
    const struct {
        struct bytes input;
        const char *message;
    } cases[] = {
        {BYTES_OF(0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0),
         "time is a float, it must be an integer (microseconds)"}, /* NaN */
        {BYTES_OF(0xCA, 0, 0, 0, 0), "time is a float"},
        {BYTES_OF(0xA1, '1'), "time is a string"},
        {BYTES_OF(0xD6, 0x01, 0, 0, 0, 0), "extension value of type 1"},
        {BYTES_OF(0xD5, 0xFF, 0, 0), "type -1 and 2 bytes that is no msgpack timestamp"},
        /* 64 bits with 1,000,000,000 ns */
        {BYTES_OF(0xD7, 0xFF, 0xEE, 0x6B, 0x28, 0x00, 0, 0, 0, 1), "no msgpack timestamp"},
        /* 96 bits beyond any year */
        {BYTES_OF(0xC7, 12, 0xFF, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF),
         "9223372036854775807 seconds"},
        {BYTES_OF(0xC7, 12, 0xFF, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0), "-9223372036854775808 seconds"},
        {BYTES_OF(0xD3, 0x80, 0, 0, 0, 0, 0, 0, 0), "time is -9223372036854775808, it may be -62135596800000000 to"},
        {BYTES_OF(0xCF, 0xFF, 0, 0, 0, 0, 0, 0, 0), "time is 18374686479671623680"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t us = 7;
        enum status status = read_time(&request, cases[i].input, &us);
        expect_error(&request.error, status, INVALID, "/time", cases[i].message);
        cr_expect_eq(us, 7);
    }
}

Test(map, times_reach_from_year_1_to_9999) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    CLEANUP(request_done) struct request request = {0};
    const int64_t times[] = {TIME_US_MIN - 1, TIME_US_MIN, TIME_US_MAX, TIME_US_MAX + 1};
    for (size_t i = 0; i < 4; i++) {
        int64_t us = 0;
        wire_rollback(&writer, 0);
        wire_put_int(&writer, times[i]);
        cr_expect_eq(read_time(&request, buffer_view(&writer.buffer), &us), i == 1 || i == 2 ? OK : INVALID);
    }
}

Test(map, a_raw_map_is_kept_byte_for_byte_with_duplicates_and_any_key) {
    CLEANUP(request_done) struct request request = {0};
    struct bytes raw = {0};
    /* {"data": {1: NaN, 1: 2}} */
    request_open(&request,
                 BYTES_OF(0x81, 0xA4, 'd', 'a', 't', 'a', 0x82, 0x01, 0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0, 0x01, 0x02));
    cr_expect_eq(wire_map_raw_map(&request.map, "data", REQUIRED, 13, &raw, &request.error), OK);
    cr_expect(bytes_equal(raw, BYTES_OF(0x82, 0x01, 0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0, 0x01, 0x02)));
    enum status status = wire_map_raw_map(&request.map, "data", REQUIRED, 12, &raw, &request.error);
    expect_error(&request.error, status, TOO_LARGE, "/data", "data is 13 bytes, it may be up to 12");
    request_from_json(&request, "{'data': []}");
    status = wire_map_raw_map(&request.map, "data", REQUIRED, 12, &raw, &request.error);
    expect_error(&request.error, status, INVALID, "/data", "data is an array, it must be a map");
}

Test(map, arrays_are_walked_element_by_element) {
    CLEANUP(request_done) struct request request = {0};
    request_from_json(&request, "{'list': [1, [2, 3], 4], 'other': 5}");
    bool is_present = false;
    struct wire_value element;
    size_t count = 0;

    enum status status =
        wire_map_array(&request.map, "list", REQUIRED, 3, &is_present, &element, &count, &request.error);

    cr_assert_eq(status, OK);
    cr_assert_eq(count, 3);
    cr_expect_eq(wire_value_int(element), 1);
    element = wire_value_next(wire_value_next(element));
    cr_expect_eq(wire_value_int(element), 4);
    status = wire_map_array(&request.map, "list", REQUIRED, 2, &is_present, &element, &count, &request.error);
    expect_error(&request.error, status, INVALID, "/list", "list has 3 elements, it may have 0 to 2");
    status = wire_map_array(&request.map, "other", REQUIRED, 2, &is_present, &element, &count, &request.error);
    expect_error(&request.error, status, INVALID, "/other", "other is an integer, it must be an array");
    cr_expect_eq(wire_map_array(&request.map, "none", OPTIONAL, 2, &is_present, &element, &count, &request.error), OK);
    cr_expect_not(is_present);
}

Test(map, arrays_of_names_tell_which_element_is_wrong) {
    CLEANUP(request_done) struct request request = {0};
    struct bytes names[2];
    uint32_t count = 7;
    const struct {
        const char *json;
        const char *path;
        const char *message;
    } cases[] = {
        {"{'types': ['a', 5]}", "/types/1", "types[1] is an integer, it must be a string"},
        {"{'types': ['']}", "/types/0", "types[0] is an empty string"},
        {"{'types': ['abcde']}", "/types/0", "types[0] is 5 bytes, it may be 1 to 4"},
        {"{'types': ['a', 'b', 'c']}", "/types", "types has 3 elements, it may have 0 to 2"},
        {"{'types': []}", "/types", "types is an empty array, it may have 1 to 2 elements"},
        {"{'types': 'a'}", "/types", "types is a string, it must be an array"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        request_from_json(&request, cases[i].json);
        enum status status = wire_map_names(&request.map, "types", OPTIONAL, 4, 2, names, &count, &request.error);
        expect_error(&request.error, status, INVALID, cases[i].path, cases[i].message);
        cr_expect_eq(count, 7);
    }
    request_from_json(&request, "{'types': ['a', 'bc']}");
    cr_expect_eq(wire_map_names(&request.map, "types", OPTIONAL, 4, 2, names, &count, &request.error), OK);
    cr_expect_eq(count, 2);
    cr_expect(bytes_equal_string(names[1], "bc"));
}
