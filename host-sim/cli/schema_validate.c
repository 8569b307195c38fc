/* schema_validate.c: `schema validate`: payloads in files, each held against a schema. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/findings.h"
#include "cli/input.h"
#include "cli/schema.h"
#include "cli/terminal.h"
#include "message/message.h"
#include "owned.h"

struct validation {
    struct task *task;
    bool lines;
    struct interrupt interrupt; /* only with `lines` */
    const char *path;           /* of the payload */
    uint64_t line;              /* of the payload; 0: the whole file is one */
    uint64_t valid, invalid, undecided;
    int code; /* what to end with, but for payloads that are not valid */
};

/* Where the payload stands, as compilers say it: "alice.json", "people.jsonl:3". */
static void print_place(FILE *out, const struct validation *validation) {
    (void)terminal_print(out, strcmp(validation->path, "-") == 0 ? "stdin" : validation->path, 0);
    if (validation->line > 0) {
        (void)fprintf(out, ":%" PRIu64, validation->line);
    }
}

/* ---- Verdicts ---- */

/* With --json: the reply, or what there is instead, and of which payload it is. */
static void print_json_verdict(struct validation *validation, json_t *verdict) {
    json_t *path = json_string(validation->path);
    if (path != NULL) { /* it may be no UTF-8 */
        (void)json_object_set_new(verdict, "file", path);
    }
    if (validation->line > 0) {
        (void)json_object_set_new(verdict, "line", json_integer((json_int_t)validation->line));
    }
    validation->code = task_print_json(validation->task, verdict) == EXIT_OK ? validation->code : EXIT_ERROR;
}

static void tell_verdict(struct validation *validation, json_t *reply) {
    bool valid = json_is_true(json_object_get(reply, "valid"));
    validation->valid += valid;
    validation->invalid += !valid;
    if (validation->task->json) {
        print_json_verdict(validation, reply);
    } else if (valid && !validation->lines) {
        print_place(stdout, validation);
        (void)puts(": valid");
    }
    const json_t *failures = json_object_get(reply, "failures");
    for (size_t i = 0; !validation->task->json && i < json_array_size(failures); i++) {
        json_auto_t *one = json_pack("[O]", json_array_get(failures, i));
        print_place(stdout, validation);
        findings_print_failures(stdout, ": ", one);
    }
    if (!validation->task->json && json_is_true(json_object_get(reply, "truncated"))) {
        print_place(stdout, validation);
        (void)puts(": … and more");
    }
}

/* A line that is no payload: as good as one that is not valid. */
static void tell_unreadable(struct validation *validation, const char *what) {
    validation->invalid++;
    if (validation->task->json) {
        json_auto_t *verdict = json_pack("{s: b, s: s}", "valid", 0, "error", what);
        print_json_verdict(validation, verdict);
        return;
    }
    print_place(stdout, validation);
    (void)fputs(": cannot be read: ", stdout);
    (void)terminal_print(stdout, what, 0);
    (void)putchar('\n');
}

/* Does an error speak of the payload (too deep, a limit), so that the next one may fare better? */
static bool is_about_payload(int32_t status, const json_t *error) {
    const char *path = json_string_value(json_object_get(json_object_get(error, "details"), "path"));
    return (status == POLARIS_ES_INVALID || status == POLARIS_ES_TOO_LARGE) &&
           (path == NULL || strncmp(path, "/data", 5) == 0);
}

/* Holds one payload (stolen) against the schema. False: to go on makes no sense. */
static bool judge(struct validation *validation, json_t *payload) {
    struct task *task = validation->task;
    json_auto_t *reply = NULL;
    if (!task_set(task, "data", payload)) {
        validation->code = session_fail(task->session, EXIT_ERROR, "no memory");
        return false;
    }
    int32_t status = message_call(task->host, HOST_SCHEMA, json_incref(task->request), &reply);
    if (status == POLARIS_ES_OK && reply != NULL) {
        tell_verdict(validation, reply);
        return true;
    }
    if (!is_about_payload(status, reply)) {
        validation->code = task_tell_error(task, "cannot validate", status, reply);
        return false;
    }
    const char *message = json_string_value(json_object_get(reply, "message"));
    validation->undecided++;
    if (task->json) {
        print_json_verdict(validation, reply);
        return true;
    }
    print_place(stdout, validation);
    (void)printf(": not decided: %s: ", status_name(status));
    (void)terminal_print(stdout, message != NULL ? message : "the plugin gave no message", 0);
    (void)putchar('\n');
    return true;
}

