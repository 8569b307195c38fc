/* task.c: the tasks of a command that has several: reading what was typed, calling, telling errors. */
#include "cli/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "message/message.h"
#include "owned.h"

enum { KEY_JSON = 0x5000, KEY_OPTION, OPTIONS_MAX = 16 };

/* ---- Options ---- */

static size_t option_count(const struct task_kind *kind) {
    size_t count = 0;
    while (kind->options[count].name != NULL) {
        count++;
    }
    return count;
}

static json_t *parse_value(const struct task_option *option, const char *argument, const struct argp_state *state) {
    CLEANUP(text_done) struct text text = {0};
    struct failure failure;
    json_t *value = NULL;
    if (argument[0] == '@' ? !text_read_file(argument + 1, &text, &failure) : !text_borrow(argument, &text, &failure)) {
        argp_error(state, "--%s: %s", option->name, failure.message);
    } else if (!message_parse(text.data, text.size, &value, &failure)) {
        argp_error(state, "--%s: %s", option->name, failure.message);
    }
    return value;
}

static json_t *parse_yes_no(const struct task_option *option, const char *argument, const struct argp_state *state) {
    bool yes = strcmp(argument, "yes") == 0;
    if (!yes && strcmp(argument, "no") != 0) {
        argp_error(state, "--%s wants yes or no, not '%s'", option->name, argument);
    }
    return json_boolean(yes);
}

static json_t *parse_number(const struct task_option *option, const char *argument, const struct argp_state *state) {
    char name[32];
    (void)snprintf(name, sizeof name, "--%s", option->name);
    return json_integer(option_number(state, name, argument, option->min, INT64_MAX));
}

/* What was there of an option that may stand many times, and one more. */
static json_t *add_text(const json_t *target, const char *name, json_t *text) {
    json_t *there = json_object_get(target, name);
    json_t *texts = there != NULL ? json_incref(there) : json_array();
    if (json_array_append_new(texts, text) != 0) {
        json_decref(texts);
        return NULL;
    }
    return texts;
}

static void take_option(struct task *task, const struct task_option *option, const char *argument,
                        const struct argp_state *state) {
    json_t *target = option->field != NULL ? task->request : task->given;
    const char *name = option->field != NULL ? option->field : option->name;
    json_t *value = NULL;
    switch (option->kind) {
    case TASK_TEXT:
        value = json_string(argument);
        break;
    case TASK_TEXTS:
        value = add_text(target, name, json_string(argument));
        break;
    case TASK_NUMBER:
        value = parse_number(option, argument, state);
        break;
    case TASK_YES_NO:
        value = parse_yes_no(option, argument, state);
        break;
    case TASK_VALUE:
        value = parse_value(option, argument, state);
        break;
    case TASK_FLAG:
        value = json_true();
        break;
    }
    if (json_object_set_new(target, name, value) != 0) {
        argp_error(state, "--%s: it must be UTF-8 (or there is no memory)", option->name);
    }
}

static void take_arguments(struct task *task, const struct argp_state *state, const char *const *arguments,
                           size_t count) {
    if (count < task->kind->arguments_min || count > task->kind->arguments_max) {
        argp_error(state, "wants %s", task->kind->wants);
    }
    task->arguments = arguments;
    task->argument_count = count;
}

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct task *task = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = task->session;
        return 0;
    case KEY_JSON:
        task->json = true;
        return 0;
    case ARGP_KEY_ARGS:
        take_arguments(task, state, (const char *const *)(state->argv + state->next),
                       (size_t)(state->argc - state->next));
        return 0;
    case ARGP_KEY_NO_ARGS:
        take_arguments(task, state, NULL, 0);
        return 0;
    default:
        if (key >= KEY_OPTION && key < KEY_OPTION + OPTIONS_MAX) {
            take_option(task, &task->kind->options[key - KEY_OPTION], argument, state);
            return 0;
        }
        return ARGP_ERR_UNKNOWN;
    }
}

static void parse(struct task *task, int argc, char **argv) {
    struct argp_option options[OPTIONS_MAX + 3] = {{.doc = "Options:", .group = 1}};
    size_t count = option_count(task->kind);
    for (size_t i = 0; i < count && i < OPTIONS_MAX; i++) {
        const struct task_option *option = &task->kind->options[i];
        options[i + 1] = (struct argp_option){
            .name = option->name, .key = KEY_OPTION + (int)i, .arg = option->argument, .doc = option->help};
    }
    options[count + 1] =
        (struct argp_option){.name = "json", .key = KEY_JSON, .doc = "The reply as JSON; default: for people"};
    const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = task->kind->arguments_doc != NULL ? task->kind->arguments_doc : task->kind->arguments,
        .doc = task->kind->doc,
        .children = SESSION_CHILDREN,
    };
    (void)argp_parse(&argp, argc, argv, 0, NULL, task);
}

const json_t *task_given(const struct task *task, const char *name) {
    return json_object_get(task->given, name);
}

bool task_set(struct task *task, const char *field, json_t *value) {
    return json_object_set_new(task->request, field, value) == 0;
}

/* ---- Calls ---- */

