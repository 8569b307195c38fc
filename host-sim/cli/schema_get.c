/* schema_get.c: `schema get`, `list`, `versions`: what the registry holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/instant.h"
#include "cli/schema.h"
#include "cli/terminal.h"
#include "owned.h"

static int call_about_type(struct task *task, json_t **ret_reply) {
    if (!task_set(task, "type", json_string(task->arguments[0]))) {
        return session_fail(task->session, EXIT_USAGE, "the type must be UTF-8");
    }
    int code = task_open(task, SESSION_READ);
    return code == EXIT_OK ? task_call(task, "cannot read it", ret_reply) : code;
}

/* ---- get ---- */

static int run_get(struct task *task) {
    json_auto_t *reply = NULL;
    int code = call_about_type(task, &reply);
    if (code != EXIT_OK || task->json) {
        return code == EXIT_OK ? task_print_json(task, reply) : code;
    }
    CLEANUP(freep) char *text = schema_text(reply);
    if (text == NULL) {
        return session_fail(task->session, EXIT_ERROR, "no memory");
    }
    size_t size = strlen(text);
    (void)fputs(text, stdout);
    if (size == 0 || text[size - 1] != '\n') {
        (void)putchar('\n');
    }
    return EXIT_OK;
}

static const struct task_option GET_OPTIONS[] = {
    {"version", "N", "This one; default: the current one", TASK_NUMBER, "version", 1},
    {0},
};

const struct task_kind SCHEMA_GET = {
    .name = "get",
    .arguments = "TYPE",
    .summary = "print a schema",
    .doc = "Prints a schema, as it was put. With --json also when it was put, and its documents and "
           "metadata.\v" SCHEMA_EXIT_CODES "Example:\n"
           "  polaris-host-sim schema get node_created --version 1 > node.json",
    .wants = "a type",
    .arguments_min = 1,
    .arguments_max = 1,
    .verb = HOST_SCHEMA,
    .op = "get",
    .options = GET_OPTIONS,
    .run = run_get,
};

/* ---- versions ---- */

void schema_print_settings(const json_t *settings) {
    static const char *const NAMES[] = {"policy", "compatibility", "content", "unknown", "format", "extended"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        const json_t *value = json_object_get(settings, NAMES[i]);
        const char *text = json_is_boolean(value) ? (json_is_true(value) ? "yes" : "no") : json_string_value(value);
        (void)printf("%-14s ", NAMES[i]);
        (void)terminal_print(stdout, text != NULL ? text : "-", 0);
        (void)putchar('\n');
    }
}

static json_t *instant_json(const json_t *value) {
    char text[INSTANT_TEXT_SIZE];
    if (!json_is_integer(value)) {
        return json_null();
    }
    instant_print(json_integer_value(value), text);
    return json_string(text);
}

static json_t *version_row(const json_t *version, json_int_t current) {
    json_int_t number = json_integer_value(json_object_get(version, "version"));
    const json_t *retired_at = json_object_get(version, "retired_at");
    char state[INSTANT_TEXT_SIZE + 16] = "";
    if (retired_at != NULL) {
        char text[INSTANT_TEXT_SIZE];
        instant_print(json_integer_value(retired_at), text);
        (void)snprintf(state, sizeof state, "retired %s", text);
    } else if (number == current) {
        strcpy(state, "current");
    }
    return json_pack("[I, O?, O?, o, s]", number, json_object_get(version, "size"), json_object_get(version, "format"),
                     instant_json(json_object_get(version, "created_at")), state);
}

static int run_versions(struct task *task) {
    static const char *const TITLES[] = {"VERSION", "BYTES", "FORMAT", "PUT", "STATE", NULL};
    json_auto_t *reply = NULL;
    int code = call_about_type(task, &reply);
    if (code != EXIT_OK || task->json) {
        return code == EXIT_OK ? task_print_json(task, reply) : code;
    }
    const json_t *versions = json_object_get(reply, "versions");
    json_auto_t *rows = json_array();
    for (size_t i = 0; i < json_array_size(versions); i++) {
        json_t *row = version_row(json_array_get(versions, i), json_integer_value(json_object_get(reply, "current")));
        if (json_array_append_new(rows, row) != 0) {
            return session_fail(task->session, EXIT_ERROR, "no memory");
        }
    }
    struct grid grid = {.titles = TITLES, .right = 1u << 0 | 1u << 1};
    grid_print(&grid, rows);
    (void)putchar('\n');
    schema_print_settings(reply);
    return EXIT_OK;
}

