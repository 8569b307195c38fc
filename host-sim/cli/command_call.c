/* command_call.c: `call`: one request as JSON, its reply as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/input.h"
#include "message/message.h"

struct options {
    struct session *session;
    const char *verb, *request;
    enum session_mode mode;
};

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options->session;
        return 0;
    case 'r':
        options->mode = SESSION_READ;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1) {
            argp_error(state, "too many arguments: '%s'; quote the JSON", argument);
        }
        *(state->arg_num == 0 ? &options->verb : &options->request) = argument;
        return 0;
    case ARGP_KEY_END:
        if (state->arg_num < 2) {
            argp_error(state, "wants a verb and a request: %s '{\"op\": \"head\"}'",
                       state->arg_num == 1 ? options->verb : "query");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option OPTIONS[] = {
    {"read", 'r', 0, 0, "Open for reading, beside a process that writes; default: open for writing", 0},
    {0},
};

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .args_doc = "VERB JSON|@FILE|-",
    .doc =
        "Makes one call of the plugin and prints the reply, one JSON object on one line. VERB is store, query, dlq or "
        "schema; the request stands in the argument, in a file (@FILE), or on standard input (-). Operations and "
        "fields: abi/SPEC.md.\v"
        "JSON and msgpack map both ways without loss:\n"
        "  null, true, \"text\"       nil, bool, str\n"
        "  17                       int, to the full range of 64 bits signed\n"
        "  {\"$uint\": \"18446744073709551615\"}\n"
        "                           int above that\n"
        "  17.0, 1e9                float: a point or an exponent\n"
        "  {\"$float\": \"nan\"}        float that is no number: nan, inf, -inf\n"
        "  {\"$bin\": \"AAH/\"}         bin, as base64\n"
        "  {\"$ext\": [-1, \"AAA=\"]}   ext: type and base64\n"
        "  {\"$str\": \"/w==\"}         str that is no UTF-8, as base64\n"
        "  [...], {...}             array, map\n"
        "  {\"$map\": [[1, \"a\"]]}     map, as pairs, if a key is no string, holds a NUL,\n"
        "                           stands twice, or is the only one and begins\n"
        "                           with '$'\n"
        "\n"
        "Exit codes: 0 the plugin said OK; 1 it answered an error, which is what is printed; 2 wrong usage, a "
        "request that is no JSON, or a plugin that cannot be loaded.\n"
        "\n"
        "Examples:\n"
        "  polaris-host-sim call query '{\"op\": \"get\", \"id\": 1}' --read\n"
        "  polaris-host-sim call store \\\n"
        "    '{\"op\": \"append\", \"event\": {\"type\": \"node_created\", \"data\": {}}}'",
    .children = SESSION_CHILDREN,
};

/* Prints the reply of a call, or an error map made here if there is none that can be read. */
static int print_reply(const struct session *session, int32_t status, json_t *reply) {
    json_auto_t *made = NULL;
    if (reply == NULL) {
        made = json_pack("{s: i, s: s, s: s, s: b, s: {}}", "code", (int)status, "name", status_name(status), "message",
                         "the plugin gave no reply that can be read", "retryable", 0, "details");
        reply = made;
    }
    char *text = reply != NULL ? message_print(reply) : NULL;
    if (text == NULL) {
        return session_fail(session, EXIT_ERROR, "printing the reply: no memory");
    }
    (void)puts(text);
    free(text);
    return status == POLARIS_ES_OK ? EXIT_OK : EXIT_ERROR;
}

int command_call(struct session *session, int argc, char **argv) {
    struct options options = {.session = session};
    (void)argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    enum host_verb verb;
    if (!host_verb_from_name(options.verb, &verb)) {
        return session_fail(session, EXIT_USAGE, "there is no verb '%s': it is store, query, dlq or schema",
                            options.verb);
    }
    CLEANUP(text_done) struct text text = {0};
    CLEANUP(memory_done) uint8_t *data = NULL;
    json_auto_t *request = NULL;
    size_t size = 0;
    struct failure failure;
    if (!text_read_argument(options.request, &text, &failure) ||
        !message_parse(text.data, text.size, &request, &failure) || !message_pack(request, &data, &size, &failure)) {
        return session_fail(session, EXIT_USAGE, "request: %s", failure.message);
    }

    CLEANUP(session_closep) struct host *host = NULL;
    json_auto_t *error = NULL;
    int code = session_open(session, options.mode, &host, &error);
    if (code != EXIT_OK) {
        return error != NULL ? print_reply(session, (int32_t)json_integer_value(json_object_get(error, "code")), error)
                             : code;
    }
    CLEANUP(reply_done) struct reply reply = {0};
    int32_t status = host_call(host, verb, data, size, &reply);
    json_auto_t *answer = NULL;
    if (!message_unpack(reply.data, reply.size, &answer, &failure) && status == POLARIS_ES_OK) {
        return session_fail(session, EXIT_ERROR, "the plugin said OK, but its reply cannot be read: %s",
                            failure.message);
    }
    return print_reply(session, status, answer);
}