int task_print_json(const struct task *task, const json_t *value) {
    CLEANUP(freep) char *text = message_print(value);
    if (text == NULL) {
        return session_fail(task->session, EXIT_ERROR, "printing the reply: no memory");
    }
    return puts(text) == EOF ? EXIT_ERROR : EXIT_OK; /* main tells that it could not be written */
}

int task_tell_error(const struct task *task, const char *tried, int32_t status, const json_t *reply) {
    if (task->json && json_is_object(reply)) {
        (void)task_print_json(task, reply);
        return EXIT_ERROR;
    }
    return session_fail_reply(task->session, tried, status, reply);
}

int task_open(struct task *task, enum session_mode mode) {
    json_auto_t *error = NULL;
    int code = session_open(task->session, mode, &task->host, task->json ? &error : NULL);
    if (error != NULL) {
        (void)task_print_json(task, error);
    }
    return code;
}

int task_open_scratch(struct task *task) {
    struct failure failure;
    if (!scratch_init(&task->scratch, false, &failure)) {
        return session_fail(task->session, EXIT_ERROR, "%s", failure.message);
    }
    task->session->db_path = task->scratch.db_path;
    return task_open(task, SESSION_WRITE);
}

int task_call(struct task *task, const char *tried, json_t **ret_reply) {
    json_auto_t *reply = NULL;
    int32_t status = message_call(task->host, task->kind->verb, json_incref(task->request), &reply);
    if (status != POLARIS_ES_OK) {
        return task_tell_error(task, tried, status, reply);
    }
    *ret_reply = json_incref(reply);
    return EXIT_OK;
}

/* ---- Groups ---- */

/* What was typed after the name of a command that has tasks. */
struct invocation {
    struct session *session;
    const struct task_group *group;
    const char *name; /* of the task; NULL: none was given */
    int index;        /* where it stands in argv */
};

static error_t parse_group(int key, char *argument, struct argp_state *state) {
    struct invocation *invocation = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = invocation->session;
        return 0;
    case ARGP_KEY_ARG:
        invocation->name = argument;
        invocation->index = state->next - 1;
        state->next = state->argc; /* what follows belongs to the task */
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which task? '--help' lists them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Puts the list of tasks, from the table, before the end of the help text. */
static char *group_help(int key, const char *text, void *input) {
    const struct invocation *invocation = input;
    if (key != ARGP_KEY_HELP_POST_DOC) {
        return (char *)(uintptr_t)text; /* argp wants it back without const, and leaves it alone */
    }
    char *list = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&list, &size);
    if (out == NULL) {
        return NULL;
    }
    (void)fputs("Tasks:\n", out);
    for (const struct task_kind *const *kind = invocation->group->kinds; *kind != NULL; kind++) {
        char usage[64];
        (void)snprintf(usage, sizeof usage, "%s %s", (*kind)->name, (*kind)->arguments);
        (void)fprintf(out, "  %-24s %s\n", usage, (*kind)->summary);
    }
    (void)fprintf(out, "\n'" PROGRAM " %s TASK --help' describes each.\n\n%s", invocation->session->command, text);
    if (fclose(out) != 0) {
        free(list);
        return NULL;
    }
    return list;
}

static void task_done(struct task *task) {
    host_close(task->host);
    scratch_done(&task->scratch);
    json_decref(task->request);
    json_decref(task->given);
}

static int run(const struct task_kind *kind, struct session *session, int argc, char **argv) {
    char command[32];
    char program[64];
    (void)snprintf(command, sizeof command, "%s %s", session->command, kind->name);
    (void)snprintf(program, sizeof program, "%s %s", PROGRAM, command);
    argv[0] = program; /* what argp calls the program in its messages */
    const char *group = session->command;
    session->command = command;
    struct task task = {
        .kind = kind, .session = session, .request = json_pack("{s: s}", "op", kind->op), .given = json_object()};
    int code = EXIT_ERROR;
    if (task.request != NULL && task.given != NULL) {
        parse(&task, argc, argv);
        code = kind->run(&task);
    } else {
        (void)session_fail(session, EXIT_ERROR, "no memory");
    }
    task_done(&task); /* while the names are there that its log lines tell */
    session->command = group;
    return code;
}

int task_group_run(const struct task_group *group, struct session *session, int argc, char **argv) {
    struct invocation invocation = {.session = session, .group = group};
    char doc[2048];
    (void)snprintf(doc, sizeof doc, "%s\v%s", group->doc, group->after);
    const struct argp argp = {
        .parser = parse_group,
        .args_doc = "TASK [ARGUMENT...]",
        .doc = doc,
        .children = SESSION_CHILDREN,
        .help_filter = group_help,
    };
    (void)argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &invocation);
    for (const struct task_kind *const *kind = group->kinds; *kind != NULL; kind++) {
        if (invocation.name != NULL && strcmp((*kind)->name, invocation.name) == 0) {
            return run(*kind, session, argc - invocation.index, argv + invocation.index);
        }
    }
    return session_fail(session, EXIT_USAGE, "there is no task '%s'; '%s %s --help' lists them", invocation.name,
                        PROGRAM, session->command);
}
