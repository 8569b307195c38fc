/* Each allocation of the decoders and of the writer fails once: NO_MEMORY is told, nothing leaks, nothing crashes. */
#include "support.h"

#include "failing_allocations.h"

/* Runs `attempt` with the first, second, ... allocation failing, until a run in which none failed. */
static void survive_every_failure(enum status (*attempt)(struct bytes input, struct error *error), const char *json,
                                  int failures_min) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    put_json(&writer, json);
    for (int n = 1;; n++) {
        struct error error = {0};
        allocations_fail_at(n, false);
        enum status status = attempt(buffer_view(&writer.buffer), &error);
        bool has_fired = allocations_failed() > 0;
        allocations_fail_at(0, false);
        if (!has_fired) {
            cr_expect_eq(status, OK, "%s", error.message);
            cr_expect_gt(n, failures_min, "only %d allocations were seen", n - 1);
            return;
        }
        cr_assert_eq(status, NO_MEMORY, "allocation %d: %s", n, status_name(status));
    }
}

static enum status decode_events(struct bytes input, struct error *error) {
    CLEANUP(wire_document_done) struct wire_document document = {0};
    struct wire_map map;
    struct config config;
    struct event *events = NULL;
    size_t count = 0;
    config_init(&config);
    enum status status = wire_document_parse(&document, input, &WIDE_LIMITS, error);
    if (status != OK) {
        return status;
    }
    status = wire_map_open(&map, (struct wire_value){.document = &document}, NULL, error);
    if (status != OK) {
        return status;
    }
    status = wire_decode_events(&map, &config, &events, &count, error);
    free(events);
    return status;
}

Test(allocation, decoding_events_survives_every_failure) {
    survive_every_failure(decode_events,
                          "{'events': [{'type': 'a', 'data': {'x': [1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,"
                          "6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6]}}]}",
                          3);
}

static enum status decode_config(struct bytes input, struct error *error) {
    CLEANUP(config_done) struct config config = {0};
    return wire_decode_config(input, &config, error);
}

Test(allocation, decoding_a_configuration_survives_every_failure) {
    survive_every_failure(decode_config, "{'path': 'x', 'types': ['a']}", 2);
}

static enum status write_much(struct bytes input, struct error *error) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    size_t array = wire_open_array(&writer);
    for (int i = 0; i < 1000; i++) {
        size_t map = wire_open_map(&writer);
        wire_put_text(&writer, "input");
        wire_put_raw(&writer, input);
        const struct stored_event event = {.id = i, .type = BYTES_OF('a', 0xFF), .data = BYTES_OF(0x80)};
        wire_put_text(&writer, "event");
        wire_encode_event(&writer, &event);
        wire_close(&writer, map, 2);
    }
    wire_close(&writer, array, 1000);
    return wire_writer_check(&writer, error);
}

Test(allocation, writing_a_reply_survives_every_failure) {
    survive_every_failure(write_much, "{'a': 1}", 5);
}
