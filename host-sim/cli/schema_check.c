/* schema_check.c: `schema check`: is a new schema compatible with those before it? */
#include <stdio.h>
#include <string.h>

#include "cli/findings.h"
#include "cli/schema.h"
#include "message/message.h"

/* The versions that the new schema was measured against: "version 1", "versions 1, 2". */
static void print_versions(const json_t *against) {
    size_t count = json_array_size(against);
    (void)fputs(count == 1 ? "version " : "versions ", stdout);
    for (size_t i = 0; i < count; i++) {
        (void)printf("%s%" JSON_INTEGER_FORMAT, i > 0 ? ", " : "", json_integer_value(json_array_get(against, i)));
    }
}

static const char *text_of(const json_t *reply, const char *name) {
    const char *text = json_string_value(json_object_get(reply, name));
    return text != NULL ? text : "?";
}

/* `before` is the file of the older schema; NULL: they are versions. */
static void print_reply(const char *name, const char *before, const json_t *reply) {
    const char *answer = text_of(reply, "answer");
    const json_t *against = json_object_get(reply, "against");
    findings_print_differences(stdout, json_object_get(reply, "differences"), before);
    if (json_is_true(json_object_get(reply, "truncated"))) {
        (void)puts("… and more");
    }
    if (json_array_size(against) == 0) {
        (void)printf("%s: compatible: there is no version to compare with\n", name);
        return;
    }
    (void)printf("%s: %s: %s, %s content, against ", name,
                 strcmp(answer, "yes") == 0  ? "compatible"
                 : strcmp(answer, "no") == 0 ? "not compatible"
                                             : "not known to be compatible",
                 text_of(reply, "compatibility"), text_of(reply, "content"));
    if (before != NULL) {
        (void)fputs(before, stdout);
    } else {
        print_versions(against);
    }
    (void)putchar('\n');
}

/* Puts the schema of --against into a store of this run only, as version 1 of a type. */
static int put_before(struct task *task, const char *path) {
    json_auto_t *request = json_object();
    json_auto_t *reply = NULL;
    json_t *fields[2] = {NULL, NULL};
    int code = schema_take_file(task, path);
    if (code == EXIT_OK) {
        code = task_open_scratch(task);
    }
    if (code != EXIT_OK) {
        return code;
    }
    fields[0] = json_object_get(task->request, "schema");
    fields[1] = json_object_get(task->request, "documents");
    if (json_object_set_new(request, "op", json_string("put")) != 0 ||
        json_object_set_new(request, "type", json_string("schema")) != 0 ||
        json_object_set(request, "schema", fields[0]) != 0 ||
        (fields[1] != NULL && json_object_set(request, "documents", fields[1]) != 0)) {
        return session_fail(task->session, EXIT_ERROR, "no memory");
    }
    int32_t status = message_call(task->host, HOST_SCHEMA, json_incref(request), &reply);
    return status == POLARIS_ES_OK ? EXIT_OK : task_tell_error(task, path, status, reply);
}

static int run_check(struct task *task) {
    const char *before = json_string_value(task_given(task, "against"));
    const char *file = task->arguments[task->argument_count - 1];
    const char *type = before != NULL ? "schema" : task->arguments[0];
    json_auto_t *reply = NULL;
    if (task->argument_count != (before != NULL ? 1 : 2)) {
        return session_fail(task->session, EXIT_USAGE, "wants %s a file with the new schema",
                            before != NULL ? "nothing but --against and" : "a type (or --against) and");
    }
    int code = before != NULL ? put_before(task, before) : EXIT_OK;
    code = code == EXIT_OK ? schema_take_file(task, file) : code;
    if (code == EXIT_OK && !task_set(task, "type", json_string(type))) {
        return session_fail(task->session, EXIT_USAGE, "the type must be UTF-8");
    }
    if (code == EXIT_OK && before == NULL) {
        code = task_open(task, SESSION_READ);
    }
    code = code == EXIT_OK ? task_call(task, "cannot check it", &reply) : code;
    if (code != EXIT_OK) {
        return code;
    }
    if (task->json) {
        code = task_print_json(task, reply);
    } else {
        print_reply(before != NULL ? file : type, before, reply);
    }
    const char *answer = json_string_value(json_object_get(reply, "answer"));
    return code == EXIT_OK && answer != NULL && strcmp(answer, "yes") == 0 ? EXIT_OK : EXIT_ERROR;
}

static const struct task_option OPTIONS[] = {
    SCHEMA_FILE_OPTIONS,
    {"compatibility", "M",
     "backward (the new schema allows all that the old one allows), forward (the other way), full (both), or one of "
     "them with _transitive (measured against every version); default: as the type has it, or backward",
     TASK_TEXT, "compatibility", 0},
    {"content", "C",
     "How open objects are taken: strict (a property that no schema names may have been written with any value) or "
     "lenient (it was not); default: as the type has it",
     TASK_TEXT, "content", 0},
    {"version", "N", "Against this version only", TASK_NUMBER, "version", 1},
    {"against", "FILE", "Against the schema of this file, not a type's; no store is opened", TASK_TEXT, NULL, 0},
    {0},
};

const struct task_kind SCHEMA_CHECK = {
    .name = "check",
    .arguments = "TYPE FILE|-",
    .arguments_doc = "TYPE FILE|-\n--against=FILE FILE|-",
    .summary = "is a new schema compatible?",
    .doc = "Compares a new schema with those of a type, or with one in a file, and lists the differences that matter: "
           "where, what, which way, and, if it is proved, a payload that one allows and the other does not.\v"
           "Exit codes: 0 it is compatible; 1 it is not, or that is not known, or the plugin answered an error; 2 "
           "wrong usage, or a file or a plugin that cannot be read.\n\n"
           "Examples:\n"
           "  polaris-host-sim schema check node_created new.json\n"
           "  polaris-host-sim schema check --against old.json new.json \\\n"
           "    --compatibility full --content lenient",
    .wants = "a type (or --against) and a file with the new schema",
    .arguments_min = 1,
    .arguments_max = 2,
    .verb = HOST_SCHEMA,
    .op = "check",
    .options = OPTIONS,
    .run = run_check,
};
