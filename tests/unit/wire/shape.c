/* Tests of plugin/wire/shape.c: what is no single bounded msgpack value is refused before anything is allocated for it.
 */
#include "wire/shape.h"

#include "support.h"

#include <stdlib.h>

static void expect_refused(struct bytes input, const struct wire_limits *limits, enum status wanted,
                           const char *fragment) {
    CLEANUP(request_done) struct request request = {0};
    enum status status = request_parse(&request, input, limits);
    expect_error(&request.error, status, wanted, "", fragment);
    cr_expect_null(request.document.items);
}

Test(shape, an_empty_request_is_refused) {
    expect_refused((struct bytes){0}, &WIDE_LIMITS, INVALID, "request is empty: one msgpack map is expected");
    expect_refused(BYTES_LITERAL(""), &WIDE_LIMITS, INVALID, "request is empty: one msgpack map is expected");
}

Test(shape, trailing_bytes_are_refused_with_their_offset) {
    expect_refused(BYTES_OF(0x80, 0x00, 0x00), &WIDE_LIMITS, INVALID,
                   "2 bytes follow the end of the request at offset 1");
}

Test(shape, the_byte_that_msgpack_never_uses_is_refused) {
    expect_refused(BYTES_OF(0x91, 0xC1), &WIDE_LIMITS, INVALID, "byte 0xc1 at offset 1");
}

Test(shape, an_array_header_of_64_gib_in_11_bytes_is_refused) {
    expect_refused(BYTES_OF(0xDF, 0x2A, 0xDF, 0xDF, 0xDF, 0, 0, 0, 0, 0, 0), &WIDE_LIMITS, INVALID,
                   "claims 719314911 pairs, but only 6 bytes follow");
    expect_refused(BYTES_OF(0xDD, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0), &WIDE_LIMITS, INVALID,
                   "claims 4294967295 elements, but only 6 bytes follow");
}

Test(shape, a_map_needs_two_bytes_a_pair) {
    CLEANUP(request_done) struct request request = {0};
    expect_refused(BYTES_OF(0x82, 0xA1, 'a', 0x01), &WIDE_LIMITS, INVALID, "claims 2 pairs, but only 3 bytes follow");
    cr_expect_eq(request_parse(&request, BYTES_OF(0x82, 0x01, 0x01, 0x02, 0x02), &WIDE_LIMITS), OK);
}

Test(shape, payloads_longer_than_the_request_are_refused) {
    expect_refused(BYTES_OF(0xA5, 'a', 'b'), &WIDE_LIMITS, INVALID,
                   "a string at offset 0 of the request claims 5 bytes");
    expect_refused(BYTES_OF(0xDB, 0xFF, 0xFF, 0xFF, 0xFF, 'a'), &WIDE_LIMITS, INVALID, "claims 4294967295 bytes");
    expect_refused(BYTES_OF(0xC6, 0x00, 0x01, 0x00, 0x00, 'a'), &WIDE_LIMITS, INVALID, "binary data");
    expect_refused(BYTES_OF(0xC9, 0x00, 0x01, 0x00, 0x00, 0xFF), &WIDE_LIMITS, INVALID, "an extension value");
    expect_refused(BYTES_OF(0xD8, 0x01, 0, 0, 0), &WIDE_LIMITS, INVALID, "claims 16 bytes, but only 3 follow");
}

Test(shape, a_header_cut_in_two_is_refused) {
    expect_refused(BYTES_OF(0xCF, 0, 0, 0), &WIDE_LIMITS, INVALID, "was cut at 4 bytes");
    expect_refused(BYTES_OF(0x92, 0x01, 0xDA), &WIDE_LIMITS, INVALID, "value at offset 2");
}

static struct bytes nested(uint8_t *memory, size_t depth) {
    memset(memory, 0x91, depth - 1);
    memory[depth - 1] = 0x90;
    return (struct bytes){.data = memory, .size = depth};
}

Test(shape, nesting_10000_deep_is_too_large) {
    uint8_t memory[10000];
    expect_refused(nested(memory, 10000), &WIDE_LIMITS, TOO_LARGE, "nested deeper than 128");
}

Test(shape, nesting_is_allowed_up_to_the_limit_exactly) {
    CLEANUP(request_done) struct request request = {0};
    uint8_t memory[2000];
    const struct wire_limits deepest = {.size_max = 4096, .depth_max = UINT32_MAX};

    cr_expect_eq(request_parse(&request, nested(memory, 128), &WIDE_LIMITS), OK);
    expect_refused(nested(memory, 129), &WIDE_LIMITS, TOO_LARGE, "nested deeper than 128 at offset 128");
    cr_expect_eq(request_parse(&request, nested(memory, WIRE_DEPTH_LIMIT), &deepest), OK);
    expect_refused(nested(memory, WIRE_DEPTH_LIMIT + 1), &deepest, TOO_LARGE, "nested deeper than 1024");
}

