/* rejected_list.c: `rejected list`, `rejected show`: what was kept because its schema did not allow it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/findings.h"
#include "cli/instant.h"
#include "cli/rejected.h"
#include "cli/terminal.h"
#include "message/message.h"
#include "owned.h"

enum { PAGE_SIZE = 1000 };

/* ---- list ---- */

/* The first failure, and how many others there are. */
static json_t *failure_cell(const json_t *failures) {
    const char *line = json_string_value(json_object_get(json_array_get(failures, 0), "line"));
    size_t count = json_array_size(failures);
    return count > 1 ? json_sprintf("%s (+%zu)", line != NULL ? line : "?", count - 1)
                     : json_string(line != NULL ? line : "-");
}

static json_t *entry_row(const json_t *entry) {
    char time[INSTANT_TEXT_SIZE];
    instant_print(json_integer_value(json_object_get(entry, "created_at")), time);
    return json_pack("[O?, O?, s, O?, O?, o]", json_object_get(entry, "id"), json_object_get(entry, "state"), time,
                     json_object_get(entry, "type"), json_object_get(entry, "schema_version"),
                     failure_cell(json_object_get(entry, "failures")));
}

static bool print_page(struct grid *grid, const json_t *entries) {
    json_auto_t *rows = json_array();
    for (size_t i = 0; i < json_array_size(entries); i++) {
        if (json_array_append_new(rows, entry_row(json_array_get(entries, i))) != 0) {
            return false;
        }
    }
    grid_print(grid, rows);
    return true;
}

int rejected_each_page(struct task *task, int64_t limit, rejected_page_function *take, void *context) {
    for (int64_t left = limit;;) {
        json_auto_t *reply = NULL;
        if (!task_set(task, "limit", json_integer(left < PAGE_SIZE ? left : PAGE_SIZE))) {
            return session_fail(task->session, EXIT_ERROR, "no memory");
        }
        int code = task_call(task, "cannot list rejected entries", &reply);
        const json_t *entries = json_object_get(reply, "entries");
        code = code == EXIT_OK ? take(task, entries, context) : code;
        left -= (int64_t)json_array_size(entries);
        if (code != EXIT_OK || left <= 0 || !json_is_true(json_object_get(reply, "more"))) {
            return code;
        }
        if (!task_set(task, "cursor", json_incref(json_object_get(reply, "cursor")))) {
            return session_fail(task->session, EXIT_ERROR, "no memory");
        }
    }
}

struct listing {
    struct grid grid;
    json_t *all; /* with --json */
};

static int take_page(struct task *task, const json_t *entries, void *context) {
    struct listing *listing = context;
    bool taken = task->json ? json_array_extend(listing->all, (json_t *)(uintptr_t)entries) == 0
                            : print_page(&listing->grid, entries);
    return taken ? EXIT_OK : session_fail(task->session, EXIT_ERROR, "no memory");
}

static int run_list(struct task *task) {
    static const char *const TITLES[] = {"ID", "STATE", "KEPT", "TYPE", "VERSION", "FAILURE", NULL};
    json_auto_t *all = json_array();
    struct listing listing = {.grid = {.titles = TITLES, .right = 1u << 0 | 1u << 4}, .all = all};
    const json_t *limit = task_given(task, "limit");
    int code = task_open(task, SESSION_READ);
    code = code == EXIT_OK
               ? rejected_each_page(task, limit != NULL ? json_integer_value(limit) : INT64_MAX, take_page, &listing)
               : code;
    if (code == EXIT_OK && task->json) {
        json_auto_t *object = json_pack("{s: O, s: I}", "entries", all, "count", (json_int_t)json_array_size(all));
        code = task_print_json(task, object);
    }
    return code;
}

static const struct task_option LIST_OPTIONS[] = {
    {"type", "T", "Events of this type; default: all", TASK_TEXT, "type", 0},
    {"state", "S", "In this state: waiting, resubmitted, discarded; may stand many times. Default: all", TASK_TEXTS,
     "states", 0},
    {"limit", "N", "At most N entries; default: all", TASK_NUMBER, NULL, 0},
    {0},
};