/* ---- Payloads ---- */

/* A payload from text, or what is wrong with it. */
static json_t *parse_payload(const char *text, size_t size, struct failure *failure) {
    json_auto_t *payload = NULL;
    CLEANUP(memory_done) uint8_t *packed = NULL;
    size_t packed_size = 0;
    if (!message_parse(text, size, &payload, failure) || !message_pack(payload, &packed, &packed_size, failure)) {
        return NULL;
    }
    return json_incref(payload);
}

static bool judge_file(struct validation *validation) {
    CLEANUP(text_done) struct text text = {0};
    struct failure failure;
    const char *path = validation->path;
    bool from_stdin = strcmp(path, "-") == 0;
    if (from_stdin ? !text_read_argument("-", &text, &failure) : !text_read_file(path, &text, &failure)) {
        validation->code = session_fail(validation->task->session, EXIT_USAGE, "%s", failure.message);
        return true;
    }
    json_t *payload = parse_payload(text.data, text.size, &failure);
    if (payload == NULL) {
        validation->code = session_fail(validation->task->session, EXIT_USAGE, "'%s': %s%s", path, failure.message,
                                        text.size > 0 ? "; is it JSON Lines? then give --lines" : "");
        return true;
    }
    return judge(validation, payload);
}

static bool judge_line(struct validation *validation, const char *line, size_t size) {
    struct failure failure;
    bool blank = true;
    for (size_t i = 0; i < size && blank; i++) {
        blank = line[i] == ' ' || line[i] == '\t' || line[i] == '\r';
    }
    if (blank) {
        return true;
    }
    json_t *payload = parse_payload(line, size, &failure);
    if (payload != NULL) {
        return judge(validation, payload);
    }
    /* "line 1, column 7: …": the line is told already. */
    const char *what = strncmp(failure.message, "line 1, ", 8) == 0 ? failure.message + 8 : failure.message;
    tell_unreadable(validation, what);
    return true;
}

static bool judge_lines(struct validation *validation) {
    CLEANUP(line_reader_done) struct line_reader reader = {.fd = STDIN_FILENO};
    CLEANUP(fd_closep) int fd = -1;
    if (strcmp(validation->path, "-") != 0) {
        reader.fd = fd = open(validation->path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            validation->code = session_fail(validation->task->session, EXIT_USAGE, "cannot open '%s': %s",
                                            validation->path, strerror(errno));
            return true;
        }
    }
    for (bool go_on = true; go_on;) {
        const char *line = NULL;
        size_t size = 0;
        enum line_result result = interrupt_came(&validation->interrupt)
                                      ? LINE_INTERRUPTED
                                      : line_read(&reader, &validation->interrupt, &line, &size);
        validation->line = reader.number;
        switch (result) {
        case LINE_READ:
            go_on = judge_line(validation, line, size);
            break;
        case LINE_WOKEN: /* nobody wakes this reader */
            break;
        case LINE_TOO_LONG:
            tell_unreadable(validation, "the line is too long");
            break;
        case LINE_END:
            return true;
        case LINE_INTERRUPTED:
            validation->code = EXIT_ERROR;
            return false;
        case LINE_FAILED:
            validation->code = session_fail(validation->task->session, EXIT_USAGE, "cannot read '%s': %s",
                                            validation->path, strerror(errno));
            return true;
        }
    }
    return false;
}

static void print_summary(const struct validation *validation) {
    uint64_t count = validation->valid + validation->invalid + validation->undecided;
    if (validation->task->json || (count < 2 && !validation->lines)) {
        return;
    }
    (void)printf("%" PRIu64 " payload%s: %" PRIu64 " valid, %" PRIu64 " invalid", count, count == 1 ? "" : "s",
                 validation->valid, validation->invalid);
    if (validation->undecided > 0) {
        (void)printf(", %" PRIu64 " not decided", validation->undecided);
    }
    (void)putchar('\n');
}

