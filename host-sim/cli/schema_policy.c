/* schema_policy.c: `schema policy`: how events of a type are held against its schema, and new versions against old. */
#include <stdio.h>

#include "cli/schema.h"

/* Without a setting to change, the settings are read. */
static int run_policy(struct task *task) {
    bool reads = json_object_size(task->request) == 1; /* the op alone */
    if ((reads && !task_set(task, "op", json_string("versions"))) ||
        !task_set(task, "type", json_string(task->arguments[0]))) {
        return session_fail(task->session, EXIT_USAGE, "the type must be UTF-8");
    }
    json_auto_t *reply = NULL;
    int code = task_open(task, reads ? SESSION_READ : SESSION_WRITE);
    code = code == EXIT_OK ? task_call(task, reads ? "cannot read it" : "cannot set it", &reply) : code;
    if (code != EXIT_OK) {
        return code;
    }
    if (task->json) {
        (void)json_object_del(reply, "versions"); /* the same form, whether something was set or not */
        (void)json_object_del(reply, "latest");
        (void)json_object_del(reply, "current");
        return task_print_json(task, reply);
    }
    schema_print_settings(reply);
    return EXIT_OK;
}

static const struct task_option OPTIONS[] = {
    {"policy", "P",
     "What becomes of events that the schema does not allow: reject (the default), dead_letter (kept, see 'rejected'), "
     "warn (stored, with a warning), off (nothing is validated)",
     TASK_TEXT, "policy", 0},
    {"compatibility", "M",
     "What a new version must be: none (the default), backward, forward, full, or one of them with _transitive",
     TASK_TEXT, "compatibility", 0},
    {"content", "C",
     "How open objects are compared: strict (the default: a property that no schema names may have been written with "
     "any value) or lenient (it was not)",
     TASK_TEXT, "content", 0},
    {"unknown", "U", "When compatibility cannot be decided: refuse (the default), accept, dry_run (stored events tell)",
     TASK_TEXT, "unknown", 0},
    {"format", "F", "Whether 'format' is checked: annotate (the default: no) or assert", TASK_TEXT, "format", 0},
    {"extended", "yes|no", "Whether payloads may hold what JSON lacks; default: no", TASK_YES_NO, "extended", 0},
    {0},
};

const struct task_kind SCHEMA_POLICY = {
    .name = "policy",
    .arguments = "TYPE",
    .summary = "show or change the settings of a type",
    .doc =
        "Changes the settings of a type that are given, and prints all; without any, prints them.\v" SCHEMA_EXIT_CODES
        "Example:\n"
        "  polaris-host-sim schema policy node_created --policy dead_letter \\\n"
        "    --compatibility full_transitive",
    .wants = "a type",
    .arguments_min = 1,
    .arguments_max = 1,
    .verb = HOST_SCHEMA,
    .op = "policy",
    .options = OPTIONS,
    .run = run_policy,
};
