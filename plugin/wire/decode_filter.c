/* wire/decode_filter.c: filters over events. */
#include "wire/field.h"
#include "wire/messages.h"
#include "wire/metadata.h"

/* The pairs of the metadata map: each key a pointer, each value what must be found there. */
static enum status decode_condition(struct wire_value key, struct wire_value expected, const struct wire_path *parent,
                                    struct wire_metadata_conditions *conditions, struct error *error) {
    struct bytes pointer = {0};
    enum status status = wire_check_text(key, 0, FILTER_POINTER_SIZE_MAX, parent, NULL, &pointer, error);
    if (status != OK) {
        return status;
    }
    status = wire_metadata_check(pointer, expected, parent, error);
    if (status != OK) {
        return status;
    }
    conditions->condition[conditions->count].pointer = pointer;
    conditions->condition[conditions->count].expected = expected;
    conditions->count++;
    return OK;
}

static enum status decode_metadata(struct wire_map *filter, struct wire_filter *ret_filter, struct error *error) {
    struct wire_value value;
    if (!wire_map_find(filter, "metadata", &value)) {
        return OK;
    }
    struct wire_path path = {.parent = filter->path, .name = "metadata"};
    struct wire_map map;
    enum status status = wire_map_open(&map, value, &path, error);
    if (status != OK) {
        return status;
    }
    uint32_t pairs = value.document->items[value.index].size;
    if (pairs > FILTER_METADATA_MAX) {
        error_set(error, INVALID, "metadata has %u conditions, it may have 0 to %d", pairs, FILTER_METADATA_MAX);
        return wire_error_at(error, &path, NULL);
    }
    struct wire_value key = {.document = value.document, .index = value.index + 1};
    for (uint32_t i = 0; i < pairs; i++) {
        struct wire_value expected = wire_value_next(key);
        status = decode_condition(key, expected, &path, &ret_filter->conditions, error);
        if (status != OK) {
            return status;
        }
        key = wire_value_next(expected);
    }
    if (pairs > 0) {
        ret_filter->filter.metadata.holds = wire_metadata_holds;
        ret_filter->filter.metadata.context = &ret_filter->conditions;
    }
    return OK;
}

static enum status decode_times(struct wire_map *map, struct event_filter *filter, struct error *error) {
    enum status status = wire_map_time(map, "from", OPTIONAL, &filter->has_time_from, &filter->time_from_us, error);
    if (status != OK) {
        return status;
    }
    status = wire_map_time(map, "to", OPTIONAL, &filter->has_time_to, &filter->time_to_us, error);
    if (status != OK) {
        return status;
    }
    status =
        wire_map_time(map, "recorded_from", OPTIONAL, &filter->has_recorded_from, &filter->recorded_from_us, error);
    if (status != OK) {
        return status;
    }
    return wire_map_time(map, "recorded_to", OPTIONAL, &filter->has_recorded_to, &filter->recorded_to_us, error);
}

static enum status decode_id(struct wire_map *map, const char *name, bool *ret_present, int64_t *ret,
                             struct error *error) {
    int64_t id = -1;
    enum status status = wire_map_int(map, name, OPTIONAL, 0, INT64_MAX, &id, error);
    if (status == OK && id >= 0) {
        *ret_present = true;
        *ret = id;
    }
    return status;
}

static enum status decode_ids(struct wire_map *map, struct event_filter *filter, struct error *error) {
    enum status status = decode_id(map, "after_id", &filter->has_after_id, &filter->after_id, error);
    if (status != OK) {
        return status;
    }
    return decode_id(map, "before_id", &filter->has_before_id, &filter->before_id, error);
}

static enum status decode_names(struct wire_map *map, struct event_filter *filter, struct error *error) {
    enum status status = wire_map_names(map, "types", OPTIONAL, TYPE_SIZE_MAX, FILTER_TYPES_MAX, filter->types,
                                        &filter->type_count, error);
    if (status != OK) {
        return status;
    }
    status = wire_map_name(map, "stream", OPTIONAL, STREAM_SIZE_MAX, &filter->stream, error);
    if (status != OK) {
        return status;
    }
    status = wire_map_name(map, "batch", OPTIONAL, BATCH_ID_SIZE_MAX, &filter->batch, error);
    if (status != OK) {
        return status;
    }
    status = wire_map_name(map, "correlation", OPTIONAL, CORRELATION_SIZE_MAX, &filter->correlation, error);
    if (status != OK) {
        return status;
    }
    status = wire_map_names(map, "tags_any", OPTIONAL, TAG_SIZE_MAX, TAGS_MAX, filter->tags_any,
                            &filter->tags_any_count, error);
    if (status != OK) {
        return status;
    }
    return wire_map_names(map, "tags_all", OPTIONAL, TAG_SIZE_MAX, TAGS_MAX, filter->tags_all, &filter->tags_all_count,
                          error);
}

static enum status decode_fields(struct wire_map *map, struct wire_filter *ret_filter, struct error *error) {
    enum status status = decode_names(map, &ret_filter->filter, error);
    if (status != OK) {
        return status;
    }
    status = decode_times(map, &ret_filter->filter, error);
    if (status != OK) {
        return status;
    }
    status = decode_ids(map, &ret_filter->filter, error);
    if (status != OK) {
        return status;
    }
    status = decode_metadata(map, ret_filter, error);
    if (status != OK) {
        return status;
    }
    return wire_map_finish(map, "a filter", error);
}

enum status wire_decode_filter(struct wire_map *map, const char *name, struct wire_filter *ret_filter,
                               struct error *error) {
    /* Decoded in place, since the predicate points into it. A filter that was refused is left empty. */
    *ret_filter = (struct wire_filter){0};
    struct wire_value value;
    if (!wire_map_find(map, name, &value)) {
        return OK;
    }
    struct wire_path path = {.parent = map->path, .name = name};
    struct wire_map fields;
    enum status status = wire_map_open(&fields, value, &path, error);
    if (status != OK) {
        return status;
    }
    status = decode_fields(&fields, ret_filter, error);
    if (status != OK) {
        *ret_filter = (struct wire_filter){0};
        return status;
    }
    ret_filter->raw = wire_value_raw(value);
    return OK;
}
