/* wire/decode_event.c: events on their way in. */
#include "wire/field.h"
#include "wire/messages.h"
#include "wire/text.h"

#include <stdlib.h>

static enum status decode_type(struct wire_map *map, const struct config *config, struct bytes *ret,
                               struct error *error) {
    struct bytes type = {0};
    enum status status = wire_map_name(map, "type", REQUIRED, TYPE_SIZE_MAX, &type, error);
    if (status != OK) {
        return status;
    }
    bool is_allowed = !config->types_closed;
    for (uint32_t i = 0; i < config->type_count && !is_allowed; i++) {
        is_allowed = bytes_equal_string(type, config->types[i]);
    }
    if (!is_allowed) {
        error_set(error, INVALID, "type is \"%.*s\", which is none of the %u types that the configuration allows",
                  BYTES_FORMAT(type), config->type_count);
        return wire_error_at(error, map->path, "type");
    }
    *ret = type;
    return OK;
}

/* A str and a bin of the same bytes are the same key: what counts is the bytes. */
static enum status decode_key(struct wire_map *map, struct bytes *ret, struct error *error) {
    struct wire_value value;
    if (!wire_map_find(map, "key", &value)) {
        return OK;
    }
    if (wire_value_kind(value) == WIRE_STR) {
        return wire_check_text(value, 1, KEY_SIZE_MAX, map->path, "key", ret, error);
    }
    if (wire_value_kind(value) != WIRE_BIN) {
        return wire_refuse_kind(value, "a string or binary data", map->path, "key", error);
    }
    struct bytes key = wire_value_payload(value);
    if (key.size == 0 || key.size > KEY_SIZE_MAX) {
        error_set(error, INVALID, "key is %zu bytes, it may be 1 to %d", key.size, KEY_SIZE_MAX);
        return wire_error_at(error, map->path, "key");
    }
    *ret = key;
    return OK;
}

static enum status decode_expectation(struct wire_map *map, struct event *event, struct error *error) {
    static const char *const NAMES[] = {"any", "none", "exists", NULL};
    static const enum expectation EXPECTATIONS[] = {EXPECT_ANY, EXPECT_NONE, EXPECT_EXISTS};
    struct wire_value value;
    if (!wire_map_find(map, "expected_version", &value)) {
        return OK;
    }
    if (!bytes_present(event->stream)) {
        error_set(error, INVALID, "expected_version is given without stream: name the stream whose version is meant");
        return wire_error_at(error, map->path, "expected_version");
    }
    if (wire_value_kind(value) == WIRE_STR) {
        int choice = 0;
        enum status status = wire_map_choice(map, "expected_version", REQUIRED, NAMES, &choice, error);
        if (status == OK) {
            event->expectation = EXPECTATIONS[choice];
        }
        return status;
    }
    if (wire_value_kind(value) != WIRE_INT && wire_value_kind(value) != WIRE_UINT) {
        return wire_refuse_kind(value, "an integer, \"any\", \"none\" or \"exists\"", map->path, "expected_version",
                                error);
    }
    event->expectation = EXPECT_EXACTLY;
    return wire_map_int(map, "expected_version", REQUIRED, 0, INT64_MAX, &event->expected_version, error);
}

static bool has_tag(const struct event *event, struct bytes tag) {
    for (uint32_t i = 0; i < event->tag_count; i++) {
        if (bytes_equal(event->tag[i], tag)) {
            return true;
        }
    }
    return false;
}

/* The array is kept as it came; `tag` gets each different one once. */
static enum status decode_tags(struct wire_map *map, struct event *event, struct error *error) {
    struct wire_value array;
    struct wire_value element;
    size_t count = 0;
    bool is_present = false;
    enum status status = wire_map_array(map, "tags", OPTIONAL, TAGS_MAX, &is_present, &element, &count, error);
    if (status != OK || !is_present || !wire_map_find(map, "tags", &array)) {
        return status;
    }
    struct wire_path array_path = {.parent = map->path, .name = "tags"};
    for (size_t i = 0; i < count; i++) {
        struct wire_path path = {.parent = &array_path, .index = (int64_t)i};
        struct bytes tag = {0};
        status = wire_check_text(element, 1, TAG_SIZE_MAX, &path, NULL, &tag, error);
        if (status != OK) {
            return status;
        }
        if (!has_tag(event, tag)) {
            event->tag[event->tag_count++] = tag;
        }
        element = wire_value_next(element);
    }
    event->tags = wire_value_raw(array);
    return OK;
}

