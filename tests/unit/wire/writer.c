/* Tests of plugin/wire/writer.c: what is written is read back, in its shortest form. */
#include "support.h"

#include <stdlib.h>

static void expect_written(const struct wire_writer *writer, struct bytes wanted) {
    cr_assert_not(writer->failed);
    cr_expect(bytes_equal(buffer_view(&writer->buffer), wanted));
}

static struct wire_value read_back(struct request *request, const struct wire_writer *writer) {
    enum status status = request_parse(request, buffer_view(&writer->buffer), &WIDE_LIMITS);
    cr_assert_eq(status, OK, "%s", request->error.message);
    return (struct wire_value){.document = &request->document};
}

Test(writer, integers_at_every_boundary_come_back_in_the_shortest_form) {
    const struct {
        int64_t number;
        size_t size;
    } cases[] = {
        {0, 1},         {1, 1},      {127, 1},    {128, 2},        {255, 2},
        {256, 3},       {65535, 3},  {65536, 5},  {4294967295, 5}, {4294967296, 9},
        {INT64_MAX, 9}, {-1, 1},     {-32, 1},    {-33, 2},        {-128, 2},
        {-129, 3},      {-32768, 3}, {-32769, 5}, {INT32_MIN, 5},  {(int64_t)INT32_MIN - 1, 9},
        {INT64_MIN, 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(wire_writer_done) struct wire_writer writer = {0};
        CLEANUP(request_done) struct request request = {0};
        wire_put_int(&writer, cases[i].number);
        struct wire_value value = read_back(&request, &writer);
        cr_expect_eq(wire_value_kind(value), WIRE_INT, "case %zu", i);
        cr_expect_eq(wire_value_int(value), cases[i].number, "case %zu", i);
        cr_expect_eq(writer.buffer.size, cases[i].size, "case %zu", i);
    }
}

Test(writer, strings_and_binaries_at_every_width_come_back) {
    const size_t sizes[] = {0, 1, 31, 32, 255, 256, 65535, 65536};
    uint8_t *memory = calloc(1, 65536);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        CLEANUP(wire_writer_done) struct wire_writer writer = {0};
        CLEANUP(request_done) struct request request = {0};
        struct bytes payload = {.data = memory, .size = sizes[i]};
        wire_put_array(&writer, 2);
        wire_put_str(&writer, payload);
        wire_put_bin(&writer, payload);
        struct wire_value text = {.document = read_back(&request, &writer).document, .index = 1};
        struct wire_value data = wire_value_next(text);
        cr_expect_eq(wire_value_kind(text), WIRE_STR);
        cr_expect_eq(wire_value_kind(data), WIRE_BIN);
        cr_expect(bytes_equal(wire_value_payload(text), payload));
        cr_expect(bytes_equal(wire_value_payload(data), payload));
    }
    free(memory);
}

Test(writer, containers_at_every_width_come_back) {
    const uint32_t counts[] = {0, 15, 16, 65535, 65536};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        CLEANUP(wire_writer_done) struct wire_writer writer = {0};
        CLEANUP(request_done) struct request request = {0};
        wire_put_array(&writer, counts[i]);
        for (uint32_t j = 0; j < counts[i]; j++) {
            wire_put_map(&writer, 0);
        }
        struct wire_value value = read_back(&request, &writer);
        cr_expect_eq(wire_value_kind(value), WIRE_ARRAY);
        cr_expect_eq(request.document.items[0].size, counts[i]);
        cr_expect_eq(request.document.item_count, counts[i] + 1);
    }
}

Test(writer, scalars_have_their_msgpack_form) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    wire_put_nil(&writer);
    wire_put_bool(&writer, false);
    wire_put_bool(&writer, true);
    wire_put_float(&writer, 1.5);
    wire_put_text(&writer, "a");
    wire_put_raw(&writer, BYTES_OF(0xCD, 0x00, 0x01)); /* not the shortest form, and kept */
    expect_written(&writer, BYTES_OF(0xC0, 0xC2, 0xC3, 0xCB, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0, 0xA1, 'a', 0xCD, 0, 1));
}

Test(writer, absent_views_are_nil) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    wire_put_str(&writer, (struct bytes){0});
    wire_put_bin(&writer, (struct bytes){0});
    wire_put_raw(&writer, (struct bytes){0});
    wire_put_text(&writer, NULL);
    expect_written(&writer, BYTES_OF(0xC0, 0xC0, 0xC0, 0xC0));
}

Test(writer, open_containers_get_their_count_when_closed) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    size_t map = wire_open_map(&writer);
    wire_put_int(&writer, 1);
    size_t array = wire_open_array(&writer);
    wire_close(&writer, array, 0);
    wire_close(&writer, map, 1);
    expect_written(&writer, BYTES_OF(0xDF, 0, 0, 0, 1, 0x01, 0xDD, 0, 0, 0, 0));
}

Test(writer, rolling_back_forgets_what_came_after) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    size_t array = wire_open_array(&writer);
    wire_put_int(&writer, 1);
    size_t mark = writer.buffer.size;
    wire_put_int(&writer, 2);
    wire_rollback(&writer, mark);
    wire_close(&writer, array, 1);
    expect_written(&writer, BYTES_OF(0xDD, 0, 0, 0, 1, 0x01));
}

Test(writer, failure_is_sticky_and_told_once_asked) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {.failed = true};
    struct error error;
    size_t map = wire_open_map(&writer);
    wire_put_text(&writer, "a");
    wire_close(&writer, map, 1);
    cr_expect_eq(writer.buffer.size, 0);
    cr_expect_eq(wire_writer_check(&writer, &error), NO_MEMORY);
}
