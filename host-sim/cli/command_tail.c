/* command_tail.c: `tail`: prints events as they are stored, without a gap and without a duplicate. */
#include <stdint.h>
#include <string.h>

#include "cli/command.h"
#include "cli/filter.h"
#include "cli/input.h"
#include "cli/table.h"
#include "message/message.h"

/* A wait lasts this long at most, so that an interrupt is soon seen. */
#define SLICE_US 250000
enum { OPTION_FROM = 0x3000, OPTION_LAST, OPTION_COUNT, OPTION_JSON, PAGE_SIZE = 1000, LAST_MAX = 100000 };

struct options {
    struct session *session;
    struct filter filter;
    bool json;
    int64_t from;  /* an id; -1: not given */
    int64_t last;  /* -1: not given */
    int64_t count; /* -1: for ever */
};

static void options_done(struct options *options) {
    filter_done(&options->filter);
}

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->filter;
        state->child_inputs[1] = options->session;
        return 0;
    case OPTION_FROM:
        options->from = option_number(state, "--from", argument, 1, INT64_MAX);
        return 0;
    case OPTION_LAST:
        options->last = option_number(state, "--last", argument, 0, LAST_MAX);
        return 0;
    case OPTION_COUNT:
        options->count = option_number(state, "--count", argument, 1, INT64_MAX);
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "takes options only, not '%s'", argument);
        return 0;
    case ARGP_KEY_END:
        if (options->from >= 0 && options->last >= 0) {
            argp_error(state, "--from and --last exclude each other");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option OPTIONS[] = {
    {0, 0, 0, 0, "Where to begin, when to end, and the form:", 3},
    {"from", OPTION_FROM, "ID", 0, "Begin with the event of this id; default: with the next that is stored", 0},
    {"last", OPTION_LAST, "N", 0, "Begin with the last N events that match", 0},
    {"count", OPTION_COUNT, "N", 0, "End after N events; default: when interrupted", 0},
    {"json", OPTION_JSON, 0, 0,
     "JSON Lines, one event a line, in the form that 'call --help' describes; default: a table", 0},
    {0},
};

static const struct argp_child CHILDREN[] = {{&FILTER_NAMES_ARGP, 0, NULL, 0}, {&SESSION_ARGP, 0, NULL, 0}, {0}};

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .doc =
        "Prints events as they are stored: all of them, each once, in the order of their ids. Opens the store for "
        "reading, beside a process that writes.\v"
        "Exit codes: 0 ended by --count or by an interrupt (Ctrl-C); 1 the plugin answered an error; 2 wrong usage.\n"
        "\n"
        "Example: the last ten events of a node, and what comes:\n"
        "  polaris-host-sim tail --tag node:alice --last 10",
    .children = CHILDREN,
};

/* Asks for a page. The reply's owner is the caller; NULL: the error is told. */
static json_t *ask(struct session *session, struct host *host, json_t *request) {
    json_t *reply = NULL;
    int32_t status = message_call(host, HOST_QUERY, request, &reply);
    if (status != POLARIS_ES_OK) {
        (void)session_fail_reply(session, "cannot find events", status, reply);
        json_decref(reply);
        return NULL;
    }
    return reply;
}

/* The id before the oldest of the last N events that match: what is stored meanwhile comes after it, so that nothing is
 * missed between looking back and going on. Fewer than N: 0, the start. */
static bool find_last(const struct options *options, struct host *host, int64_t *ret_after) {
    json_auto_t *cursor = NULL;
    *ret_after = INT64_MAX;
    for (int64_t left = options->last; left > 0;) {
        json_auto_t *reply = ask(options->session, host,
                                 json_pack("{s: s, s: o, s: s, s: I, s: O*}", "op", "events", "filter",
                                           filter_json(&options->filter), "order", "desc", "limit",
                                           (json_int_t)(left < PAGE_SIZE ? left : PAGE_SIZE), "cursor", cursor));
        if (reply == NULL) {
            return false;
        }
        const json_t *events = json_object_get(reply, "events");
        size_t count = json_array_size(events);
        left -= (int64_t)count;
        if (left > 0 && !json_is_true(json_object_get(reply, "more"))) {
            *ret_after = 0;
            return true;
        }
        if (count > 0) {
            *ret_after = json_integer_value(json_object_get(json_array_get(events, count - 1), "id")) - 1;
        }
        json_decref(cursor);
        cursor = json_incref(json_object_get(reply, "cursor"));
    }
    return true;
}

static bool find_start(const struct options *options, struct host *host, int64_t *ret_after) {
    if (options->from >= 0) {
        *ret_after = options->from - 1;
        return true;
    }
    if (options->last > 0) {
        return find_last(options, host, ret_after);
    }
    json_auto_t *head = ask(options->session, host, json_pack("{s: s}", "op", "head"));
    *ret_after = json_integer_value(json_object_get(head, "last_id"));
    return head != NULL;
}

/* Prints what comes after an id until the count is reached or an interrupt came. */
static int follow(const struct options *options, struct host *host, struct interrupt *interrupt, int64_t after) {
    struct table table = {.json = options->json};
    json_auto_t *cursor = NULL;
    json_auto_t *filter = filter_json(&options->filter);
    if (json_object_set_new(filter, "after_id", json_integer(after)) != 0) {
        return session_fail(options->session, EXIT_ERROR, "no memory");
    }
    for (int64_t left = options->count; left != 0 && !interrupt_came(interrupt);) {
        json_int_t limit = left > 0 && left < PAGE_SIZE ? left : PAGE_SIZE;
        json_auto_t *reply = ask(options->session, host,
                                 json_pack("{s: s, s: O, s: I, s: i, s: O*}", "op", "events", "filter", filter, "limit",
                                           limit, "wait_us", SLICE_US, "cursor", cursor));
        if (reply == NULL) {
            return EXIT_ERROR;
        }
        const json_t *events = json_object_get(reply, "events");
        if (!table_print(&table, events)) {
            return table_fail(options->session);
        }
        left -= left < 0 ? 0 : (int64_t)json_array_size(events);
        if (json_object_get(reply, "cursor") != NULL) {
            json_decref(cursor);
            cursor = json_incref(json_object_get(reply, "cursor"));
        }
    }
    return EXIT_OK;
}

int command_tail(struct session *session, int argc, char **argv) {
    CLEANUP(options_done) struct options options = {.session = session, .from = -1, .last = -1, .count = -1};
    CLEANUP(interrupt_done) struct interrupt interrupt = {0};
    CLEANUP(session_closep) struct host *host = NULL;
    struct failure failure;
    if (!filter_init(&options.filter)) {
        return session_fail(session, EXIT_ERROR, "no memory");
    }
    (void)argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    if (!interrupt_init(&interrupt, &failure)) {
        return session_fail(session, EXIT_ERROR, "%s", failure.message);
    }
    int code = session_open(session, SESSION_READ, &host, NULL);
    int64_t after = 0;
    if (code != EXIT_OK) {
        return code;
    }
    return find_start(&options, host, &after) ? follow(&options, host, &interrupt, after) : EXIT_ERROR;
}