/* ---- The task ---- */

static int judge_all(struct task *task, size_t first) {
    struct validation validation = {.task = task, .lines = task_given(task, "lines") != NULL};
    struct failure failure;
    if (validation.lines && !interrupt_init(&validation.interrupt, &failure)) {
        return session_fail(task->session, EXIT_ERROR, "%s", failure.message);
    }
    bool schema_given = task_given(task, "schema") != NULL;
    int code = schema_given ? task_open_scratch(task) : task_open(task, SESSION_READ);
    bool go_on = code == EXIT_OK;
    for (size_t i = first; i < task->argument_count && go_on; i++) {
        validation.path = task->arguments[i];
        validation.line = 0;
        go_on = validation.lines ? judge_lines(&validation) : judge_file(&validation);
    }
    if (validation.lines) {
        interrupt_done(&validation.interrupt);
    }
    if (code != EXIT_OK) {
        return code;
    }
    print_summary(&validation);
    return validation.code != EXIT_OK                           ? validation.code
           : validation.invalid > 0 || validation.undecided > 0 ? EXIT_ERROR
                                                                : EXIT_OK;
}

static int run_validate(struct task *task) {
    const json_t *schema = task_given(task, "schema");
    size_t first = schema == NULL ? 1 : 0;
    if (schema == NULL && task->argument_count < 2) {
        return session_fail(task->session, EXIT_USAGE, "wants a type (or --schema) and files with payloads");
    }
    if (schema == NULL && (task_given(task, "document") != NULL || task_given(task, "msgpack") != NULL)) {
        return session_fail(task->session, EXIT_USAGE, "--document and --msgpack go with --schema");
    }
    if (schema == NULL && !task_set(task, "type", json_string(task->arguments[0]))) {
        return session_fail(task->session, EXIT_USAGE, "the type must be UTF-8");
    }
    int code = schema != NULL ? schema_take_file(task, json_string_value(schema)) : EXIT_OK;
    return code == EXIT_OK ? judge_all(task, first) : code;
}

static const struct task_option OPTIONS[] = {
    {"schema", "FILE", "By the schema of this file, not a type's; no store is opened", TASK_TEXT, NULL, 0},
    SCHEMA_FILE_OPTIONS,
    {"version", "N", "By this version of the type's schema; default: the current one", TASK_NUMBER, "version", 1},
    {"lines", NULL, "The files are JSON Lines: each line is a payload", TASK_FLAG, NULL, 0},
    {"format", "F", "Whether 'format' is checked: annotate (no) or assert; default: as the type has it", TASK_TEXT,
     "format", 0},
    {"extended", NULL, "Payloads may hold what JSON lacks; default: as the type has it", TASK_FLAG, "extended", 0},
    {"failures-max", "N", "Tell at most N failures of a payload; default: 32", TASK_NUMBER, "failures_max", 1},
    {"hide-values", NULL, "Tell types, never values, of what failed", TASK_FLAG, "hide_values", 0},
    {0},
};

const struct task_kind SCHEMA_VALIDATE = {
    .name = "validate",
    .arguments = "TYPE FILE|-...",
    .arguments_doc = "TYPE FILE|-...\n--schema=FILE FILE|-...",
    .summary = "hold payloads against a schema",
    .doc = "Holds payloads (the data of events) in files against the schema of a type, or against one in a file. A "
           "payload is JSON, in the form that 'call --help' describes. Each failure stands in a line of its own, after "
           "the file (and line). With --json: the reply for each payload, one a line, with 'file' and 'line'.\v"
           "Exit codes: 0 all are valid; 1 some are not, or could not be decided, or the plugin answered an error; 2 "
           "wrong usage, or a file or a plugin that cannot be read.\n\n"
           "Examples:\n"
           "  polaris-host-sim schema validate node_created alice.json bob.json\n"
           "  polaris-host-sim schema validate --schema node.json --lines nodes.jsonl",
    .wants = "a type (or --schema) and files with payloads",
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .verb = HOST_SCHEMA,
    .op = "validate",
    .options = OPTIONS,
    .run = run_validate,
};
