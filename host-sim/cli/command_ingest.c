/* command_ingest.c: `ingest`: stores events from JSON Lines, many to a request; a bad one is told and left out. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/findings.h"
#include "cli/input.h"
#include "cli/progress.h"
#include "message/message.h"

enum { OPTION_BATCH = 0x3000, OPTION_STRICT, BATCH_DEFAULT = 1000, BATCH_MAX = 1000000 };

/* A request is sent when its events come to this, whatever --batch says: well below the plugin's default limit. */
#define REQUEST_SIZE (16u << 20)

/* An event that was read and not yet stored. */
struct pending {
    uint64_t line;
    polaris_bytes event; /* msgpack; freed with free() */
};

struct ingest {
    struct session *session;
    const char *path;
    size_t batch;
    bool strict;

    struct host *host;
    struct interrupt interrupt;
    struct line_reader lines;
    struct progress progress;
    struct pending *pending; /* `batch` of them */
    size_t pending_count, pending_size;

    uint64_t stored, duplicates, refused, kept; /* what the summary says; kept: as rejected entries */
    int64_t first_id, last_id;
    uint64_t resume_line; /* when it ended early: the first line that was neither stored nor refused; otherwise 0 */
};

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
        "When it is interrupted (Ctrl-C) or the store refuses to go on, it says what was stored and from which line "
        "to go on. Events with a \"key\" can be sent again without harm.\n"
        "\n"
        "Exit codes: 0 all events went in; 1 some did not; 2 wrong usage, a file that cannot be read, or a plugin "
        "that cannot be loaded.\n"
        "\n"
        "Example:\n"
        "  echo '{\"type\": \"node_created\", \"data\": {}}' | polaris-host-sim ingest -",
    .children = SESSION_CHILDREN,
};

/* ---- Sending ---- */

/* Tells a bad line. */
__attribute__((format(printf, 3, 4))) static void report(struct ingest *ingest, uint64_t line, const char *format,
                                                         ...) {
    va_list args;
    va_start(args, format);
    progress_clear(&ingest->progress);
    (void)fprintf(stderr, "line %" PRIu64, line);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    ingest->refused++;
}

/* Tells an event that the store refused; `rest` is where in the event. */
static void report_refused(struct ingest *ingest, uint64_t line, int32_t status, const json_t *error,
                           const char *rest) {
    const char *message = json_string_value(json_object_get(error, "message"));
    if (status == POLARIS_ES_REJECTED && error != NULL) {
        progress_clear(&ingest->progress);
        (void)fprintf(stderr, "line %" PRIu64 ": %s: ", line, status_name(status));
        findings_print_error(stderr, error);
        ingest->refused++;
        return;
    }
    report(ingest, line, ": %s%s%s: %s", status_name(status), *rest != '\0' ? " at " : "", rest,
           message != NULL ? message : "the plugin gave no message");
}

static void free_data(polaris_bytes event) {
    free((void *)(uintptr_t)event.data);
}

/* Takes `count` events from `from` on out of what is pending. */
static void remove_pending(struct ingest *ingest, size_t from, size_t count) {
    for (size_t i = from; i < from + count; i++) {
        ingest->pending_size -= ingest->pending[i].event.size;
        free_data(ingest->pending[i].event);
    }
    if (count == 0) {
        return;
    }
    memmove(ingest->pending + from, ingest->pending + from + count,
            (ingest->pending_count - from - count) * sizeof *ingest->pending);
    ingest->pending_count -= count;
}

/* Sends the first `count` pending events in one request. */
static int32_t append(struct ingest *ingest, size_t count, json_t **ret_reply) {
    CLEANUP(memory_done) uint8_t *data = NULL;
    size_t size = 0;
    struct failure failure;
    polaris_bytes *events = malloc(count * sizeof *events);
    if (events == NULL) {
        return POLARIS_ES_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        events[i] = ingest->pending[i].event;
    }
    bool packed = message_pack_append(events, count, &data, &size, &failure);
    free(events);
    if (!packed) {
        return POLARIS_ES_NO_MEMORY;
    }
    CLEANUP(reply_done) struct reply reply = {0};
    int32_t status = host_call(ingest->host, HOST_STORE, data, size, &reply);
    if (!message_unpack(reply.data, reply.size, ret_reply, &failure)) {
        *ret_reply = NULL;
    }
    return status;
}

