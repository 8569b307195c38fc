/* fuzz_wire.c: any bytes through everything that reads bytes of a host or of a damaged file. */
#include "wire/messages.h"
#include "wire/shape.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

/* Whatever is written must be one well-formed value. */
static void require_well_formed(const struct wire_writer *writer) {
    require(!writer->failed && wire_skip(writer->buffer.data, writer->buffer.size) == writer->buffer.size);
}

static void require_described(const struct error *error, enum status status) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    require(error->status == status && (status == INVALID || status == TOO_LARGE) && error->message[0] != '\0');
    wire_encode_error(&writer, error);
    require_well_formed(&writer);
}

/* As rows of a damaged file: the bytes in every place at once. */
static void encode_damaged(struct bytes input) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    const struct stored_event event = {.id = 1,
                                       .type = input,
                                       .data = input,
                                       .metadata = input,
                                       .stream = input,
                                       .key = input,
                                       .correlation = input,
                                       .causation = input,
                                       .tags = input,
                                       .batch = input};
    const struct dead_letter letter = {.consumer = input,
                                       .stream = input,
                                       .holder = input,
                                       .reason = input,
                                       .progress = {.state = DEAD_LETTER_CLAIMED},
                                       .failure_count = 1,
                                       .failures = {{.class_name = input, .message = input}}};
    wire_encode_dead_letter(&writer, &letter, &event);
    require_well_formed(&writer);
}

static void decode_config(struct bytes input) {
    struct config config;
    struct error error;
    enum status status = wire_decode_config(input, &config, &error);
    if (status == OK) {
        config_done(&config);
    } else {
        require_described(&error, status);
    }
}

static void free_events(struct event **events) {
    free(*events);
}

static void decode_fields(struct wire_map *map, struct bytes input) {
    CLEANUP(free_events) struct event *events = NULL;
    struct wire_filter filter;
    struct config config;
    struct error error;
    size_t count = 0;
    config_init(&config);
    enum status status = wire_decode_events(map, &config, &events, &count, &error);
    if (status != OK) {
        require_described(&error, status);
    }
    status = wire_decode_filter(map, "filter", &filter, &error);
    if (status != OK) {
        require_described(&error, status);
    } else if (filter.filter.metadata.holds != NULL) {
        (void)filter.filter.metadata.holds(filter.filter.metadata.context, input);
        for (size_t i = 0; i < count; i++) {
            (void)filter.filter.metadata.holds(filter.filter.metadata.context, events[i].metadata);
        }
    }
    status = wire_map_finish(map, "the request", &error);
    if (status != OK) {
        require_described(&error, status);
    }
}

static void decode_request(struct bytes input) {
    const struct wire_limits limits = {.size_max = UINT32_MAX, .depth_max = WIRE_DEPTH_LIMIT};
    CLEANUP(wire_document_done) struct wire_document document = {0};
    struct wire_map map;
    struct error error;
    enum status status = wire_document_parse(&document, input, &limits, &error);
    bool is_one = input.size > 0 && wire_skip(input.data, input.size) == input.size;
    require((status == OK) == is_one || status == TOO_LARGE);
    if (status == OK) {
        status = wire_map_open(&map, (struct wire_value){.document = &document}, NULL, &error);
    }
    if (status != OK) {
        require_described(&error, status);
        return;
    }
    decode_fields(&map, input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes input = {.data = data, .size = size};
    decode_request(input);
    decode_config(input);
    encode_damaged(input);
    return 0;
}
