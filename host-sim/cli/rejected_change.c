/* rejected_change.c: `rejected resubmit`, `rejected discard`: what becomes of rejected entries. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/findings.h"
#include "cli/input.h"
#include "cli/rejected.h"
#include "message/message.h"

/* ---- resubmit ---- */

/* The corrected event of a file into the request. EXIT_OK, or the exit code to end with, all being said. */
static int take_event(struct task *task, const char *path) {
    CLEANUP(text_done) struct text text = {0};
    json_t *event = NULL;
    struct failure failure;
    bool from_stdin = strcmp(path, "-") == 0;
    if (from_stdin ? !text_read_argument("-", &text, &failure) : !text_read_file(path, &text, &failure)) {
        return session_fail(task->session, EXIT_USAGE, "%s", failure.message);
    }
    if (!message_parse(text.data, text.size, &event, &failure)) {
        return session_fail(task->session, EXIT_USAGE, "'%s': %s", path, failure.message);
    }
    return task_set(task, "event", event) ? EXIT_OK : session_fail(task->session, EXIT_ERROR, "no memory");
}

static int resubmit_one(struct task *task) {
    json_auto_t *reply = NULL;
    if (!rejected_set_id(task, task->arguments[0])) {
        return EXIT_USAGE;
    }
    int code = task->argument_count > 1 ? take_event(task, task->arguments[1]) : EXIT_OK;
    code = code == EXIT_OK ? task_open(task, SESSION_WRITE) : code;
    code = code == EXIT_OK ? task_call(task, "cannot resubmit it", &reply) : code;
    if (code != EXIT_OK || task->json) {
        return code == EXIT_OK ? task_print_json(task, reply) : code;
    }
    (void)printf("entry %s: event %" JSON_INTEGER_FORMAT "\n", task->arguments[0],
                 json_integer_value(json_object_get(reply, "id")));
    return EXIT_OK;
}

struct resubmission {
    uint64_t stored, refused;
};

/* Does an error speak of this entry alone, so that the next one may fare better? */
static bool is_about_entry(int32_t status) {
    return status == POLARIS_ES_REJECTED || status == POLARIS_ES_INVALID || status == POLARIS_ES_TOO_LARGE ||
           status == POLARIS_ES_CONFLICT || status == POLARIS_ES_ALREADY || status == POLARIS_ES_CLOSED ||
           status == POLARIS_ES_NOT_FOUND;
}

static int resubmit_entry(struct task *task, const json_t *entry, struct resubmission *done) {
    json_int_t id = json_integer_value(json_object_get(entry, "id"));
    json_auto_t *reply = NULL;
    int32_t status =
        message_call(task->host, HOST_DLQ, json_pack("{s: s, s: I}", "op", "rejected.resubmit", "id", id), &reply);
    if (status != POLARIS_ES_OK && !is_about_entry(status)) {
        return task_tell_error(task, "cannot go on", status, reply);
    }
    done->stored += status == POLARIS_ES_OK;
    done->refused += status != POLARIS_ES_OK;
    if (task->json) {
        return reply != NULL ? task_print_json(task, reply) : EXIT_ERROR;
    }
    (void)printf("entry %" JSON_INTEGER_FORMAT ": ", id);
    if (status == POLARIS_ES_OK) {
        (void)printf("event %" JSON_INTEGER_FORMAT "\n", json_integer_value(json_object_get(reply, "id")));
        return EXIT_OK;
    }
    (void)printf("%s: ", status_name(status));
    findings_print_error(stdout, reply);
    return EXIT_OK;
}

static int resubmit_page(struct task *task, const json_t *entries, void *context) {
    int code = EXIT_OK;
    for (size_t i = 0; i < json_array_size(entries) && code == EXIT_OK; i++) {
        code = resubmit_entry(task, json_array_get(entries, i), context);
    }
    return code;
}

