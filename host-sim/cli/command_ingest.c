/* command_ingest.c: `ingest`: stores events from JSON Lines, many to a request and several requests at a time; a bad
 * one is told and left out. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ingest.h"
#include "message/message.h"

enum { OPTION_BATCH = 0x3000, OPTION_IN_FLIGHT, OPTION_STRICT };
enum { BATCH_DEFAULT = 1000, BATCH_MAX = 1000000, IN_FLIGHT_DEFAULT = 2, IN_FLIGHT_MAX = 1024 };

/* A request is sent when its events come to this, whatever --batch says: well below the plugin's default limit. */
#define REQUEST_SIZE (16u << 20)

/* ---- Options ---- */

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct ingest *ingest = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = ingest->session;
        return 0;
    case OPTION_BATCH:
        ingest->batch = (size_t)option_number(state, "--batch", argument, 1, BATCH_MAX);
        return 0;
    case OPTION_IN_FLIGHT:
        ingest->in_flight = (size_t)option_number(state, "--in-flight", argument, 1, IN_FLIGHT_MAX);
        return 0;
    case OPTION_STRICT:
        ingest->strict = true;
        return 0;
    case ARGP_KEY_ARG:
        if (ingest->path != NULL) {
            argp_error(state, "takes one file, not '%s' as well", argument);
        }
        ingest->path = argument;
        return 0;
    case ARGP_KEY_END:
        if (ingest->path == NULL) {
            argp_error(state, "wants a file, or - for standard input");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option OPTIONS[] = {
    {"batch", OPTION_BATCH, "N", 0, "Store N events per request, which is all of them or none; default: 1000", 0},
    {"in-flight", OPTION_IN_FLIGHT, "N", 0, "Have N requests stored at a time; default: 2, with --strict always 1", 0},
    {"strict", OPTION_STRICT, 0, 0, "Stop at the first bad line; what stands before it is stored", 0},
    {0},
};

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .args_doc = "FILE|-",
    .doc =
        "Stores events from JSON Lines: one event a line, as requests have them (abi/SPEC.md, section 5), in the form "
        "that 'call --help' describes. Empty lines are skipped. A bad line is reported with its number on standard "
        "error, and the rest goes on; so is one that its schema does not allow. On a terminal a progress bar shows the "
        "rate and the time left.\v"
        "Events are stored in the order of their lines. When one is refused, its request is sent again without it, and "
        "requests behind it that were in flight may be stored before; --in-flight 1 keeps the order then as well.\n"
        "\n"
        "When it is interrupted (Ctrl-C) or the store refuses to go on, it says what was stored and from which line "
        "to go on; a second interrupt ends it at once. Events with a \"key\" can be sent again without harm.\n"
        "\n"
        "Exit codes: 0 all events went in; 1 some did not; 2 wrong usage, a file that cannot be read, or a plugin "
        "that cannot be loaded.\n"
        "\n"
        "Example:\n"
        "  echo '{\"type\": \"node_created\", \"data\": {}}' | polaris-host-sim ingest -",
    .children = SESSION_CHILDREN,
};

/* ---- Reading ---- */

static bool is_blank(const char *line, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (strchr(" \t\r", line[i]) == NULL || line[i] == '\0') {
            return false;
        }
    }
    return true;
}

/* Adds the event of a line to what is pending. False: the line is bad; `what` says why, to follow its number. */
static bool add_line(struct ingest *ingest, const char *line, size_t size, struct failure *what) {
    json_auto_t *event = NULL;
    uint8_t *data = NULL;
    size_t packed = 0;
    struct failure failure;
    uint64_t number = ingest->lines.number;
    if (!message_parse_line(line, size, number, &event, &failure)) {
        return failure_set(what, "%s", failure.message + strcspn(failure.message, ","));
    }
    if (!json_is_object(event)) {
        return failure_set(what, ": an event is a JSON object, such as {\"type\": \"node_created\", \"data\": {}}");
    }
    if (!message_pack(event, &data, &packed, &failure)) {
        return failure_set(what, ": %.1000s", failure.message);
    }
    ingest->pending[ingest->pending_count++] = (struct pending){number, {data, packed}};
    ingest->pending_size += packed;
    return true;
}

/* Sends what is pending. */
static bool send_pending(struct ingest *ingest, enum advance until) {
    return flight_add(ingest) && flight_advance(ingest, until);
}

/* A line is bad. False: to go on makes no sense. */
static bool leave_out(struct ingest *ingest, const char *what) {
    if (ingest->strict && !send_pending(ingest, ADVANCE_ALL)) {
        return false; /* what stands before it was not good either: that line was the first */
    }
    tell_bad_line(ingest, ingest->lines.number, what);
    ingest->resume_line = ingest->strict ? ingest->lines.number : 0;
    return !ingest->strict;
}

/* Sends what is there, if it is enough. */
static bool go_on(struct ingest *ingest) {
    if ((ingest->pending_count >= ingest->batch || ingest->pending_size >= REQUEST_SIZE) &&
        !send_pending(ingest, ADVANCE_ROOM)) {
        return false;
    }
    progress_show(&ingest->progress, ingest->lines.passed, ingest->stored);
    return true;
}

