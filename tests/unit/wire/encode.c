/* Tests of plugin/wire/encode.c: replies hold the fields of the specification, and are well-formed whatever is stored.
 */
#include "support.h"

static struct wire_value read_back(struct request *request, const struct wire_writer *writer) {
    cr_assert_not(writer->failed);
    request_open(request, buffer_view(&writer->buffer));
    return (struct wire_value){.document = &request->document};
}

static uint32_t field_count(struct wire_value map) {
    return map.document->items[map.index].size;
}

static struct stored_event smallest_event(void) {
    return (struct stored_event){
        .id = 7, .time_us = -1, .recorded_us = 9, .type = BYTES_LITERAL("node_created"), .data = BYTES_LITERAL("\x80")};
}

static struct wire_value encode(struct request *request, const struct stored_event *event) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    wire_encode_event(&writer, event);
    return read_back(request, &writer);
}

Test(encode, the_smallest_event_has_five_fields) {
    CLEANUP(request_done) struct request request = {0};
    struct stored_event event = smallest_event();

    struct wire_value map = encode(&request, &event);

    cr_expect_eq(field_count(map), 5);
    cr_expect_eq(wire_value_int(field_of(map, "id")), 7);
    expect_text(field_of(map, "type"), "node_created");
    cr_expect_eq(wire_value_int(field_of(map, "time")), -1);
    cr_expect_eq(wire_value_int(field_of(map, "recorded_at")), 9);
    cr_expect(bytes_equal(wire_value_raw(field_of(map, "data")), BYTES_OF(0x80)));
}

Test(encode, every_field_of_an_event_is_given_back_as_it_came) {
    CLEANUP(request_done) struct request request = {0};
    struct stored_event event = smallest_event();
    event.data = BYTES_OF(0xDE, 0, 1, 0x01, 0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0); /* {1: NaN}, not the shortest form */
    event.metadata = BYTES_OF(0x80);
    event.stream = BYTES_LITERAL("s");
    event.version = 3;
    event.tags = BYTES_OF(0x92, 0xA1, 't', 0xA1, 't');
    event.key = BYTES_LITERAL("k");
    event.correlation = BYTES_LITERAL("c");
    event.causation = BYTES_LITERAL("d");
    event.batch = BYTES_LITERAL("b");
    event.schema_version = 2;

    struct wire_value map = encode(&request, &event);

    cr_expect_eq(field_count(map), 14);
    cr_expect(bytes_equal(wire_value_raw(field_of(map, "data")), event.data));
    cr_expect(bytes_equal(wire_value_raw(field_of(map, "metadata")), event.metadata));
    cr_expect(bytes_equal(wire_value_raw(field_of(map, "tags")), event.tags));
    expect_text(field_of(map, "stream"), "s");
    cr_expect_eq(wire_value_int(field_of(map, "version")), 3);
    expect_text(field_of(map, "key"), "k");
    expect_text(field_of(map, "correlation"), "c");
    expect_text(field_of(map, "causation"), "d");
    expect_text(field_of(map, "batch"), "b");
    cr_expect_eq(wire_value_int(field_of(map, "schema_version")), 2);
    cr_expect_not(has_field(map, "damaged"));
}

Test(encode, a_key_that_is_no_text_is_binary) {
    const struct bytes keys[] = {BYTES_OF(0xFF), BYTES_OF('a', 0x00)};
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(request_done) struct request request = {0};
        struct stored_event event = smallest_event();
        event.key = keys[i];
        struct wire_value key = field_of(encode(&request, &event), "key");
        cr_expect_eq(wire_value_kind(key), WIRE_BIN);
        cr_expect(bytes_equal(wire_value_payload(key), keys[i]));
    }
}

Test(encode, damage_that_the_storage_saw_is_told) {
    CLEANUP(request_done) struct request request = {0};
    struct stored_event event = smallest_event();
    event.data = (struct bytes){0};
    event.damage = "the digest does not match";

    struct wire_value map = encode(&request, &event);

    cr_expect_eq(field_count(map), 5);
    cr_expect_not(has_field(map, "data"));
    expect_text(field_of(map, "damaged"), "the digest does not match");
}

Test(encode, payloads_that_would_break_the_reply_are_left_out_and_marked) {
    const struct bytes broken[] = {
        BYTES_OF(0x81), BYTES_OF(0x80, 0x80), BYTES_OF(0x90),       BYTES_OF(0xA5, 'a'),
        BYTES_OF(0xC1), BYTES_LITERAL(""),    BYTES_OF(0x81, 0xC1), BYTES_OF(0xDF, 0xFF, 0xFF, 0xFF, 0xFF)};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        CLEANUP(request_done) struct request request = {0};
        struct stored_event event = smallest_event();
        event.data = broken[i];
        struct wire_value map = encode(&request, &event);
        cr_expect_not(has_field(map, "data"));
        expect_text(field_of(map, "damaged"), "data is no msgpack map");
    }
    CLEANUP(request_done) struct request request = {0};
    struct stored_event event = smallest_event();
    event.tags = BYTES_OF(0x80);
    struct wire_value map = encode(&request, &event);
    cr_expect_not(has_field(map, "tags"));
    expect_text(field_of(map, "damaged"), "tags is no msgpack array");
}

Test(encode, names_that_are_no_utf8_are_mended_and_marked) {
    CLEANUP(request_done) struct request request = {0};
    struct stored_event event = smallest_event();
    event.type = BYTES_OF('a', 0xFF, 0xC3, 0xA9, 0xC3);

    struct wire_value map = encode(&request, &event);

    expect_text(field_of(map, "type"), "a?\xC3\xA9?");
    expect_text(field_of(map, "damaged"), "a name is not valid UTF-8");
}