static int resubmit_all(struct task *task) {
    struct resubmission done = {0};
    if (!task_set(task, "op", json_string("rejected.list")) || !task_set(task, "states", json_pack("[s]", "waiting"))) {
        return session_fail(task->session, EXIT_ERROR, "no memory");
    }
    int code = task_open(task, SESSION_WRITE);
    code = code == EXIT_OK ? rejected_each_page(task, INT64_MAX, resubmit_page, &done) : code;
    if (code == EXIT_OK && !task->json) {
        (void)printf("%" PRIu64 " resubmitted, %" PRIu64 " still waiting\n", done.stored, done.refused);
    }
    return code == EXIT_OK && done.refused > 0 ? EXIT_ERROR : code;
}

static int run_resubmit(struct task *task) {
    bool all = task_given(task, "all") != NULL;
    if (all != (task->argument_count == 0)) {
        return session_fail(task->session, EXIT_USAGE, "wants the id of an entry, or --all, not both");
    }
    if (!all && json_object_get(task->request, "type") != NULL) {
        return session_fail(task->session, EXIT_USAGE, "--type goes with --all");
    }
    return all ? resubmit_all(task) : resubmit_one(task);
}

static const struct task_option RESUBMIT_OPTIONS[] = {
    {"all", NULL, "Every entry that waits, as it was kept", TASK_FLAG, NULL, 0},
    {"type", "T", "With --all: of this type only", TASK_TEXT, "type", 0},
    {0},
};

const struct task_kind REJECTED_RESUBMIT = {
    .name = "resubmit",
    .arguments = "ID [FILE|-]",
    .arguments_doc = "ID [FILE|-]\n--all",
    .summary = "make an event of an entry after all",
    .doc =
        "Validates an entry's event again, or the corrected one of a file, and stores it. What is still not allowed "
        "stays as it was.\v"
        "Exit codes: 0 it is stored (with --all: all are); 1 it is still not allowed, or the plugin answered another "
        "error; 2 wrong usage, or a file or a plugin that cannot be read.\n\n"
        "Example: after the schema was mended:\n"
        "  polaris-host-sim rejected resubmit --all --type node_created",
    .wants = "the id of an entry, and a file if its event was corrected",
    .arguments_min = 0,
    .arguments_max = 2,
    .verb = HOST_DLQ,
    .op = "rejected.resubmit",
    .options = RESUBMIT_OPTIONS,
    .run = run_resubmit,
};

/* ---- discard ---- */

static int run_discard(struct task *task) {
    json_auto_t *reply = NULL;
    if (json_object_get(task->request, "reason") == NULL) {
        return session_fail(task->session, EXIT_USAGE, "why? give --reason");
    }
    if (!rejected_set_id(task, task->arguments[0])) {
        return EXIT_USAGE;
    }
    int code = task_open(task, SESSION_WRITE);
    code = code == EXIT_OK ? task_call(task, "cannot discard it", &reply) : code;
    if (code != EXIT_OK || task->json) {
        return code == EXIT_OK ? task_print_json(task, reply) : code;
    }
    (void)printf("entry %s: discarded\n", task->arguments[0]);
    return EXIT_OK;
}

static const struct task_option DISCARD_OPTIONS[] = {
    {"reason", "TEXT", "Why; it is kept with the entry. Required", TASK_TEXT, "reason", 0},
    {0},
};

const struct task_kind REJECTED_DISCARD = {
    .name = "discard",
    .arguments = "ID",
    .summary = "give an entry up, with a reason",
    .doc = "Gives a rejected entry up: it will never be an event. It stays readable, with the reason.\v"
           "Exit codes: 0 done; 1 the plugin answered an error; 2 wrong usage.\n\n"
           "Example:\n"
           "  polaris-host-sim rejected discard 3 --reason 'a test'",
    .wants = "the id of an entry",
    .arguments_min = 1,
    .arguments_max = 1,
    .verb = HOST_DLQ,
    .op = "rejected.discard",
    .options = DISCARD_OPTIONS,
    .run = run_discard,
};