/* After the last line: did an interrupt come too late to leave anything out? */
static bool is_all_in(const struct ingest *ingest) {
    return ingest->pending_count == 0 && ingest->request_count == 0 && ingest->resume_line == 0;
}

/* Reads and stores until the end of the input. False: it ended early. */
static bool run(struct ingest *ingest) {
    for (bool goes_on = true; goes_on;) {
        const char *line = NULL;
        size_t size = 0;
        struct failure what;
        enum line_result result = interrupt_came(&ingest->interrupt)
                                      ? LINE_INTERRUPTED
                                      : line_read(&ingest->lines, &ingest->interrupt, &line, &size);
        switch (result) {
        case LINE_END:
            return send_pending(ingest, ADVANCE_ALL) || is_all_in(ingest);
        case LINE_FAILED:
            (void)failure_set(&what, "reading '%s': %s", ingest->path, strerror(errno));
            progress_clear(&ingest->progress);
            ingest->code = session_fail(ingest->session, EXIT_USAGE, "%s", what.message);
            flight_give_up(ingest);
            return false;
        case LINE_INTERRUPTED:
            flight_give_up(ingest);
            return false;
        case LINE_WOKEN:
            goes_on = flight_advance(ingest, ADVANCE_NOW);
            break;
        case LINE_TOO_LONG:
            (void)failure_set(&what, ": longer than %zu MiB", LINE_SIZE_MAX >> 20);
            goes_on = leave_out(ingest, what.message) && go_on(ingest);
            break;
        case LINE_READ:
            goes_on =
                (is_blank(line, size) || add_line(ingest, line, size, &what) || leave_out(ingest, what.message)) &&
                go_on(ingest);
            break;
        }
    }
    return false;
}

/* The first line that was neither stored nor refused. */
static uint64_t find_resume_line(const struct ingest *ingest) {
    for (size_t i = 0; i < ingest->request_count; i++) {
        if (ingest->requests[i]->state != REQUEST_STORED) {
            return ingest->requests[i]->events[0].line;
        }
    }
    if (ingest->resume_line > 0) {
        return ingest->resume_line;
    }
    return ingest->pending_count > 0 ? ingest->pending[0].line : ingest->lines.number + 1;
}

/* ---- The command ---- */

static bool open_input(struct ingest *ingest) {
    if (strcmp(ingest->path, "-") == 0) {
        ingest->lines.fd = STDIN_FILENO;
        return true;
    }
    ingest->lines.fd = open(ingest->path, O_RDONLY | O_CLOEXEC);
    return ingest->lines.fd >= 0;
}

static void ingest_done(struct ingest *ingest) {
    host_close(ingest->host);
    flight_done(ingest);
    pending_drop(ingest->pending, ingest->pending_count);
    free(ingest->pending);
    line_reader_done(&ingest->lines);
    interrupt_done(&ingest->interrupt);
    if (ingest->lines.fd > STDERR_FILENO) {
        (void)close(ingest->lines.fd);
    }
}

int command_ingest(struct session *session, int argc, char **argv) {
    CLEANUP(ingest_done)
    struct ingest ingest = {
        .session = session, .batch = BATCH_DEFAULT, .in_flight = IN_FLIGHT_DEFAULT, .mutex = PTHREAD_MUTEX_INITIALIZER};
    (void)argp_parse(&ARGP, argc, argv, 0, NULL, &ingest);
    struct failure failure;
    struct stat status;
    ingest.in_flight = ingest.strict ? 1 : ingest.in_flight;
    if (!open_input(&ingest) || fstat(ingest.lines.fd, &status) != 0) {
        return session_fail(session, EXIT_USAGE, "cannot open '%s': %s", ingest.path, strerror(errno));
    }
    if (S_ISDIR(status.st_mode)) {
        return session_fail(session, EXIT_USAGE, "cannot read '%s': it is a folder", ingest.path);
    }
    ingest.pending = calloc(ingest.batch, sizeof *ingest.pending);
    if (ingest.pending == NULL || !interrupt_init(&ingest.interrupt, &failure)) {
        return session_fail(session, EXIT_ERROR, "%s", ingest.pending == NULL ? "no memory" : failure.message);
    }
    if (!flight_init(&ingest)) {
        return session_fail(session, EXIT_ERROR, "cannot watch for ends: %s", strerror(errno));
    }
    ingest.lines.wake_fd = ingest.wake_fd;
    int code = session_open(session, SESSION_WRITE, &ingest.host, NULL);
    if (code != EXIT_OK) {
        return code;
    }
    progress_start(&ingest.progress, S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0);
    bool finished = run(&ingest);
    progress_clear(&ingest.progress);
    ingest.resume_line = finished ? 0 : find_resume_line(&ingest);
    tell_summary(&ingest);
    if (ingest.code != EXIT_OK) {
        return ingest.code;
    }
    return finished && ingest.refused == 0 && ingest.kept == 0 ? EXIT_OK : EXIT_ERROR;
}
