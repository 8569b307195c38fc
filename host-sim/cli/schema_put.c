/* schema_put.c: `schema put`, `schema retire`: versions come, and go out of use. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/schema.h"

static int run_put(struct task *task) {
    json_auto_t *reply = NULL;
    int code = schema_take_file(task, task->arguments[1]);
    if (code == EXIT_OK && !task_set(task, "type", json_string(task->arguments[0]))) {
        return session_fail(task->session, EXIT_USAGE, "the type must be UTF-8");
    }
    code = code == EXIT_OK ? task_open(task, SESSION_WRITE) : code;
    code = code == EXIT_OK ? task_call(task, "cannot put it", &reply) : code;
    if (code != EXIT_OK) {
        return code;
    }
    if (task->json) {
        return task_print_json(task, reply);
    }
    json_int_t version = json_integer_value(json_object_get(reply, "version"));
    if (json_is_true(json_object_get(reply, "created"))) {
        (void)printf("%s: version %" JSON_INTEGER_FORMAT "\n", task->arguments[0], version);
    } else {
        (void)printf("%s: version %" JSON_INTEGER_FORMAT " is the same schema; nothing was changed\n",
                     task->arguments[0], version);
    }
    return EXIT_OK;
}

static const struct task_option PUT_OPTIONS[] = {
    SCHEMA_FILE_OPTIONS,
    {"expected", "N", "Put it only if the latest version is N; 0: there is none", TASK_NUMBER, "expected_version", 0},
    {"metadata", "JSON", "An object to keep with it, or @FILE with one", TASK_VALUE, "metadata", 0},
    {"force", NULL, "Put it even if it is not compatible", TASK_FLAG, "force", 0},
    {0},
};

const struct task_kind SCHEMA_PUT = {
    .name = "put",
    .arguments = "TYPE FILE|-",
    .summary = "put a new version of a schema",
    .doc = "Puts the JSON Schema of a file (2020-12, or draft-07 as its $schema says) as the next version of the "
           "type's. If it is no schema, or not compatible as the type's policy demands, it is told where and why, and "
           "nothing is changed. The file's text is kept as it is.\v" SCHEMA_EXIT_CODES "Example:\n"
           "  polaris-host-sim schema put node_created node.json \\\n"
           "    --document https://example.org/geo=geo.json",
    .wants = "a type and a file with its schema",
    .arguments_min = 2,
    .arguments_max = 2,
    .verb = HOST_SCHEMA,
    .op = "put",
    .options = PUT_OPTIONS,
    .run = run_put,
};

static int run_retire(struct task *task) {
    char *end = NULL;
    errno = 0;
    long long version = strtoll(task->arguments[1], &end, 10);
    if (end == task->arguments[1] || *end != '\0' || errno != 0 || version < 1) {
        return session_fail(task->session, EXIT_USAGE, "a version is a number from 1 on, not '%s'", task->arguments[1]);
    }
    if (!task_set(task, "type", json_string(task->arguments[0])) || !task_set(task, "version", json_integer(version))) {
        return session_fail(task->session, EXIT_USAGE, "the type must be UTF-8");
    }
    json_auto_t *reply = NULL;
    int code = task_open(task, SESSION_WRITE);
    code = code == EXIT_OK ? task_call(task, "cannot retire it", &reply) : code;
    if (code != EXIT_OK || task->json) {
        return code == EXIT_OK ? task_print_json(task, reply) : code;
    }
    json_int_t current = json_integer_value(json_object_get(reply, "current"));
    (void)printf("%s: version %lld is retired; ", task->arguments[0], version);
    if (current > 0) {
        (void)printf("version %" JSON_INTEGER_FORMAT " is the current one\n", current);
    } else {
        (void)puts("none is left: its events are not validated");
    }
    return EXIT_OK;
}

static const struct task_option NO_OPTIONS[] = {{0}};

const struct task_kind SCHEMA_RETIRE = {
    .name = "retire",
    .arguments = "TYPE VERSION",
    .summary = "take a version out of use",
    .doc = "Takes a version out of use: events are validated by the newest that is not retired, and new versions are "
           "not compared with it. It stays readable.\v" SCHEMA_EXIT_CODES "Example:\n"
           "  polaris-host-sim schema retire node_created 2",
    .wants = "a type and the number of a version",
    .arguments_min = 2,
    .arguments_max = 2,
    .verb = HOST_SCHEMA,
    .op = "retire",
    .options = NO_OPTIONS,
    .run = run_retire,
};
