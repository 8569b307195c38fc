/* Tests of plugin/wire/decode_event.c: what an event may be, and which of its fields is wrong. */
#include "support.h"

#include <stdlib.h>

/* One decoded request with its events. */
struct decoded {
    struct request request;
    struct config config;
    struct event *events;
    size_t count;
};

static void decoded_done(struct decoded *decoded) {
    free(decoded->events);
    request_done(&decoded->request);
    config_done(&decoded->config);
}

static enum status decode(struct decoded *decoded) {
    free(decoded->events);
    decoded->events = NULL;
    return wire_decode_events(&decoded->request.map, &decoded->config, &decoded->events, &decoded->count,
                              &decoded->request.error);
}

static enum status decode_json(struct decoded *decoded, const char *json) {
    request_from_json(&decoded->request, json);
    return decode(decoded);
}

static void expect_refused(const char *json, enum status wanted, const char *path, const char *message) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    config_init(&decoded.config);
    enum status status = decode_json(&decoded, json);
    expect_error(&decoded.request.error, status, wanted, path, message);
    cr_expect_null(decoded.events);
}

Test(decode_event, the_smallest_event_has_a_type_and_data) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    config_init(&decoded.config);

    cr_assert_eq(decode_json(&decoded, "{'event': {'type': 'node_created', 'data': {}}}"), OK);

    cr_assert_eq(decoded.count, 1);
    const struct event *event = &decoded.events[0];
    cr_expect(bytes_equal_string(event->type, "node_created"));
    cr_expect(bytes_equal(event->data, BYTES_OF(0x80)));
    cr_expect_not(bytes_present(event->metadata) || bytes_present(event->stream) || bytes_present(event->key) ||
                  bytes_present(event->tags) || bytes_present(event->correlation) || bytes_present(event->causation));
    cr_expect_not(event->has_time);
    cr_expect_eq(event->expectation, EXPECT_ANY);
    cr_expect_eq(event->tag_count, 0);
}

Test(decode_event, every_field_is_read) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    config_init(&decoded.config);

    enum status status = decode_json(
        &decoded, "{'events': [{'type': 'a', 'data': {'x': 1}, 'time': 5, 'metadata': {}, 'stream': 's', "
                  "'expected_version': 3, 'tags': ['t', 'u', 't'], 'key': 'k', 'correlation': 'c', 'causation': 'd'}, "
                  "{'type': 'b', 'data': {}, 'stream': 's', 'expected_version': 'none', 'tags': []}]}");

    cr_assert_eq(status, OK, "%s", decoded.request.error.message);
    cr_assert_eq(decoded.count, 2);
    const struct event *event = &decoded.events[0];
    cr_expect(event->has_time);
    cr_expect_eq(event->time_us, 5);
    cr_expect(bytes_equal(event->metadata, BYTES_OF(0x80)));
    cr_expect(bytes_equal_string(event->stream, "s"));
    cr_expect_eq(event->expectation, EXPECT_EXACTLY);
    cr_expect_eq(event->expected_version, 3);
    cr_expect(bytes_equal_string(event->key, "k"));
    cr_expect(bytes_equal_string(event->correlation, "c"));
    cr_expect(bytes_equal_string(event->causation, "d"));
    cr_expect_eq(decoded.events[1].expectation, EXPECT_NONE);
    cr_expect(bytes_equal(decoded.events[1].tags, BYTES_OF(0x90)));
}

Test(decode_event, repeated_tags_are_kept_raw_and_counted_once) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    config_init(&decoded.config);

    cr_assert_eq(decode_json(&decoded, "{'event': {'type': 'a', 'data': {}, 'tags': ['t', 'u', 't']}}"), OK);

    cr_expect(bytes_equal(decoded.events[0].tags, BYTES_OF(0x93, 0xA1, 't', 0xA1, 'u', 0xA1, 't')));
    cr_assert_eq(decoded.events[0].tag_count, 2);
    cr_expect(bytes_equal_string(decoded.events[0].tag[1], "u"));
}

