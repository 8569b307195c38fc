/* Tests of plugin/wire/document.c: each form of each value is read as what it is. */
#include "support.h"

#include <math.h>

static struct wire_value parse(struct request *request, struct bytes input) {
    enum status status = request_parse(request, input, &WIDE_LIMITS);
    cr_assert_eq(status, OK, "%s", request->error.message);
    return (struct wire_value){.document = &request->document};
}

Test(document, integers_of_every_width_are_read) {
    const struct {
        struct bytes input;
        int64_t number;
    } cases[] = {
        {BYTES_OF(0x00), 0},
        {BYTES_OF(0x7F), 127},
        {BYTES_OF(0xE0), -32},
        {BYTES_OF(0xFF), -1},
        {BYTES_OF(0xCC, 0x00), 0},
        {BYTES_OF(0xCC, 0xFF), 255},
        {BYTES_OF(0xCD, 0xFF, 0xFF), 65535},
        {BYTES_OF(0xCE, 0xFF, 0xFF, 0xFF, 0xFF), 4294967295},
        {BYTES_OF(0xCF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), INT64_MAX},
        {BYTES_OF(0xD0, 0x80), -128},
        {BYTES_OF(0xD0, 0x7F), 127},
        {BYTES_OF(0xD1, 0x80, 0x00), -32768},
        {BYTES_OF(0xD2, 0x80, 0x00, 0x00, 0x00), INT32_MIN},
        {BYTES_OF(0xD3, 0x80, 0, 0, 0, 0, 0, 0, 0), INT64_MIN},
        {BYTES_OF(0xD3, 0, 0, 0, 0, 0, 0, 0, 1), 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(request_done) struct request request = {0};
        struct wire_value value = parse(&request, cases[i].input);
        cr_expect_eq(wire_value_kind(value), WIRE_INT, "case %zu", i);
        cr_expect_eq(wire_value_int(value), cases[i].number, "case %zu", i);
    }
}

Test(document, integers_above_int64_are_their_own_kind) {
    CLEANUP(request_done) struct request request = {0};
    struct wire_value value = parse(&request, BYTES_OF(0xCF, 0x80, 0, 0, 0, 0, 0, 0, 0));
    cr_expect_eq(wire_value_kind(value), WIRE_UINT);
    cr_expect_eq(wire_value_uint(value), UINT64_C(1) << 63);
    value = parse(&request, BYTES_OF(0xCF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF));
    cr_expect_eq(wire_value_uint(value), UINT64_MAX);
}

Test(document, floats_of_both_widths_are_read) {
    CLEANUP(request_done) struct request request = {0};
    struct wire_value value = parse(&request, BYTES_OF(0xCA, 0x3F, 0xC0, 0, 0));
    cr_expect_eq(wire_value_kind(value), WIRE_FLOAT);
    cr_expect_float_eq(wire_value_float(value), 1.5, 0);
    value = parse(&request, BYTES_OF(0xCB, 0xC0, 0x04, 0, 0, 0, 0, 0, 0));
    cr_expect_float_eq(wire_value_float(value), -2.5, 0);
    value = parse(&request, BYTES_OF(0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0));
    cr_expect(isnan(wire_value_float(value)));
}

Test(document, nil_and_booleans_are_read) {
    CLEANUP(request_done) struct request request = {0};
    cr_expect_eq(wire_value_kind(parse(&request, BYTES_OF(0xC0))), WIRE_NIL);
    cr_expect_eq(wire_value_bool(parse(&request, BYTES_OF(0xC2))), false);
    cr_expect_eq(wire_value_bool(parse(&request, BYTES_OF(0xC3))), true);
}

Test(document, strings_and_binaries_of_every_width_are_read) {
    const struct {
        struct bytes input;
        enum wire_kind kind;
    } cases[] = {
        {BYTES_OF(0xA2, 'o', 'k'), WIRE_STR},
        {BYTES_OF(0xD9, 2, 'o', 'k'), WIRE_STR},
        {BYTES_OF(0xDA, 0, 2, 'o', 'k'), WIRE_STR},
        {BYTES_OF(0xDB, 0, 0, 0, 2, 'o', 'k'), WIRE_STR},
        {BYTES_OF(0xC4, 2, 'o', 'k'), WIRE_BIN},
        {BYTES_OF(0xC5, 0, 2, 'o', 'k'), WIRE_BIN},
        {BYTES_OF(0xC6, 0, 0, 0, 2, 'o', 'k'), WIRE_BIN},
        {BYTES_OF(0xC7, 2, 0x85, 'o', 'k'), WIRE_EXT},
        {BYTES_OF(0xC8, 0, 2, 0x85, 'o', 'k'), WIRE_EXT},
        {BYTES_OF(0xC9, 0, 0, 0, 2, 0x85, 'o', 'k'), WIRE_EXT},
        {BYTES_OF(0xD5, 0x85, 'o', 'k'), WIRE_EXT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(request_done) struct request request = {0};
        struct wire_value value = parse(&request, cases[i].input);
        cr_expect_eq(wire_value_kind(value), cases[i].kind, "case %zu", i);
        cr_expect(bytes_equal_string(wire_value_payload(value), "ok"), "case %zu", i);
        cr_expect_eq(wire_value_raw(value).size, cases[i].input.size, "case %zu", i);
        if (cases[i].kind == WIRE_EXT) {
            cr_expect_eq(wire_value_ext_type(value), (int8_t)0x85, "case %zu", i);
        }
    }
}

Test(document, fixed_extensions_of_every_size_are_read) {
    for (uint8_t i = 0; i < 5; i++) {
        CLEANUP(request_done) struct request request = {0};
        uint8_t input[18] = {(uint8_t)(0xD4 + i), 7};
        size_t size = (size_t)1 << i;
        struct wire_value value = parse(&request, (struct bytes){.data = input, .size = 2 + size});
        cr_expect_eq(wire_value_ext_type(value), 7);
        cr_expect_eq(wire_value_payload(value).size, size);
    }
}

Test(document, containers_of_every_width_are_read) {
    const struct bytes inputs[] = {
        BYTES_OF(0x91, 0x01),       BYTES_OF(0xDC, 0, 1, 0x01),       BYTES_OF(0xDD, 0, 0, 0, 1, 0x01),
        BYTES_OF(0x81, 0x01, 0x01), BYTES_OF(0xDE, 0, 1, 0x01, 0x01), BYTES_OF(0xDF, 0, 0, 0, 1, 0x01, 0x01),
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        CLEANUP(request_done) struct request request = {0};
        struct wire_value value = parse(&request, inputs[i]);
        cr_expect_eq(wire_value_kind(value), i < 3 ? WIRE_ARRAY : WIRE_MAP, "case %zu", i);
        cr_expect_eq(request.document.items[0].size, 1, "case %zu", i);
    }
}

Test(document, empty_payloads_are_present) {
    CLEANUP(request_done) struct request request = {0};
    cr_expect(bytes_present(wire_value_payload(parse(&request, BYTES_OF(0xA0)))));
    cr_expect(bytes_present(wire_value_payload(parse(&request, BYTES_OF(0xC4, 0)))));
}

Test(document, the_raw_bytes_of_a_value_are_all_of_it_and_no_more) {
    CLEANUP(request_done) struct request request = {0};
    struct wire_value outer = parse(&request, BYTES_OF(0x92, 0x91, 0xA1, 'a', 0x05));
    struct wire_value inner = {.document = outer.document, .index = 1};
    cr_expect(bytes_equal(wire_value_raw(inner), BYTES_OF(0x91, 0xA1, 'a')));
    cr_expect(bytes_equal(wire_value_raw(wire_value_next(inner)), BYTES_OF(0x05)));
    cr_expect_eq(wire_value_raw(outer).size, 5);
}

Test(document, paths_are_json_pointers_with_escapes) {
    const struct wire_path request = {0};
    const struct wire_path events = {.parent = &request, .name = "events"};
    const struct wire_path event = {.parent = &events, .index = 12};
    struct error error;
    error_set(&error, INVALID, "x");

    cr_expect_eq(wire_error_at(&error, &event, "type"), INVALID);
    cr_expect_str_eq(error.path, "/events/12/type");
    (void)wire_error_at(&error, &event, "a/b~c");
    cr_expect_str_eq(error.path, "/events/12/a~1b~0c");
    (void)wire_error_at(&error, &event, NULL);
    cr_expect_str_eq(error.path, "/events/12");
    (void)wire_error_at(&error, &request, NULL);
    cr_expect_str_eq(error.path, "");
    (void)wire_error_at(&error, NULL, "op");
    cr_expect_str_eq(error.path, "/op");
}

Test(document, every_kind_has_a_name) {
    for (int kind = WIRE_NIL; kind <= WIRE_MAP; kind++) {
        cr_expect_str_neq(wire_kind_name((enum wire_kind)kind), "no value");
    }
}
