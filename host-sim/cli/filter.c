/* filter.c: the filter of events as options of a command. */
#include "cli/filter.h"

#include <stdint.h>
#include <string.h>

#include "cli/command.h"
#include "cli/instant.h"
#include "message/message.h"

enum {
    OPTION_TYPE = 0x2000,
    OPTION_FROM,
    OPTION_TO,
    OPTION_RECORDED_FROM,
    OPTION_RECORDED_TO,
    OPTION_AFTER,
    OPTION_BEFORE,
    OPTION_STREAM,
    OPTION_TAG,
    OPTION_ALL_TAGS,
    OPTION_BATCH,
    OPTION_CORRELATION,
    OPTION_METADATA
};

static const struct argp_option NAMES_OPTIONS[] = {
    {0, 0, 0, 0, "Which events (every condition given must hold):", 1},
    {"type", OPTION_TYPE, "TYPE", 0, "Of this type; repeated: of any of them", 0},
    {"stream", OPTION_STREAM, "NAME", 0, "Of this stream", 0},
    {"tag", OPTION_TAG, "TAG", 0, "With this tag; repeated: with any of them", 0},
    {"all-tags", OPTION_ALL_TAGS, 0, 0, "With all the tags, instead of any", 0},
    {"batch", OPTION_BATCH, "ID", 0, "Of this batch", 0},
    {"correlation", OPTION_CORRELATION, "ID", 0, "With this correlation", 0},
    {"metadata", OPTION_METADATA, "POINTER=JSON", 0,
     "With this value at a place in the metadata, such as '/user=\"ann\"'; repeated: with all of them", 0},
    {0},
};

static const struct argp_option RANGES_OPTIONS[] = {
    {0, 0, 0, 0, "Which events, by id and by time:", 2},
    {"after", OPTION_AFTER, "ID", 0, "With an id above this", 0},
    {"before", OPTION_BEFORE, "ID", 0, "With an id below this", 0},
    {"from", OPTION_FROM, "TIME", 0,
     "That happened at this time or later: 2026-01-31T12:00:00Z (UTC if no offset is given), 2026-01-31, or "
     "microseconds since 1970",
     0},
    {"to", OPTION_TO, "TIME", 0, "That happened before this time", 0},
    {"recorded-from", OPTION_RECORDED_FROM, "TIME", 0, "That were stored at this time or later", 0},
    {"recorded-to", OPTION_RECORDED_TO, "TIME", 0, "That were stored before this time", 0},
    {0},
};

/* Sets a condition, taking over the value; a NULL value is text that is no UTF-8. */
static void set(struct filter *filter, const char *name, json_t *value, const struct argp_state *state) {
    if (value == NULL) {
        argp_error(state, "'%s' must be UTF-8", name);
    }
    if (json_object_set_new(filter->conditions, name, value) != 0) {
        argp_failure(state, EXIT_USAGE, 0, "no memory");
    }
}

static json_t *parse_time(const char *text, const struct argp_state *state) {
    int64_t us = 0;
    if (!instant_parse(text, &us)) {
        argp_error(state, "'%s' is no time; write 2026-01-31T12:00:00Z, 2026-01-31, or microseconds since 1970", text);
    }
    return json_integer(us);
}

static void append(json_t *array, const char *name, const char *text, const struct argp_state *state) {
    json_t *string = json_string(text);
    if (string == NULL) {
        argp_error(state, "'%s' must be UTF-8", name);
    }
    if (json_array_append_new(array, string) != 0) {
        argp_failure(state, EXIT_USAGE, 0, "no memory");
    }
}

static void add_type(struct filter *filter, const char *text, const struct argp_state *state) {
    if (json_object_get(filter->conditions, "types") == NULL) {
        set(filter, "types", json_array(), state);
    }
    append(json_object_get(filter->conditions, "types"), "type", text, state);
}

static void add_metadata(struct filter *filter, const char *text, const struct argp_state *state) {
    const char *equals = strchr(text, '=');
    struct failure failure = {.message = "there is no '='"};
    json_t *value = NULL;
    if (equals == NULL || !message_parse(equals + 1, strlen(equals + 1), &value, &failure)) {
        argp_error(state, "--metadata wants POINTER=JSON, such as '/user=\"ann\"', not '%s': %s", text,
                   failure.message);
        return;
    }
    if (json_object_get(filter->conditions, "metadata") == NULL) {
        set(filter, "metadata", json_object(), state);
    }
    if (json_object_setn_new(json_object_get(filter->conditions, "metadata"), text, (size_t)(equals - text), value) !=
        0) {
        argp_error(state, "--metadata: '%s' must be UTF-8", text);
    }
}

static error_t parse_names(int key, char *argument, struct argp_state *state) {
    struct filter *filter = state->input;
    switch (key) {
    case OPTION_TYPE:
        add_type(filter, argument, state);
        return 0;
    case OPTION_STREAM:
        set(filter, "stream", json_string(argument), state);
        return 0;
    case OPTION_TAG:
        append(filter->tags, "tag", argument, state);
        return 0;
    case OPTION_ALL_TAGS:
        filter->all_tags = true;
        return 0;
    case OPTION_BATCH:
        set(filter, "batch", json_string(argument), state);
        return 0;
    case OPTION_CORRELATION:
        set(filter, "correlation", json_string(argument), state);
        return 0;
    case OPTION_METADATA:
        add_metadata(filter, argument, state);
        return 0;
    case ARGP_KEY_END:
        if (filter->all_tags && json_array_size(filter->tags) == 0) {
            argp_error(state, "--all-tags wants tags: --tag TAG --tag TAG --all-tags");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_ranges(int key, char *argument, struct argp_state *state) {
    struct filter *filter = state->input;
    switch (key) {
    case OPTION_AFTER:
        set(filter, "after_id", json_integer(option_number(state, "--after", argument, 0, INT64_MAX)), state);
        return 0;
    case OPTION_BEFORE:
        set(filter, "before_id", json_integer(option_number(state, "--before", argument, 0, INT64_MAX)), state);
        return 0;
    case OPTION_FROM:
        set(filter, "from", parse_time(argument, state), state);
        return 0;
    case OPTION_TO:
        set(filter, "to", parse_time(argument, state), state);
        return 0;
    case OPTION_RECORDED_FROM:
        set(filter, "recorded_from", parse_time(argument, state), state);
        return 0;
    case OPTION_RECORDED_TO:
        set(filter, "recorded_to", parse_time(argument, state), state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp FILTER_NAMES_ARGP = {.options = NAMES_OPTIONS, .parser = parse_names};
const struct argp FILTER_RANGES_ARGP = {.options = RANGES_OPTIONS, .parser = parse_ranges};

bool filter_init(struct filter *filter) {
    *filter = (struct filter){.conditions = json_object(), .tags = json_array()};
    return filter->conditions != NULL && filter->tags != NULL;
}

void filter_done(struct filter *filter) {
    json_decref(filter->conditions);
    json_decref(filter->tags);
}

json_t *filter_json(const struct filter *filter) {
    json_auto_t *conditions = json_copy(filter->conditions);
    if (json_array_size(filter->tags) > 0 &&
        json_object_set(conditions, filter->all_tags ? "tags_all" : "tags_any", filter->tags) != 0) {
        return NULL;
    }
    return json_incref(conditions);
}