static const struct task_option NO_OPTIONS[] = {{0}};

const struct task_kind SCHEMA_VERSIONS = {
    .name = "versions",
    .arguments = "TYPE",
    .summary = "list the versions of a type, and its settings",
    .doc = "Lists the versions of a type's schema, and the settings of the type.\v" SCHEMA_EXIT_CODES "Example:\n"
           "  polaris-host-sim schema versions node_created",
    .wants = "a type",
    .arguments_min = 1,
    .arguments_max = 1,
    .verb = HOST_SCHEMA,
    .op = "versions",
    .options = NO_OPTIONS,
    .run = run_versions,
};

/* ---- list ---- */

/* All types, page by page. */
static int read_types(struct task *task, json_t *types) {
    for (;;) {
        json_auto_t *reply = NULL;
        int code = task_call(task, "cannot list schemas", &reply);
        if (code != EXIT_OK) {
            return code;
        }
        if (json_array_extend(types, json_object_get(reply, "types")) != 0 ||
            (json_object_get(reply, "cursor") != NULL &&
             !task_set(task, "cursor", json_incref(json_object_get(reply, "cursor"))))) {
            return session_fail(task->session, EXIT_ERROR, "no memory, or a reply without types");
        }
        if (!json_is_true(json_object_get(reply, "more"))) {
            return EXIT_OK;
        }
    }
}

static json_t *type_row(const json_t *type) {
    const json_t *current = json_object_get(type, "current");
    return json_pack("[O?, o, O?, O?, O?, O?, O?, s]", json_object_get(type, "type"),
                     json_integer_value(current) > 0 ? json_incref((json_t *)(uintptr_t)current) : json_null(),
                     json_object_get(type, "latest"), json_object_get(type, "policy"),
                     json_object_get(type, "compatibility"), json_object_get(type, "content"),
                     json_object_get(type, "format"), json_is_true(json_object_get(type, "extended")) ? "yes" : "no");
}

static int run_list(struct task *task) {
    static const char *const TITLES[] = {"TYPE",    "CURRENT", "LATEST",   "POLICY", "COMPATIBILITY",
                                         "CONTENT", "FORMAT",  "EXTENDED", NULL};
    json_auto_t *types = json_array();
    json_auto_t *rows = json_array();
    int code = task_open(task, SESSION_READ);
    code = code == EXIT_OK ? read_types(task, types) : code;
    if (code != EXIT_OK) {
        return code;
    }
    if (task->json) {
        json_auto_t *all =
            json_pack("{s: O, s: I, s: b}", "types", types, "count", (json_int_t)json_array_size(types), "more", 0);
        return task_print_json(task, all);
    }
    for (size_t i = 0; i < json_array_size(types); i++) {
        if (json_array_append_new(rows, type_row(json_array_get(types, i))) != 0) {
            return session_fail(task->session, EXIT_ERROR, "no memory");
        }
    }
    struct grid grid = {.titles = TITLES, .right = 1u << 1 | 1u << 2};
    grid_print(&grid, rows);
    return EXIT_OK;
}

static const struct task_option LIST_OPTIONS[] = {
    {"prefix", "P", "Types that begin with P; default: all", TASK_TEXT, "prefix", 0},
    {"page", "N", "Types of one page; default: as many as the plugin gives", TASK_NUMBER, "limit", 1},
    {0},
};

const struct task_kind SCHEMA_LIST = {
    .name = "list",
    .arguments = "",
    .summary = "list the types that have schemas",
    .doc = "Lists the types that have schemas or settings: the current version, which validates their events, the "
           "latest, and the settings.\v" SCHEMA_EXIT_CODES "Example:\n"
           "  polaris-host-sim schema list --prefix node_",
    .wants = "options only",
    .arguments_min = 0,
    .arguments_max = 0,
    .verb = HOST_SCHEMA,
    .op = "list",
    .options = LIST_OPTIONS,
    .run = run_list,
};
