/* command_replay.c: `replay`: rebuilds the graph from the store, and prints its size and digest. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "graph/graph.h"
#include "graph/replay.h"
#include "message/message.h"
#include "owned.h"

enum { OPTION_JSON = 0x3000, OPTION_BEFORE, OPTION_PAGE, PAGE_MAX = 100000 };

struct options {
    struct session *session;
    bool json;
    int64_t before; /* 0: not given */
    int64_t page_size;
};

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options->session;
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_BEFORE:
        options->before = option_number(state, "--before", argument, 1, INT64_MAX);
        return 0;
    case OPTION_PAGE:
        options->page_size = option_number(state, "--page", argument, 1, PAGE_MAX);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "takes options only, not '%s'", argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option OPTIONS[] = {
    {0, 0, 0, 0, "Replay:", 1},
    {"before", OPTION_BEFORE, "ID", 0, "The graph as it was before the event of this id; default: as it is now", 0},
    {"page", OPTION_PAGE, "N", 0, "Events of one page; default: 1000", 0},
    {"json", OPTION_JSON, 0, 0, "One JSON object; default: for people", 0},
    {0},
};

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .doc =
        "Rebuilds the graph from the events of the store, oldest first, and prints its size and a digest (SHA-256 over "
        "all nodes and edges with their properties): two stores with the same digest hold the same graph. Opens the "
        "store for reading, beside a process that writes.\v"
        "With --json: nodes, edges, digest; events (read), applied, ignored (types that are none of the graph's "
        "business), refused (their data did not fit), damaged, last_id, elapsed_us.\n"
        "\n"
        "Exit codes: 0 done, whatever was ignored or refused; 1 the plugin answered an error; 2 wrong usage.\n"
        "\n"
        "Example: polaris-host-sim --db events.db replay --json",
    .children = SESSION_CHILDREN,
};

static bool print_json(const struct graph_counts *counts, const struct replay_result *result, const char *digest) {
    json_auto_t *object =
        json_pack("{s: I, s: I, s: s, s: I, s: I, s: I, s: I, s: I, s: I, s: I}", "nodes", (json_int_t)counts->nodes,
                  "edges", (json_int_t)counts->edges, "digest", digest, "events", (json_int_t)result->events, "applied",
                  (json_int_t)counts->applied, "ignored", (json_int_t)counts->ignored, "refused",
                  (json_int_t)counts->refused, "damaged", (json_int_t)result->damaged, "last_id",
                  (json_int_t)result->last_id, "elapsed_us", (json_int_t)result->elapsed_us);
    CLEANUP(freep) char *text = message_print(object);
    return text != NULL && puts(text) >= 0;
}

static void print_text(const struct graph_counts *counts, const struct replay_result *result, const char *digest) {
    (void)printf("nodes    %" PRIu64 "\nedges    %" PRIu64 "\ndigest   %s\n", counts->nodes, counts->edges, digest);
    (void)printf("events   %" PRIu64 " read: %" PRIu64 " applied, %" PRIu64 " ignored, %" PRIu64 " refused",
                 result->events, counts->applied, counts->ignored, counts->refused);
    if (result->damaged > 0) {
        (void)printf(", %" PRIu64 " of them damaged", result->damaged);
    }
    (void)printf("\nlast id  %" PRId64 "\n", result->last_id);
}

int command_replay(struct session *session, int argc, char **argv) {
    struct options options = {.session = session};
    (void)argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    CLEANUP(graph_freep) struct graph *graph = graph_new();
    json_auto_t *filter = json_object();
    if (graph == NULL || filter == NULL ||
        (options.before > 0 && json_object_set_new(filter, "before_id", json_integer(options.before)) != 0)) {
        return session_fail(session, EXIT_ERROR, "no memory");
    }
    CLEANUP(session_closep) struct host *host = NULL;
    int code = session_open(session, SESSION_READ, &host, NULL);
    if (code != EXIT_OK) {
        return code;
    }
    struct replay_options replay = {.filter = filter, .page_size = options.page_size};
    struct replay_result result;
    struct failure failure;
    char digest[GRAPH_DIGEST_SIZE];
    if (!replay_graph(host, &replay, graph, &result, &failure)) {
        return session_fail(session, EXIT_ERROR, "%s", failure.message);
    }
    if (!graph_digest(graph, digest)) {
        return session_fail(session, EXIT_ERROR, "no memory for the digest");
    }
    struct graph_counts counts = graph_counts(graph);
    if (options.json) {
        return print_json(&counts, &result, digest) ? EXIT_OK : session_fail(session, EXIT_ERROR, "cannot print");
    }
    print_text(&counts, &result, digest);
    return EXIT_OK;
}
