/* task.h: the tasks of a command that has several ("schema put"), as tables: what they take, and which field of the one
 * request each option is. */
#ifndef POLARIS_HOST_TASK_H
#define POLARIS_HOST_TASK_H

#include "cli/command.h"
#include "cli/scratch.h"

enum task_option_kind {
    TASK_TEXT,   /* a string */
    TASK_TEXTS,  /* may stand many times: an array of strings */
    TASK_NUMBER, /* an integer from `min` on */
    TASK_YES_NO, /* a bool */
    TASK_VALUE,  /* any JSON value, or @FILE with one */
    TASK_FLAG    /* takes nothing: true */
};

struct task_option {
    const char *name, *argument, *help; /* as --help has them */
    enum task_option_kind kind;
    const char *field; /* of the request; NULL: none, it is for the task itself */
    int64_t min;
};

struct task;

/* What a task is; the name of the table entry is what is typed. */
struct task_kind {
    const char *name, *arguments, *summary; /* for the list of tasks */
    const char *arguments_doc;              /* as its own --help has them; NULL: `arguments` */
    const char *doc;                        /* for --help: what it does, \v, exit codes and an example */
    const char *wants;                      /* said when arguments are missing or too many: "a type and a file" */
    size_t arguments_min, arguments_max;
    enum host_verb verb;
    const char *op;
    const struct task_option *options; /* ends in a NULL name */
    int (*run)(struct task *task);     /* returns an exit code */
};

/* A task that was asked for. */
struct task {
    const struct task_kind *kind;
    struct session *session;
    struct host *host;            /* task_open() */
    struct scratch scratch;       /* task_open_scratch() */
    const char *const *arguments; /* those that are no options */
    size_t argument_count;
    json_t *request; /* the op, and the options that are its fields */
    json_t *given;   /* the other options, by their names */
    bool json;       /* every task takes --json: the reply as it is */
};

/* A command whose first argument names a task. `doc` and `after` as --help has them, before and after the list. */
struct task_group {
    const struct task_kind *const *kinds; /* ends in NULL */
    const char *doc, *after;
};
int task_group_run(const struct task_group *group, struct session *session, int argc, char **argv);

/* An option that is for the task itself; NULL: not given. */
const json_t *task_given(const struct task *task, const char *name);

/* Sets a field of the request (steals the value); false: there is no value, as memory is short or text is no UTF-8. */
bool task_set(struct task *task, const char *field, json_t *value) WARN_UNUSED;

/* Opens the store; EXIT_OK, or the exit code to end with, all being said. */
int task_open(struct task *task, enum session_mode mode) WARN_UNUSED;

/* Opens a store that is there for this run only: for what asks the plugin, and no store. */
int task_open_scratch(struct task *task) WARN_UNUSED;

/* Calls with the task's request, which stays as it is. EXIT_OK; or the exit code to end with, the error being told:
 * `tried`, the plugin's words, and its findings; with --json as the reply has it. */
int task_call(struct task *task, const char *tried, json_t **ret_reply) WARN_UNUSED;
int task_tell_error(const struct task *task, const char *tried, int32_t status, const json_t *reply) WARN_UNUSED;

/* Prints a value in one line, as --json has it. */
int task_print_json(const struct task *task, const json_t *value);

#endif