const struct task_kind REJECTED_LIST = {
    .name = "list",
    .arguments = "",
    .summary = "list rejected entries",
    .doc = "Lists events that were kept as rejected entries, with the first failure of each.\v"
           "Exit codes: 0 done, also if there is none; 1 the plugin answered an error; 2 wrong usage.\n\n"
           "Example:\n"
           "  polaris-host-sim rejected list --state waiting --type node_created",
    .wants = "options only",
    .arguments_min = 0,
    .arguments_max = 0,
    .verb = HOST_DLQ,
    .op = "rejected.list",
    .options = LIST_OPTIONS,
    .run = run_list,
};

/* ---- show ---- */

static void print_entry(const json_t *entry) {
    static const char *const NAMES[] = {"id",         "type",       "schema_version", "state",
                                        "created_at", "updated_at", "event_id",       "reason"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        const json_t *value = json_object_get(entry, NAMES[i]);
        size_t length = strlen(NAMES[i]);
        char time[INSTANT_TEXT_SIZE];
        if (value == NULL) {
            continue;
        }
        (void)printf("%-14s ", NAMES[i]);
        if (json_is_string(value)) {
            (void)terminal_print(stdout, json_string_value(value), 0);
        } else if (length > 3 && strcmp(NAMES[i] + length - 3, "_at") == 0) {
            instant_print(json_integer_value(value), time);
            (void)fputs(time, stdout);
        } else {
            (void)printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
        }
        (void)putchar('\n');
    }
    const json_t *event = json_object_get(entry, "event");
    CLEANUP(freep) char *text = event != NULL ? message_print(event) : NULL;
    (void)printf("%-14s ", "event");
    (void)terminal_print(stdout, text != NULL ? text : "damaged", 0);
    (void)puts("\nfailures");
    findings_print_failures(stdout, "  ", json_object_get(entry, "failures"));
}

bool rejected_set_id(struct task *task, const char *text) {
    char *end = NULL;
    errno = 0;
    long long id = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || id < 1 || !task_set(task, "id", json_integer(id))) {
        (void)session_fail(task->session, EXIT_USAGE, "an entry's id is a number from 1 on, not '%s'", text);
        return false;
    }
    return true;
}

static int run_show(struct task *task) {
    json_auto_t *reply = NULL;
    if (!rejected_set_id(task, task->arguments[0])) {
        return EXIT_USAGE;
    }
    int code = task_open(task, SESSION_READ);
    code = code == EXIT_OK ? task_call(task, "cannot show it", &reply) : code;
    if (code != EXIT_OK || task->json) {
        return code == EXIT_OK ? task_print_json(task, reply) : code;
    }
    const json_t *entry = json_object_get(reply, "entry");
    if (task_given(task, "event") != NULL) {
        return task_print_json(task, json_object_get(entry, "event"));
    }
    print_entry(entry);
    return EXIT_OK;
}

static const struct task_option SHOW_OPTIONS[] = {
    {"event", NULL, "Print nothing but the event, to correct it and resubmit it", TASK_FLAG, NULL, 0},
    {0},
};

const struct task_kind REJECTED_SHOW = {
    .name = "show",
    .arguments = "ID",
    .summary = "show an entry, its event and all its failures",
    .doc = "Shows a rejected entry: the event as it came, and why it was not allowed.\v"
           "Exit codes: 0 done; 1 the plugin answered an error; 2 wrong usage.\n\n"
           "Example: correct an event, and resubmit it:\n"
           "  polaris-host-sim rejected show 3 --event > event.json\n"
           "  editor event.json\n"
           "  polaris-host-sim rejected resubmit 3 event.json",
    .wants = "the id of an entry",
    .arguments_min = 1,
    .arguments_max = 1,
    .verb = HOST_DLQ,
    .op = "rejected.get",
    .options = SHOW_OPTIONS,
    .run = run_show,
};
