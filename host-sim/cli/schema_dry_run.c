/* schema_dry_run.c: `schema dry-run`: what a new schema would have said of the events that are stored. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/findings.h"
#include "cli/schema.h"

static json_int_t number_of(const json_t *reply, const char *name) {
    return json_integer_value(json_object_get(reply, name));
}

static void print_examples(const json_t *examples) {
    for (size_t i = 0; i < json_array_size(examples); i++) {
        const json_t *example = json_array_get(examples, i);
        char prefix[64];
        (void)snprintf(prefix, sizeof prefix, "  event %" JSON_INTEGER_FORMAT ": ", number_of(example, "id"));
        findings_print_failures(stdout, prefix, json_object_get(example, "failures"));
    }
}

static void print_reply(const char *type, const json_t *reply) {
    json_int_t failed = number_of(reply, "failed");
    (void)printf("%s: %" JSON_INTEGER_FORMAT " stored events: %" JSON_INTEGER_FORMAT " valid, %" JSON_INTEGER_FORMAT
                 " invalid",
                 type, number_of(reply, "checked"), number_of(reply, "valid"), number_of(reply, "invalid"));
    if (failed > 0) {
        (void)printf(", %" JSON_INTEGER_FORMAT " not decided (a limit was hit)", failed);
    }
    (void)printf("\nnewly invalid: %" JSON_INTEGER_FORMAT "\n", number_of(reply, "newly_invalid"));
    print_examples(json_object_get(reply, "newly_invalid_examples"));
    (void)printf("newly valid: %" JSON_INTEGER_FORMAT "\n", number_of(reply, "newly_valid"));
    print_examples(json_object_get(reply, "newly_valid_examples"));
    if (json_is_true(json_object_get(reply, "more"))) {
        (void)printf("there are more events: go on with --after %" JSON_INTEGER_FORMAT "\n",
                     number_of(reply, "last_id"));
    }
}

static int run_dry_run(struct task *task) {
    json_auto_t *reply = NULL;
    int code = schema_take_file(task, task->arguments[1]);
    if (code == EXIT_OK && !task_set(task, "type", json_string(task->arguments[0]))) {
        return session_fail(task->session, EXIT_USAGE, "the type must be UTF-8");
    }
    code = code == EXIT_OK ? task_open(task, SESSION_READ) : code;
    code = code == EXIT_OK ? task_call(task, "cannot try it", &reply) : code;
    if (code != EXIT_OK) {
        return code;
    }
    if (task->json) {
        code = task_print_json(task, reply);
    } else {
        print_reply(task->arguments[0], reply);
    }
    bool harmless = number_of(reply, "newly_invalid") == 0 && number_of(reply, "failed") == 0;
    return code == EXIT_OK && !harmless ? EXIT_ERROR : code;
}

static const struct task_option OPTIONS[] = {
    SCHEMA_FILE_OPTIONS,
    {"after", "ID", "Look at events above this id; default: 0, all", TASK_NUMBER, "after", 0},
    {"limit", "N", "Look at N events at most; default: 1000000", TASK_NUMBER, "limit", 1},
    {"format", "F", "Whether 'format' is checked: annotate (no) or assert; default: as the type has it", TASK_TEXT,
     "format", 0},
    {"extended", NULL, "Payloads may hold what JSON lacks; default: as the type has it", TASK_FLAG, "extended", 0},
    {0},
};

const struct task_kind SCHEMA_DRY_RUN = {
    .name = "dry-run",
    .arguments = "TYPE FILE|-",
    .summary = "try a new schema on stored events",
    .doc = "Holds the stored events of a type against a new schema, and against the current version: how many are "
           "newly invalid (allowed by the current version alone) or newly valid (by the new one alone), with the "
           "smallest examples. Nothing is changed.\v"
           "Exit codes: 0 no event is newly invalid; 1 some are, or could not be decided, or the plugin answered an "
           "error; 2 wrong usage, or a file or a plugin that cannot be read.\n\n"
           "Example:\n"
           "  polaris-host-sim schema dry-run node_created new.json --limit 10000",
    .wants = "a type and a file with the new schema",
    .arguments_min = 2,
    .arguments_max = 2,
    .verb = HOST_SCHEMA,
    .op = "dry_run",
    .options = OPTIONS,
    .run = run_dry_run,
};