Test(shape, a_request_over_the_limit_is_too_large_and_says_by_how_much) {
    CLEANUP(request_done) struct request request = {0};
    const struct wire_limits limits = {.size_max = 3, .depth_max = 4};

    enum status status = request_parse(&request, BYTES_OF(0x93, 1, 2, 3), &limits);

    expect_error(&request.error, status, TOO_LARGE, "", "request is 4 bytes, request_size_max is 3");
    cr_assert_eq(request.error.detail_count, 2);
    cr_expect_str_eq(request.error.details[0].name, "size");
    cr_expect_eq(request.error.details[0].number, 4);
    cr_expect_str_eq(request.error.details[1].name, "limit");
    cr_expect_eq(request.error.details[1].number, 3);
}

Test(shape, a_request_beyond_32_bits_is_too_large_whatever_the_limit) {
    struct error error;
    CLEANUP(wire_document_done) struct wire_document document = {0};
    const struct wire_limits limits = {.size_max = UINT64_MAX, .depth_max = 4};
    uint8_t byte = 0x80; /* not read: the size alone decides */

    enum status status =
        wire_document_parse(&document, (struct bytes){.data = &byte, .size = (size_t)UINT32_MAX + 1}, &limits, &error);

    expect_error(&error, status, TOO_LARGE, "", "request_size_max is 4294967295");
}

Test(shape, the_tape_steps_over_whole_values) {
    CLEANUP(request_done) struct request request = {0};

    /* [[1, []], {"a": 2}, 3] */
    enum status status =
        request_parse(&request, BYTES_OF(0x93, 0x92, 0x01, 0x90, 0x81, 0xA1, 'a', 0x02, 0x03), &WIDE_LIMITS);

    cr_assert_eq(status, OK);
    const uint32_t next[] = {8, 4, 3, 4, 7, 6, 7, 8};
    const uint32_t offset[] = {0, 1, 2, 3, 4, 5, 7, 8};
    cr_assert_eq(request.document.item_count, 8);
    for (size_t i = 0; i < 8; i++) {
        cr_expect_eq(request.document.items[i].next, next[i], "item %zu", i);
        cr_expect_eq(request.document.items[i].offset, offset[i], "item %zu", i);
    }
}

Test(shape, the_tape_is_no_larger_than_the_bytes_allow) {
    CLEANUP(request_done) struct request request = {0};
    uint8_t memory[1003] = {0xDC, 0x03, 0xE8};

    cr_assert_eq(request_parse(&request, (struct bytes){.data = memory, .size = sizeof memory}, &WIDE_LIMITS), OK);

    cr_expect_eq(request.document.item_count, 1001);
    cr_expect_leq(request.document.item_capacity, 1003);
}

Test(shape, a_document_can_be_parsed_into_again) {
    CLEANUP(request_done) struct request request = {0};

    cr_assert_eq(request_parse(&request, BYTES_OF(0x92, 1, 2), &WIDE_LIMITS), OK);
    cr_assert_eq(request_parse(&request, BYTES_OF(0x91, 1), &WIDE_LIMITS), OK);

    cr_expect_eq(request.document.item_count, 2);
}

/* Skipping and parsing must agree on what is one value. */
static void expect_same_verdict(struct bytes input) {
    CLEANUP(request_done) struct request request = {0};
    const struct wire_limits deepest = {.size_max = UINT32_MAX, .depth_max = WIRE_DEPTH_LIMIT};
    enum status status = request_parse(&request, input, &deepest);
    bool is_one = wire_skip(input.data, input.size) == input.size;
    cr_assert_eq(status == OK, is_one, "%s", request.error.message);
}

Test(shape, every_request_of_one_or_two_bytes_is_judged) {
    for (unsigned first = 0; first < 256; first++) {
        expect_same_verdict(BYTES_OF((uint8_t)first));
        for (unsigned second = 0; second < 256; second++) {
            expect_same_verdict(BYTES_OF((uint8_t)first, (uint8_t)second));
        }
    }
}

Test(shape, no_prefix_of_a_request_is_a_request) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    put_json(&writer, "{'op': 'append', 'events': [{'type': 'node_created', 'data': {'a': [1, 2.5, null, true, {}]}, "
                      "'time': 1767225600000000, 'tags': ['node:alice'], 'metadata': {'source': 'test'}}]}");
    struct bytes whole = buffer_view(&writer.buffer);
    for (size_t size = 0; size < whole.size; size++) {
        CLEANUP(request_done) struct request request = {0};
        enum status status = request_parse(&request, (struct bytes){whole.data, size}, &WIDE_LIMITS);
        cr_expect_eq(status, INVALID, "of %zu bytes", size);
    }
    CLEANUP(request_done) struct request request = {0};
    cr_expect_eq(request_parse(&request, whole, &WIDE_LIMITS), OK);
}