static enum status decode_payload(struct wire_map *map, const struct config *config, struct event *event,
                                  struct error *error) {
    struct wire_value data;
    enum status status = wire_map_raw_map(map, "data", REQUIRED, SIZE_MAX, &event->data, error);
    if (status != OK || !wire_map_find(map, "data", &data)) {
        return status;
    }
    event->data_item = data.index;
    status = wire_map_raw_map(map, "metadata", OPTIONAL, SIZE_MAX, &event->metadata, error);
    if (status != OK) {
        return status;
    }
    status = decode_tags(map, event, error);
    if (status != OK) {
        return status;
    }
    /* No overflow: all three are parts of one request. */
    uint64_t size = (uint64_t)event->data.size + event->metadata.size + event->tags.size;
    if (size > (uint64_t)config->event_size_max) {
        error_set(error, TOO_LARGE, "data, metadata and tags of the event are %llu bytes, event_size_max is %lld",
                  (unsigned long long)size, (long long)config->event_size_max);
        error_add_number(error, "size", (int64_t)size);
        error_add_number(error, "limit", config->event_size_max);
        return wire_error_at(error, map->path, NULL);
    }
    return OK;
}

static enum status decode_names(struct wire_map *map, struct event *event, struct error *error) {
    enum status status = wire_map_name(map, "stream", OPTIONAL, STREAM_SIZE_MAX, &event->stream, error);
    if (status != OK) {
        return status;
    }
    status = decode_key(map, &event->key, error);
    if (status != OK) {
        return status;
    }
    status = wire_map_name(map, "correlation", OPTIONAL, CORRELATION_SIZE_MAX, &event->correlation, error);
    if (status != OK) {
        return status;
    }
    return wire_map_name(map, "causation", OPTIONAL, CORRELATION_SIZE_MAX, &event->causation, error);
}

enum status wire_decode_event(struct wire_value value, const struct wire_path *path, const struct config *config,
                              struct event *ret_event, struct error *error) {
    struct wire_map map;
    enum status status = wire_map_open(&map, value, path, error);
    if (status != OK) {
        return status;
    }
    struct event event = {.raw = wire_value_raw(value)};
    status = decode_type(&map, config, &event.type, error);
    if (status != OK) {
        return status;
    }
    status = wire_map_time(&map, "time", OPTIONAL, &event.has_time, &event.time_us, error);
    if (status != OK) {
        return status;
    }
    status = decode_names(&map, &event, error);
    if (status != OK) {
        return status;
    }
    status = decode_expectation(&map, &event, error);
    if (status != OK) {
        return status;
    }
    status = decode_payload(&map, config, &event, error);
    if (status != OK) {
        return status;
    }
    status = wire_map_finish(&map, "an event", error);
    if (status == OK) {
        *ret_event = event;
    }
    return status;
}

/* How many events the request holds, and the first of them. */
static enum status find_events(struct wire_map *map, const struct config *config, bool *ret_is_array,
                               struct wire_value *ret_first, size_t *ret_count, struct error *error) {
    struct wire_value one;
    struct wire_value many;
    bool has_one = wire_map_find(map, "event", &one);
    bool has_many = wire_map_find(map, "events", &many);
    if (has_one && has_many) {
        error_set(error, INVALID, "event and events are both given: give one of them");
        return wire_error_at(error, map->path, "event");
    }
    if (has_one) {
        *ret_is_array = false;
        *ret_first = one;
        *ret_count = 1;
        return OK;
    }
    if (!has_many) {
        error_set(error, INVALID, "events is missing: give event (one) or events (an array)");
        return wire_error_at(error, map->path, "events");
    }
    enum status status = wire_map_array(map, "events", REQUIRED, SIZE_MAX, ret_is_array, ret_first, ret_count, error);
    if (status != OK) {
        return status;
    }
    if (*ret_count == 0) {
        error_set(error, INVALID, "events is an empty array, it may have 1 to %lld events",
                  (long long)config->request_events_max);
        return wire_error_at(error, map->path, "events");
    }
    if (*ret_count > (uint64_t)config->request_events_max) {
        error_set(error, TOO_LARGE, "events has %zu events, request_events_max is %lld: split the request", *ret_count,
                  (long long)config->request_events_max);
        error_add_number(error, "size", (int64_t)*ret_count);
        error_add_number(error, "limit", config->request_events_max);
        return wire_error_at(error, map->path, "events");
    }
    return OK;
}

static void free_events(struct event **events) {
    free(*events);
}

enum status wire_decode_events(struct wire_map *map, const struct config *config, struct event **ret_events,
                               size_t *ret_count, struct error *error) {
    bool is_array = false;
    struct wire_value value;
    size_t count = 0;
    enum status status = find_events(map, config, &is_array, &value, &count, error);
    if (status != OK) {
        return status;
    }
    CLEANUP(free_events) struct event *events = calloc(count, sizeof *events);
    if (events == NULL) {
        return error_set(error, NO_MEMORY, "no memory for the %zu events of the request", count);
    }
    struct wire_path field = {.parent = map->path, .name = is_array ? "events" : "event"};
    for (size_t i = 0; i < count; i++) {
        struct wire_path element = {.parent = &field, .index = (int64_t)i};
        status = wire_decode_event(value, is_array ? &element : &field, config, &events[i], error);
        if (status != OK) {
            return status;
        }
        value = wire_value_next(value);
    }
    *ret_events = events;
    *ret_count = count;
    events = NULL; /* the caller owns it now */
    return OK;
}
