/* Tests of plugin/wire/decode_filter.c: every condition is read, every mistake is named. */
#include "support.h"

static enum status decode(struct request *request, const char *json, struct wire_filter *ret_filter) {
    request_from_json(request, json);
    return wire_decode_filter(&request->map, "filter", ret_filter, &request->error);
}

Test(decode_filter, an_absent_or_empty_filter_lets_everything_pass) {
    CLEANUP(request_done) struct request request = {0};
    struct wire_filter filter;

    cr_assert_eq(decode(&request, "{}", &filter), OK);
    cr_expect_not(bytes_present(filter.raw));
    cr_assert_eq(decode(&request, "{'filter': {}}", &filter), OK);

    cr_expect(bytes_equal(filter.raw, BYTES_OF(0x80)));
    cr_expect_eq(filter.filter.type_count, 0);
    cr_expect_null(filter.filter.metadata.holds);
}

Test(decode_filter, every_condition_is_read) {
    CLEANUP(request_done) struct request request = {0};
    struct wire_filter decoded;

    enum status status = decode(&request,
                                "{'filter': {'types': ['a', 'b'], 'from': 1, 'to': 2, 'recorded_from': 3, "
                                "'recorded_to': 4, 'after_id': 0, 'before_id': 6, 'stream': 's', 'batch': 'x', "
                                "'correlation': 'c', 'tags_any': ['t'], 'tags_all': ['u', 'v'], "
                                "'metadata': {'/a': 1, '': {}}}}",
                                &decoded);

    cr_assert_eq(status, OK, "%s", request.error.message);
    const struct event_filter *filter = &decoded.filter;
    cr_expect_eq(filter->type_count, 2);
    cr_expect(bytes_equal_string(filter->types[1], "b"));
    cr_expect(filter->has_time_from && filter->has_time_to && filter->has_recorded_from && filter->has_recorded_to);
    cr_expect_eq(filter->time_from_us, 1);
    cr_expect_eq(filter->time_to_us, 2);
    cr_expect_eq(filter->recorded_from_us, 3);
    cr_expect_eq(filter->recorded_to_us, 4);
    cr_expect(filter->has_after_id && filter->has_before_id);
    cr_expect_eq(filter->after_id, 0);
    cr_expect_eq(filter->before_id, 6);
    cr_expect(bytes_equal_string(filter->stream, "s"));
    cr_expect(bytes_equal_string(filter->batch, "x"));
    cr_expect(bytes_equal_string(filter->correlation, "c"));
    cr_expect_eq(filter->tags_any_count, 1);
    cr_expect_eq(filter->tags_all_count, 2);
    cr_expect_eq(decoded.conditions.count, 2);
    cr_expect_eq(filter->metadata.context, &decoded.conditions);
}

Test(decode_filter, wrong_conditions_are_refused_with_their_path) {
    const struct {
        const char *json;
        enum status status;
        const char *path;
        const char *message;
    } cases[] = {
        {"{'filter': []}", INVALID, "/filter", "filter is an array, it must be a map"},
        {"{'filter': {'type': 'a'}}", INVALID, "/filter/type", "a filter has no field \"type\""},
        {"{'filter': {'types': []}}", INVALID, "/filter/types", "types is an empty array"},
        {"{'filter': {'types': ['a', 1]}}", INVALID, "/filter/types/1", "types[1] is an integer"},
        {"{'filter': {'from': 1.5}}", INVALID, "/filter/from", "from is a float"},
        {"{'filter': {'recorded_to': 'now'}}", INVALID, "/filter/recorded_to", "recorded_to is a string"},
        {"{'filter': {'after_id': -1}}", INVALID, "/filter/after_id", "after_id is -1, it may be 0 to"},
        {"{'filter': {'stream': ''}}", INVALID, "/filter/stream", "stream is an empty string"},
        {"{'filter': {'metadata': 1}}", INVALID, "/filter/metadata", "metadata is an integer, it must be a map"},
        {"{'filter': {'metadata': {'a': 1}}}", INVALID, "/filter/metadata/a", "\"a\" is no RFC 6901 pointer"},
        {"{'filter': {'metadata': {'/~2': 1}}}", INVALID, "/filter/metadata/~1~02", "is no RFC 6901 pointer"},
        {"{'filter': {'metadata': {'/a~': 1}}}", INVALID, "/filter/metadata/~1a~0", "is no RFC 6901 pointer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(request_done) struct request request = {0};
        struct wire_filter filter;
        enum status status = decode(&request, cases[i].json, &filter);
        expect_error(&request.error, status, cases[i].status, cases[i].path, cases[i].message);
    }
}

Test(decode_filter, seventeen_metadata_conditions_are_refused) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    CLEANUP(request_done) struct request request = {0};
    struct wire_filter filter;
    for (uint32_t count = 16; count <= 17; count++) {
        wire_rollback(&writer, 0);
        wire_put_map(&writer, 1);
        wire_put_text(&writer, "filter");
        wire_put_map(&writer, 1);
        wire_put_text(&writer, "metadata");
        wire_put_map(&writer, count);
        for (uint32_t i = 0; i < count; i++) {
            char pointer[16];
            snprintf(pointer, sizeof pointer, "/%u", i);
            wire_put_text(&writer, pointer);
            wire_put_nil(&writer);
        }
        request_open(&request, buffer_view(&writer.buffer));
        enum status status = wire_decode_filter(&request.map, "filter", &filter, &request.error);
        cr_expect_eq(status, count == 16 ? OK : INVALID);
    }
    expect_error(&request.error, INVALID, INVALID, "/filter/metadata", "has 17 conditions, it may have 0 to 16");
}