Test(decode_event, wrong_fields_are_refused_with_their_path) {
    expect_refused("{}", INVALID, "/events", "events is missing: give event (one) or events");
    expect_refused("{'event': {'type': 'a', 'data': {}}, 'events': []}", INVALID, "/event", "both given");
    expect_refused("{'events': []}", INVALID, "/events", "it may have 1 to 10000 events");
    expect_refused("{'events': {}}", INVALID, "/events", "events is a map, it must be an array");
    expect_refused("{'event': []}", INVALID, "/event", "event is an array, it must be a map");
    expect_refused("{'events': [5]}", INVALID, "/events/0", "events[0] is an integer, it must be a map");
    expect_refused("{'event': {'data': {}}}", INVALID, "/event/type", "type is missing");
    expect_refused("{'event': {'type': 'a'}}", INVALID, "/event/data", "data is missing");
    expect_refused("{'event': {'type': 'a', 'data': null}}", INVALID, "/event/data", "data is missing");
    expect_refused("{'event': {'type': 'a', 'data': 5}}", INVALID, "/event/data", "data is an integer");
    expect_refused("{'event': {'type': 'a', 'data': {}, 'metadata': 'x'}}", INVALID, "/event/metadata", "a string");
    expect_refused("{'event': {'type': '', 'data': {}}}", INVALID, "/event/type", "empty string");
    expect_refused("{'event': {'type': 5, 'data': {}}}", INVALID, "/event/type", "type is an integer");
    expect_refused("{'event': {'type': 'a', 'data': {}, 'time': 1.5}}", INVALID, "/event/time", "time is a float");
    expect_refused("{'event': {'type': 'a', 'data': {}, 'tags': ['t', '']}}", INVALID, "/event/tags/1",
                   "tags[1] is an");
    expect_refused("{'event': {'type': 'a', 'data': {}, 'stream': ''}}", INVALID, "/event/stream", "empty string");
    expect_refused("{'event': {'type': 'a', 'data': {}, 'key': ''}}", INVALID, "/event/key", "empty string");
    expect_refused("{'event': {'type': 'a', 'data': {}, 'key': 5}}", INVALID, "/event/key", "a string or binary data");
    expect_refused("{'events': [{'type': 'a', 'data': {}}, {'type': 'red', 'data': {}, 'colour': 1}]}", INVALID,
                   "/events/1/colour", "an event has no field \"colour\"");
}

Test(decode_event, names_have_limits_that_are_met_exactly) {
    const struct {
        const char *field;
        int size_max;
    } cases[] = {{"type", 128}, {"stream", 256}, {"key", 64}, {"correlation", 128}, {"causation", 128}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int over = 0; over <= 1; over++) {
            CLEANUP(decoded_done) struct decoded decoded = {0};
            config_init(&decoded.config);
            char json[1024];
            char path[64];
            char message[64];
            snprintf(json, sizeof json, "{'event': {%s'%s': '%0*d', 'data': {}}}", i == 0 ? "" : "'type': 'a', ",
                     cases[i].field, cases[i].size_max + over, 0);
            enum status status = decode_json(&decoded, json);
            if (over == 0) {
                cr_expect_eq(status, OK, "%s", decoded.request.error.message);
                continue;
            }
            snprintf(path, sizeof path, "/event/%s", cases[i].field);
            snprintf(message, sizeof message, "%s is %d bytes, it may be 1 to %d", cases[i].field,
                     cases[i].size_max + 1, cases[i].size_max);
            expect_error(&decoded.request.error, status, INVALID, path, message);
        }
    }
}

static void put_event_with(struct wire_writer *writer, const char *field, struct bytes value) {
    wire_rollback(writer, 0);
    wire_put_map(writer, 1);
    wire_put_text(writer, "event");
    wire_put_map(writer, strcmp(field, "type") == 0 ? 2 : 3);
    wire_put_text(writer, "data");
    wire_put_map(writer, 0);
    if (strcmp(field, "type") != 0) {
        wire_put_text(writer, "type");
        wire_put_text(writer, "a");
    }
    wire_put_text(writer, field);
    wire_put_raw(writer, value);
}

static enum status decode_with(struct decoded *decoded, const char *field, struct bytes value) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    put_event_with(&writer, field, value);
    request_open(&decoded->request, buffer_view(&writer.buffer));
    return decode(decoded);
}

Test(decode_event, a_type_that_is_no_utf8_is_refused) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    config_init(&decoded.config);
    enum status status = decode_with(&decoded, "type", BYTES_OF(0xA2, 0xC3, 0x28));
    expect_error(&decoded.request.error, status, INVALID, "/event/type", "type is \"?(\", which is not valid UTF-8");
}

Test(decode_event, a_nan_time_is_refused) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    config_init(&decoded.config);
    enum status status = decode_with(&decoded, "time", BYTES_OF(0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0));
    expect_error(&decoded.request.error, status, INVALID, "/event/time", "time is a float, it must be an integer");
}

Test(decode_event, a_key_may_be_binary_and_is_the_same_bytes_either_way) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    config_init(&decoded.config);
    cr_assert_eq(decode_with(&decoded, "key", BYTES_OF(0xC4, 3, 0x00, 0xFF, 'k')), OK);
    cr_expect(bytes_equal(decoded.events[0].key, BYTES_OF(0x00, 0xFF, 'k')));
    cr_assert_eq(decode_with(&decoded, "key", BYTES_OF(0xC4, 1, 'k')), OK);
    cr_expect(bytes_equal_string(decoded.events[0].key, "k"));

    uint8_t long_key[67] = {0xC4, 65};
    enum status status = decode_with(&decoded, "key", (struct bytes){.data = long_key, .size = sizeof long_key});
    expect_error(&decoded.request.error, status, INVALID, "/event/key", "key is 65 bytes, it may be 1 to 64");
    status = decode_with(&decoded, "key", BYTES_OF(0xC4, 0));
    expect_error(&decoded.request.error, status, INVALID, "/event/key", "key is 0 bytes, it may be 1 to 64");
}