/* Tells what validation found in events that the store took, whether as events (warned of) or as rejected entries. */
static void tell_findings(struct ingest *ingest, size_t count, const json_t *maps) {
    for (size_t i = 0; i < json_array_size(maps); i++) {
        const json_t *map = json_array_get(maps, i);
        const json_t *id = json_object_get(map, "id"); /* of a rejected entry */
        json_int_t index = json_integer_value(json_object_get(map, "index"));
        progress_clear(&ingest->progress);
        if (index >= 0 && (uint64_t)index < count) {
            (void)fprintf(stderr, "line %" PRIu64 ": ", ingest->pending[index].line);
        }
        if (id != NULL) {
            (void)fprintf(stderr, "not valid, kept as rejected entry %" JSON_INTEGER_FORMAT "\n",
                          json_integer_value(id));
        } else {
            (void)fputs("stored, but not valid\n", stderr);
        }
        findings_print(stderr, map);
    }
}

/* The store has the first `count` pending events. */
static void count_stored(struct ingest *ingest, size_t count, const json_t *reply) {
    const json_t *ids = json_object_get(reply, "ids");
    json_int_t duplicates = json_integer_value(json_object_get(reply, "duplicates"));
    const json_t *rejected = json_object_get(reply, "rejected");
    tell_findings(ingest, count, rejected);
    tell_findings(ingest, count, json_object_get(reply, "warnings"));
    ingest->duplicates += (uint64_t)duplicates;
    ingest->kept += json_array_size(rejected);
    ingest->stored += count - (uint64_t)duplicates - json_array_size(rejected);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        if (!json_is_integer(json_array_get(ids, i))) { /* kept as a rejected entry */
            continue;
        }
        int64_t id = json_integer_value(json_array_get(ids, i));
        ingest->first_id = ingest->first_id == 0 || id < ingest->first_id ? id : ingest->first_id;
        ingest->last_id = id > ingest->last_id ? id : ingest->last_id;
    }
    remove_pending(ingest, 0, count);
}

/* Is it the fault of an event (or of too many in one request), rather than of the store? */
static bool is_about_events(int32_t status) {
    return status == POLARIS_ES_INVALID || status == POLARIS_ES_TOO_LARGE || status == POLARIS_ES_CONFLICT ||
           status == POLARIS_ES_REJECTED;
}

/* Which of `count` events an error is about, from its path "/events/K…"; `count` if it does not say. *ret_rest is the
 * path within the event. */
static size_t find_culprit(const json_t *error, size_t count, const char **ret_rest) {
    static const char PREFIX[] = "/events/";
    const char *path = json_string_value(json_object_get(json_object_get(error, "details"), "path"));
    *ret_rest = "";
    if (path == NULL || strncmp(path, PREFIX, sizeof PREFIX - 1) != 0) {
        return count == 1 ? 0 : count;
    }
    char *end = NULL;
    unsigned long long index = strtoull(path + sizeof PREFIX - 1, &end, 10);
    if (end == path + sizeof PREFIX - 1 || index >= count) {
        return count == 1 ? 0 : count;
    }
    *ret_rest = end;
    return (size_t)index;
}

/* Stores what is pending. A refused event is told, taken out, and the rest is sent again. False: to go on makes no
 * sense; what is still pending was not stored. */
static bool flush_pending(struct ingest *ingest) {
    bool go_on = true;
    for (size_t chunk = ingest->pending_count; ingest->pending_count > 0;) {
        size_t count = chunk < ingest->pending_count ? chunk : ingest->pending_count;
        json_auto_t *reply = NULL;
        int32_t status = append(ingest, count, &reply);
        if (status == POLARIS_ES_OK || status == POLARIS_ES_REPLY_LOST) {
            count_stored(ingest, count, reply);
            continue;
        }
        const char *rest;
        size_t culprit = find_culprit(reply, count, &rest);
        if (!is_about_events(status)) {
            progress_clear(&ingest->progress);
            (void)session_fail_reply(ingest->session, "the store refuses to go on", status, reply);
            return false;
        }
        if (culprit == count) { /* too much for one request, by a limit that this host does not know */
            chunk = count / 2;
            ingest->batch = status == POLARIS_ES_TOO_LARGE ? chunk : ingest->batch;
            continue;
        }
        report_refused(ingest, ingest->pending[culprit].line, status, reply, rest);
        if (ingest->strict) { /* what stands before it goes in still */
            ingest->resume_line = ingest->pending[culprit].line;
            remove_pending(ingest, culprit, ingest->pending_count - culprit);
            go_on = false;
        } else {
            remove_pending(ingest, culprit, 1);
        }
    }
    return go_on;
}

/* ---- Reading ---- */

static bool is_blank(const char *line, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (strchr(" \t\r", line[i]) == NULL || line[i] == '\0') {
            return false;
        }
    }
    return true;
}

