/* command_events.c: `events`: finds events and prints them, page by page. */
#include <stdint.h>
#include <string.h>

#include "cli/command.h"
#include "cli/filter.h"
#include "cli/table.h"
#include "message/message.h"

enum { OPTION_DESC = 0x3000, OPTION_BY_TIME, OPTION_LIMIT, OPTION_JSON, PAGE_SIZE = 1000 };

struct options {
    struct session *session;
    struct filter filter;
    bool desc, by_time, json;
    int64_t limit; /* -1: none */
};

static void options_done(struct options *options) {
    filter_done(&options->filter);
}

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->filter;
        state->child_inputs[1] = &options->filter;
        state->child_inputs[2] = options->session;
        return 0;
    case OPTION_DESC:
        options->desc = true;
        return 0;
    case OPTION_BY_TIME:
        options->by_time = true;
        return 0;
    case OPTION_LIMIT:
        options->limit = option_number(state, "--limit", argument, 0, INT64_MAX);
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "takes options only, not '%s'", argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option OPTIONS[] = {
    {0, 0, 0, 0, "Order and form:", 3},
    {"desc", OPTION_DESC, 0, 0, "Newest first; default: oldest first", 0},
    {"by-time", OPTION_BY_TIME, 0, 0, "In the order in which they happened; default: in which they were stored", 0},
    {"limit", OPTION_LIMIT, "N", 0, "At most N events; default: all that match", 0},
    {"json", OPTION_JSON, 0, 0,
     "JSON Lines, one event a line, in the form that 'call --help' describes; default: a table", 0},
    {0},
};

static const struct argp_child CHILDREN[] = {
    {&FILTER_NAMES_ARGP, 0, NULL, 0}, {&FILTER_RANGES_ARGP, 0, NULL, 0}, {&SESSION_ARGP, 0, NULL, 0}, {0}};

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .doc = "Finds events and prints them. Opens the store for reading, beside a process that writes.\v"
           "Exit codes: 0 done, also if nothing matched; 1 the plugin answered an error; 2 wrong usage.\n"
           "\n"
           "Example: everything that touched a node since New Year, newest first:\n"
           "  polaris-host-sim events --tag node:alice --from 2026-01-01 --desc",
    .children = CHILDREN,
};

/* The request of the next page; `cursor` is NULL for the first. */
static json_t *page_request(const struct options *options, json_t *cursor, int64_t left) {
    json_int_t limit = left >= 0 && left < PAGE_SIZE ? left : PAGE_SIZE;
    return json_pack("{s: s, s: o, s: s, s: s, s: I, s: O*}", "op", "events", "filter", filter_json(&options->filter),
                     "order", options->desc ? "desc" : "asc", "order_by", options->by_time ? "time" : "id", "limit",
                     limit, "cursor", cursor);
}

int command_events(struct session *session, int argc, char **argv) {
    CLEANUP(options_done) struct options options = {.session = session, .limit = -1};
    if (!filter_init(&options.filter)) {
        return session_fail(session, EXIT_ERROR, "no memory");
    }
    (void)argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    CLEANUP(session_closep) struct host *host = NULL;
    int code = session_open(session, SESSION_READ, &host, NULL);
    if (code != EXIT_OK) {
        return code;
    }
    struct table table = {.json = options.json};
    json_auto_t *cursor = NULL;
    for (int64_t left = options.limit;;) {
        json_auto_t *reply = NULL;
        int32_t status = message_call(host, HOST_QUERY, page_request(&options, cursor, left), &reply);
        if (status != POLARIS_ES_OK) {
            return session_fail_reply(session, "cannot find events", status, reply);
        }
        const json_t *events = json_object_get(reply, "events");
        if (!table_print(&table, events)) {
            return table_fail(session);
        }
        left -= left < 0 ? 0 : (int64_t)json_array_size(events);
        if (left == 0 || !json_is_true(json_object_get(reply, "more"))) {
            return EXIT_OK;
        }
        json_decref(cursor);
        cursor = json_incref(json_object_get(reply, "cursor"));
    }
}
