/* Mutated requests through every decoder: whatever comes in, nothing crashes, leaks or reads beyond its end, and what
 * is accepted can be written out again. The seed is fixed, so that a failure comes back. */
#include "wire/shape.h"

#include "support.h"

#include <stdlib.h>

enum { ROUNDS = 50000, CHANGES_MAX = 6, GROWTH_MAX = 8 };

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Bytes at which msgpack's forms begin or end: more telling than any byte. */
static uint8_t telling_byte(uint64_t *state) {
    static const uint8_t TELLING[] = {0x00, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x91, 0x9F, 0xA0, 0xA1, 0xBF, 0xC0,
                                      0xC1, 0xC2, 0xC4, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCF, 0xD3, 0xD4, 0xD6,
                                      0xD7, 0xD8, 0xD9, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xE0, 0xFF};
    return TELLING[next_random(state) % sizeof TELLING];
}

/* Changes, drops and inserts some bytes of `memory`, which has room for GROWTH_MAX more. Returns the new size. */
static size_t mutate(uint8_t *memory, size_t size, uint64_t *state) {
    size_t room = size + GROWTH_MAX;
    for (uint64_t left = 1 + next_random(state) % CHANGES_MAX; left > 0 && size > 1; left--) {
        size_t at = next_random(state) % size;
        switch (next_random(state) % 5) {
        case 0:
            memory[at] = (uint8_t)next_random(state);
            break;
        case 1:
            memory[at] = telling_byte(state);
            break;
        case 2:
            memory[at] ^= (uint8_t)(1u << next_random(state) % 8);
            break;
        case 3:
            memmove(memory + at, memory + at + 1, size - at - 1);
            size--;
            break;
        default:
            if (size < room) {
                memmove(memory + at + 1, memory + at, size - at);
                memory[at] = telling_byte(state);
                size++;
            }
            break;
        }
    }
    return next_random(state) % 16 == 0 ? 1 + next_random(state) % size : size;
}

/* What was accepted is written as a stored event; the reply must be well-formed. */
static void write_out(const struct event *event) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    const struct stored_event stored = {.id = 1,
                                        .type = event->type,
                                        .data = event->data,
                                        .metadata = event->metadata,
                                        .stream = event->stream,
                                        .key = event->key,
                                        .correlation = event->correlation,
                                        .causation = event->causation,
                                        .tags = event->tags};
    wire_encode_event(&writer, &stored);
    cr_assert_eq(wire_skip(writer.buffer.data, writer.buffer.size), writer.buffer.size);
}

static void expect_described(const struct error *error, enum status status) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    cr_assert(status == INVALID || status == TOO_LARGE, "%s", status_name(status));
    cr_assert_eq(error->status, status);
    cr_assert_neq(error->message[0], '\0');
    wire_encode_error(&writer, error);
    cr_assert_eq(wire_skip(writer.buffer.data, writer.buffer.size), writer.buffer.size);
}

static void decode_all(struct bytes input, const struct wire_metadata_conditions *conditions) {
    CLEANUP(request_done) struct request request = {0};
    struct config config;
    struct error error;
    (void)wire_metadata_holds(conditions, input);
    enum status status = wire_decode_config(input, &config, &error);
    if (status == OK) {
        config_done(&config);
    } else {
        expect_described(&error, status);
    }
    status = request_parse(&request, input, &WIDE_LIMITS);
    cr_assert_eq(status == OK, wire_skip(input.data, input.size) == input.size || status == TOO_LARGE);
    if (status == OK) {
        struct wire_value root = {.document = &request.document};
        status = wire_map_open(&request.map, root, NULL, &request.error);
    }
    if (status != OK) {
        expect_described(&request.error, status);
        return;
    }
    struct event *events = NULL;
    size_t count = 0;
    config_init(&config);
    status = wire_decode_events(&request.map, &config, &events, &count, &request.error);
    if (status != OK) {
        expect_described(&request.error, status);
    }
    for (size_t i = 0; i < count; i++) {
        write_out(&events[i]);
    }
    free(events);
    struct wire_filter filter;
    status = wire_decode_filter(&request.map, "filter", &filter, &request.error);
    if (status != OK) {
        expect_described(&request.error, status);
    } else if (filter.filter.metadata.holds != NULL) {
        (void)filter.filter.metadata.holds(filter.filter.metadata.context, input);
    }
    if (wire_map_finish(&request.map, "the request", &request.error) != OK) {
        expect_described(&request.error, INVALID);
    }
}

Test(mutation, mutated_requests_are_answered_and_never_crash) {
    static const char *const SEEDS[] = {
        "{'op': 'append', 'events': [{'type': 'node_created', 'data': {'a': [1, 2.5, null]}, 'time': 1767225600000000, "
        "'tags': ['node:alice', 'b'], 'metadata': {'source': 'test', 'n': {'a': 1}}, 'stream': 's', "
        "'expected_version': 'any', 'key': 'k', 'correlation': 'c', 'causation': 'd'}]}",
        "{'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 3}}",
        "{'filter': {'types': ['a', 'b'], 'from': 1, 'to': 2, 'recorded_from': 3, 'after_id': 0, 'before_id': 6, "
        "'stream': 's', 'tags_any': ['t'], 'tags_all': ['u', 'v'], 'metadata': {'/n/a': 1, '': {'x': [1, {'y': 2}]}}}}",
        "{'path': 'x.db', 'mode': 'write', 'durability': 'full', 'page_size': 4096, 'retry_factor': 2.5, 'types': "
        "['a']}",
    };
    CLEANUP(request_done) struct request request = {0};
    struct wire_filter filter;
    request_from_json(&request, "{'filter': {'metadata': {'/events/0/type': 'node_created', '': {'a': [1, {}]}}}}");
    cr_assert_eq(wire_decode_filter(&request.map, "filter", &filter, &request.error), OK);
    uint64_t state = UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = 0; i < sizeof SEEDS / sizeof SEEDS[0]; i++) {
        CLEANUP(wire_writer_done) struct wire_writer seed = {0};
        put_json(&seed, SEEDS[i]);
        uint8_t memory[2048];
        cr_assert_leq(seed.buffer.size + GROWTH_MAX, sizeof memory);
        for (int round = 0; round < ROUNDS / 4; round++) {
            memcpy(memory, seed.buffer.data, seed.buffer.size);
            size_t size = mutate(memory, seed.buffer.size, &state);
            decode_all((struct bytes){.data = memory, .size = size}, &filter.conditions);
        }
    }
}
