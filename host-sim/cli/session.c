/* session.c: the options that all commands share, opening the store as they say, and words on standard error. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/findings.h"
#include "cli/input.h"
#include "message/message.h"

enum { OPTION_PLUGIN = 0x1000, OPTION_DB, OPTION_CONFIG, OPTION_ALLOW_UNSAFE };

static const struct argp_option OPTIONS[] = {
    {0, 0, 0, 0, "Store:", -2},
    {"plugin", OPTION_PLUGIN, "FILE", 0, "The build of the plugin; default: polaris-event-store.so beside this program",
     0},
    {"db", OPTION_DB, "FILE", 0, "The database file; default: ./polaris-events.db", 0},
    {"config", OPTION_CONFIG, "JSON", 0, "An object with keys for init, or @FILE with one (abi/SPEC.md, section 4)", 0},
    {"allow-unsafe", OPTION_ALLOW_UNSAFE, 0, 0, "Load a plugin even if other users can write to it", 0},
    {"verbose", 'v', 0, 0, "Show all log lines of the plugin, not warnings and errors only", 0},
    {0},
};

static void parse_config(struct session *session, const char *argument, const struct argp_state *state) {
    CLEANUP(text_done) struct text text = {0};
    struct failure failure;
    json_t *config = NULL;
    if (argument[0] == '@' ? !text_read_file(argument + 1, &text, &failure) : !text_borrow(argument, &text, &failure)) {
        argp_error(state, "--config: %s", failure.message);
    } else if (!message_parse(text.data, text.size, &config, &failure)) {
        argp_error(state, "--config: %s", failure.message);
    } else if (!json_is_object(config)) {
        argp_error(state, "--config: not an object; write it as '{\"durability\": \"normal\"}'");
    }
    json_decref(session->config);
    session->config = config;
}

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct session *session = state->input;
    switch (key) {
    case OPTION_PLUGIN:
        session->plugin_path = argument;
        return 0;
    case OPTION_DB:
        session->db_path = argument;
        session->db_given = true;
        return 0;
    case OPTION_CONFIG:
        parse_config(session, argument, state);
        return 0;
    case OPTION_ALLOW_UNSAFE:
        session->allow_unsafe = true;
        return 0;
    case 'v':
        session->verbose = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp SESSION_ARGP = {.options = OPTIONS, .parser = parse_option};
const struct argp_child SESSION_CHILDREN[] = {{&SESSION_ARGP, 0, NULL, 0}, {0}};

json_t *session_config(const struct session *session, enum session_mode mode) {
    char owner[128];
    (void)snprintf(owner, sizeof owner, "%s %s", PROGRAM, session->command);
    json_auto_t *config = json_pack("{s: s, s: s, s: s}", "path", session->db_path, "mode",
                                    mode == SESSION_READ ? "read" : "write", "owner", owner);
    if (config == NULL || (session->config != NULL && json_object_update(config, session->config) != 0)) {
        return NULL;
    }
    return json_incref(config);
}

static void log_line(void *context, int32_t level, const char *line) {
    static const char *const NAMES[] = {"debug", "info", "warning", "error"};
    const struct session *session = context;
    if (level < POLARIS_ES_LOG_WARNING && !session->verbose) {
        return;
    }
    bool known = level >= POLARIS_ES_LOG_DEBUG && level <= POLARIS_ES_LOG_ERROR;
    (void)fprintf(stderr, "%s %s: plugin: %s: %s\n", PROGRAM, session->command, known ? NAMES[level] : "log", line);
}

struct host_options session_host_options(struct session *session) {
    return (struct host_options){
        .plugin_path = session->plugin_path,
        .loader = {.allow_unsafe = session->allow_unsafe, .keep_mapped = true},
        .log = log_line,
        .calls = session->calls,
        .context = session,
    };
}

int session_open(struct session *session, enum session_mode mode, struct host **ret_host, json_t **ret_error) {
    json_auto_t *config = session_config(session, mode);
    struct host_options options = session_host_options(session);
    struct failure failure;
    if (config == NULL) {
        return session_fail(session, EXIT_USAGE, "the configuration cannot be made: is the path '%s' UTF-8?",
                            session->db_path);
    }
    CLEANUP(reply_done) struct reply reply = {0};
    if (message_open(config, &options, ret_host, &reply, &failure)) {
        return EXIT_OK;
    }
    json_auto_t *error = NULL;
    struct failure unreadable;
    if (reply.size == 0 || !message_unpack(reply.data, reply.size, &error, &unreadable)) {
        return session_fail(session, EXIT_USAGE, "%s", failure.message);
    }
    if (ret_error != NULL) {
        *ret_error = json_incref(error);
        return EXIT_ERROR;
    }
    return session_fail_reply(session, "cannot open the store", reply.status, error);
}

void session_closep(struct host **host) {
    host_close(*host);
}

int session_fail(const struct session *session, enum exit_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)fprintf(stderr, "%s %s: ", PROGRAM, session->command);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    return (int)code;
}

int session_fail_reply(const struct session *session, const char *tried, int32_t status, const json_t *error) {
    (void)fprintf(stderr, "%s %s: %s: %s: ", PROGRAM, session->command, tried, status_name(status));
    findings_print_error(stderr, error);
    return EXIT_ERROR;
}

int64_t option_number(const struct argp_state *state, const char *name, const char *text, int64_t min, int64_t max) {
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < min || number > max) {
        argp_error(state, "%s wants a whole number from %" PRId64 " to %" PRId64 ", not '%s'", name, min, max, text);
    }
    return number;
}

const char *status_name(int32_t status) {
    switch (status) {
#define STATUS_NAME(name, number, retryable, meaning)                                                                  \
    case number:                                                                                                       \
        return #name;
        POLARIS_ES_STATUSES(STATUS_NAME)
#undef STATUS_NAME
    default:
        return "UNKNOWN";
    }
}