Test(decode_event, sixteen_tags_are_taken_and_17_refused) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    config_init(&decoded.config);
    for (uint32_t count = 16; count <= 17; count++) {
        CLEANUP(wire_writer_done) struct wire_writer tags = {0};
        wire_put_array(&tags, count);
        for (uint32_t i = 0; i < count; i++) {
            char tag[16];
            snprintf(tag, sizeof tag, "t%u", i);
            wire_put_text(&tags, tag);
        }
        enum status status = decode_with(&decoded, "tags", buffer_view(&tags.buffer));
        if (count == 16) {
            cr_assert_eq(status, OK);
            cr_expect_eq(decoded.events[0].tag_count, 16);
        } else {
            expect_error(&decoded.request.error, status, INVALID, "/event/tags",
                         "tags has 17 elements, it may have 0 to 16");
        }
    }
}

Test(decode_event, expected_versions_are_words_or_numbers) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    config_init(&decoded.config);
    const struct {
        const char *json;
        enum expectation expectation;
        int64_t version;
    } cases[] = {
        {"{'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 'any'}}", EXPECT_ANY, 0},
        {"{'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 'none'}}", EXPECT_NONE, 0},
        {"{'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 'exists'}}", EXPECT_EXISTS, 0},
        {"{'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 0}}", EXPECT_EXACTLY, 0},
        {"{'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 9}}", EXPECT_EXACTLY, 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(decode_json(&decoded, cases[i].json), OK);
        cr_expect_eq(decoded.events[0].expectation, cases[i].expectation);
        cr_expect_eq(decoded.events[0].expected_version, cases[i].version);
    }
    expect_refused("{'event': {'type': 'a', 'data': {}, 'expected_version': 1}}", INVALID, "/event/expected_version",
                   "expected_version is given without stream");
    expect_refused("{'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': -1}}", INVALID,
                   "/event/expected_version", "expected_version is -1, it may be 0 to");
    expect_refused("{'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 'some'}}", INVALID,
                   "/event/expected_version", "it may be one of: any, none, exists");
    expect_refused("{'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 1.0}}", INVALID,
                   "/event/expected_version", "expected_version is a float, it must be an integer, \"any\"");
}

Test(decode_event, payloads_over_the_limit_are_too_large_and_say_by_how_much) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    config_init(&decoded.config);
    decoded.config.event_size_max = 12;
    const char *json = "{'event': {'type': 'a', 'data': {'x': 1}, 'metadata': {'y': 2}, 'tags': ['tt']}}"; /* 4, 4, 4 */
    cr_expect_eq(decode_json(&decoded, json), OK);

    decoded.config.event_size_max = 11;
    enum status status = decode_json(&decoded, json);

    expect_error(&decoded.request.error, status, TOO_LARGE, "/event", "are 12 bytes, event_size_max is 11");
    cr_assert_eq(decoded.request.error.detail_count, 2);
    cr_expect_eq(decoded.request.error.details[0].number, 12);
    cr_expect_eq(decoded.request.error.details[1].number, 11);
}

Test(decode_event, more_events_than_configured_are_too_large) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    config_init(&decoded.config);
    decoded.config.request_events_max = 1;
    enum status status = decode_json(&decoded, "{'events': [{}, {}]}");
    expect_error(&decoded.request.error, status, TOO_LARGE, "/events", "events has 2 events, request_events_max is 1");
}

Test(decode_event, a_type_outside_the_closed_set_is_refused_by_name) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    put_json(&writer, "{'path': 'x', 'types': ['node_created', 'node_deleted']}");
    cr_assert_eq(wire_decode_config(buffer_view(&writer.buffer), &decoded.config, &decoded.request.error), OK);

    cr_expect_eq(decode_json(&decoded, "{'event': {'type': 'node_deleted', 'data': {}}}"), OK);
    enum status status = decode_json(&decoded, "{'events': [{'type': 'node_moved', 'data': {}}]}");

    expect_error(&decoded.request.error, status, INVALID, "/events/0/type",
                 "type is \"node_moved\", which is none of the 2 types");
}

Test(decode_event, nan_and_odd_keys_within_data_are_kept) {
    CLEANUP(decoded_done) struct decoded decoded = {0};
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    config_init(&decoded.config);
    struct bytes data = BYTES_OF(0x83, 0x01, 0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0, 0x01, 0xC0, 0x90, 0xA1, 0xFF);
    wire_put_map(&writer, 1);
    wire_put_text(&writer, "event");
    wire_put_map(&writer, 2);
    wire_put_text(&writer, "type");
    wire_put_text(&writer, "a");
    wire_put_text(&writer, "data");
    wire_put_raw(&writer, data);
    request_open(&decoded.request, buffer_view(&writer.buffer));
    cr_assert_eq(decode(&decoded), OK);
    cr_expect(bytes_equal(decoded.events[0].data, data));
}