static struct dead_letter smallest_letter(enum dead_letter_state state) {
    return (struct dead_letter){
        .id = 1,
        .event_id = 2,
        .consumer = BYTES_LITERAL("default"),
        .progress = {.state = state, .attempts = 3, .attempts_max = 4, .due_us = 5, .lease_until_us = 6, .token = 8},
        .created_us = 9,
        .updated_us = 10};
}

Test(encode, a_dead_letter_has_the_fields_of_its_state) {
    const struct {
        enum dead_letter_state state;
        const char *name;
        uint32_t fields;
    } cases[] = {
        {DEAD_LETTER_PENDING, "pending", 10},    {DEAD_LETTER_CLAIMED, "claimed", 11},
        {DEAD_LETTER_RESOLVED, "resolved", 9},   {DEAD_LETTER_PARKED, "parked", 9},
        {DEAD_LETTER_DISCARDED, "discarded", 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(wire_writer_done) struct wire_writer writer = {0};
        CLEANUP(request_done) struct request request = {0};
        struct dead_letter letter = smallest_letter(cases[i].state);
        wire_encode_dead_letter(&writer, &letter, NULL);
        struct wire_value map = read_back(&request, &writer);
        cr_expect_eq(field_count(map), cases[i].fields);
        expect_text(field_of(map, "state"), cases[i].name);
        cr_expect_eq(wire_value_int(field_of(map, "event_id")), 2);
        cr_expect_eq(wire_value_int(field_of(map, "attempts")), 3);
        cr_expect_eq(wire_value_int(field_of(map, "attempts_max")), 4);
        cr_expect_eq(has_field(map, "due_at"), cases[i].state == DEAD_LETTER_PENDING);
        cr_expect_eq(has_field(map, "token"), cases[i].state == DEAD_LETTER_CLAIMED);
        cr_expect_eq(has_field(map, "lease_until"), cases[i].state == DEAD_LETTER_CLAIMED);
    }
}

Test(encode, a_dead_letter_carries_its_failures_and_its_event) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    CLEANUP(request_done) struct request request = {0};
    struct dead_letter letter = smallest_letter(DEAD_LETTER_CLAIMED);
    struct stored_event event = smallest_event();
    letter.holder = BYTES_LITERAL("worker");
    letter.stream = BYTES_LITERAL("s");
    letter.reason = BYTES_LITERAL("why");
    letter.failure_count = 2;
    letter.failures[0] = (struct dead_letter_failure){.message = BYTES_LITERAL("first"), .time_us = 1};
    letter.failures[1] = (struct dead_letter_failure){
        .class_name = BYTES_LITERAL("Timeout"), .message = BYTES_OF('b', 0xFF), .time_us = 2};

    wire_encode_dead_letter(&writer, &letter, &event);

    struct wire_value map = read_back(&request, &writer);
    cr_expect_eq(field_count(map), 15);
    expect_text(field_of(map, "holder"), "worker");
    expect_text(field_of(map, "stream"), "s");
    expect_text(field_of(map, "reason"), "why");
    cr_expect_eq(wire_value_int(field_of(field_of(map, "event"), "id")), 7);
    struct wire_value failures = field_of(map, "failures");
    struct wire_value failure = {.document = failures.document, .index = failures.index + 1};
    cr_expect_eq(field_count(failure), 2);
    expect_text(field_of(failure, "message"), "first");
    failure = wire_value_next(failure);
    expect_text(field_of(failure, "class"), "Timeout");
    expect_text(field_of(failure, "message"), "b?");
    cr_expect_eq(wire_value_int(field_of(failure, "time")), 2);
}

Test(encode, an_error_always_has_its_five_fields) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    CLEANUP(request_done) struct request request = {0};
    struct error error;
    error_set(&error, BUSY, "the file is owned");

    wire_encode_error(&writer, &error);

    struct wire_value map = read_back(&request, &writer);
    cr_expect_eq(field_count(map), 5);
    cr_expect_eq(wire_value_int(field_of(map, "code")), POLARIS_ES_BUSY);
    expect_text(field_of(map, "name"), "BUSY");
    expect_text(field_of(map, "message"), "the file is owned");
    cr_expect(wire_value_bool(field_of(map, "retryable")));
    cr_expect_eq(field_count(field_of(map, "details")), 0);
}

Test(encode, an_error_carries_its_path_and_details) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    CLEANUP(request_done) struct request request = {0};
    struct error error;
    error_set(&error, CONFLICT, "stream is at 3");
    error_set_path(&error, "/events/0");
    error_add_number(&error, "current_version", 3);
    error_add_text(&error, "stream", "s");

    wire_encode_error(&writer, &error);

    struct wire_value details = field_of(read_back(&request, &writer), "details");
    cr_expect_eq(field_count(details), 3);
    expect_text(field_of(details, "path"), "/events/0");
    cr_expect_eq(wire_value_int(field_of(details, "current_version")), 3);
    expect_text(field_of(details, "stream"), "s");
}

Test(encode, bad_bytes_in_a_message_are_made_valid) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    CLEANUP(request_done) struct request request = {0};
    struct error error;
    error_set(&error, INVALID, "type is \xFF\xC3.");

    wire_encode_error(&writer, &error);

    expect_text(field_of(read_back(&request, &writer), "message"), "type is ??.");
}