/* Adds the event of a line to what is pending. False: the line is bad, and was told. */
static bool add_line(struct ingest *ingest, const char *line, size_t size) {
    json_auto_t *event = NULL;
    uint8_t *data = NULL;
    size_t packed = 0;
    struct failure failure;
    uint64_t number = ingest->lines.number;
    if (!message_parse_line(line, size, number, &event, &failure)) {
        report(ingest, number, "%s", failure.message + strcspn(failure.message, ","));
        return false;
    }
    if (!json_is_object(event)) {
        report(ingest, number, ": an event is a JSON object, such as {\"type\": \"node_created\", \"data\": {}}");
        return false;
    }
    if (!message_pack(event, &data, &packed, &failure)) {
        report(ingest, number, ": %s", failure.message);
        return false;
    }
    ingest->pending[ingest->pending_count++] = (struct pending){number, {data, packed}};
    ingest->pending_size += packed;
    return true;
}

/* Reads and stores until the end of the input. False: it ended early, and resume_line says where. */
static bool run(struct ingest *ingest) {
    for (;;) {
        const char *line = NULL;
        size_t size = 0;
        enum line_result result = interrupt_came(&ingest->interrupt)
                                      ? LINE_INTERRUPTED
                                      : line_read(&ingest->lines, &ingest->interrupt, &line, &size);
        bool good = true;
        switch (result) {
        case LINE_END:
            return flush_pending(ingest);
        case LINE_FAILED:
            (void)session_fail(ingest->session, EXIT_USAGE, "reading '%s': %s", ingest->path, strerror(errno));
            return false;
        case LINE_INTERRUPTED:
            return false;
        case LINE_TOO_LONG:
            report(ingest, ingest->lines.number, ": longer than %zu MiB", LINE_SIZE_MAX >> 20);
            good = false;
            break;
        case LINE_READ:
            good = is_blank(line, size) || add_line(ingest, line, size);
            break;
        }
        if (!good && ingest->strict) {
            ingest->resume_line = ingest->lines.number;
            (void)flush_pending(ingest); /* what stands before it goes in */
            return false;
        }
        if ((ingest->pending_count >= ingest->batch || ingest->pending_size >= REQUEST_SIZE) &&
            !flush_pending(ingest)) {
            return false;
        }
        progress_show(&ingest->progress, ingest->lines.passed, ingest->stored);
    }
}

static void print_summary(const struct ingest *ingest) {
    double elapsed_s = (double)(progress_now_us() - ingest->progress.started_us + 1) / 1e6;
    (void)printf("stored %" PRIu64 " event%s in %.2f s (%.0f/s)", ingest->stored, ingest->stored == 1 ? "" : "s",
                 elapsed_s, (double)ingest->stored / elapsed_s);
    if (ingest->stored == 1) {
        (void)printf(", id %" PRId64, ingest->last_id);
    } else if (ingest->stored > 1) {
        (void)printf(", ids %" PRId64 " to %" PRId64, ingest->first_id, ingest->last_id);
    }
    if (ingest->duplicates > 0) {
        (void)printf("; %" PRIu64 " were there before, under their keys", ingest->duplicates);
    }
    if (ingest->refused > 0) {
        (void)printf("; %" PRIu64 " line%s refused", ingest->refused, ingest->refused == 1 ? "" : "s");
    }
    if (ingest->kept > 0) {
        (void)printf("; %" PRIu64 " kept as rejected entries", ingest->kept);
    }
    if (ingest->resume_line > 0) {
        (void)printf("; ended early: go on from line %" PRIu64, ingest->resume_line);
    }
    (void)putchar('\n');
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
    remove_pending(ingest, 0, ingest->pending_count);
    free(ingest->pending);
    line_reader_done(&ingest->lines);
    interrupt_done(&ingest->interrupt);
    if (ingest->lines.fd > STDERR_FILENO) {
        (void)close(ingest->lines.fd);
    }
}

int command_ingest(struct session *session, int argc, char **argv) {
    CLEANUP(ingest_done) struct ingest ingest = {.session = session, .batch = BATCH_DEFAULT};
    (void)argp_parse(&ARGP, argc, argv, 0, NULL, &ingest);
    struct failure failure;
    struct stat status;
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
    int code = session_open(session, SESSION_WRITE, &ingest.host, NULL);
    if (code != EXIT_OK) {
        return code;
    }
    progress_start(&ingest.progress, S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0);
    bool finished = run(&ingest);
    progress_clear(&ingest.progress);
    if (!finished && ingest.pending_count > 0) {
        ingest.resume_line = ingest.pending[0].line;
    } else if (!finished && ingest.resume_line == 0) {
        ingest.resume_line = ingest.lines.number + 1;
    }
    print_summary(&ingest);
    return finished && ingest.refused == 0 && ingest.kept == 0 ? EXIT_OK : EXIT_ERROR;
}
