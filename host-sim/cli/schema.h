/* schema.h: the tasks of `schema`, and schemas in files. */
#ifndef POLARIS_HOST_SCHEMA_H
#define POLARIS_HOST_SCHEMA_H

#include "cli/task.h"

extern const struct task_kind SCHEMA_PUT, SCHEMA_GET, SCHEMA_LIST, SCHEMA_VERSIONS, SCHEMA_VALIDATE, SCHEMA_CHECK,
    SCHEMA_DRY_RUN, SCHEMA_POLICY, SCHEMA_RETIRE;

/* The options of every task that takes schema files. */
#define SCHEMA_FILE_OPTIONS                                                                                            \
    {"document", "URI=FILE", "Another schema that this one refers to by URI; may stand many times",                    \
     TASK_TEXTS, NULL,       0},                                                                                       \
    {                                                                                                                  \
        "msgpack", NULL, "Send schemas as msgpack maps; default: as the text of the files", TASK_FLAG, NULL, 0         \
    }

/* Puts the schema of this file (-: standard input), and the documents of the options, into the request. EXIT_OK, or the
 * exit code to end with, all being said. */
int schema_take_file(struct task *task, const char *path) WARN_UNUSED;

/* The text of a schema as a reply of `get` has it: as it was put, or JSON made of its msgpack. The caller's to free();
 * NULL: no memory. */
char *schema_text(const json_t *reply) WARN_UNUSED;

/* Prints the settings of a type, one a line. */
void schema_print_settings(const json_t *settings);

/* What --help says of the exit codes of a task that judges nothing. */
#define SCHEMA_EXIT_CODES                                                                                              \
    "Exit codes: 0 done; 1 the plugin answered an error; 2 wrong usage, or a file or a plugin that cannot be "         \
    "read.\n\n"

#endif
