/* cli.h: running polaris-host-sim as people do, with the real plugin, in a folder of the test's own. */
#ifndef TESTS_CLI_CLI_H
#define TESTS_CLI_CLI_H

#include <stddef.h>
#include <sys/types.h>

#include "cleanup.h"

/* What a run gave. */
struct result {
    int code; /* exit code; 128 + N: ended by signal N */
    char *out, *err;
};
void result_done(struct result *result);

/* Makes an empty folder and goes there: ./polaris-events.db is the test's own. For .init of a suite. */
void cli_enter(void);
/* Removes it. For .fini. */
void cli_leave(void);

/* Runs the command with these arguments (NULL ends them) and this text on standard input (NULL: none). The plugin is
 * the one beside the executable. */
#define RUN(input, ...) cli_run(input, (const char *const[]){__VA_ARGS__, NULL})
struct result cli_run(const char *input, const char *const *arguments);

/* The same, and checks the exit code; standard error is shown if it differs. */
#define RUN_FOR(code, input, ...) cli_run_for(code, input, (const char *const[]){__VA_ARGS__, NULL})
struct result cli_run_for(int code, const char *input, const char *const *arguments);

/* Runs for an exit code alone. */
#define ENDS(code, input, ...)                                                                                         \
    do {                                                                                                               \
        CLEANUP(result_done) struct result ended = RUN_FOR(code, input, __VA_ARGS__);                                  \
        (void)ended;                                                                                                   \
    } while (0)

/* Runs for an exit code, and compares all that stands on standard output. */
#define PRINTS(code, input, expected, ...)                                                                             \
    do {                                                                                                               \
        CLEANUP(result_done) struct result printed = RUN_FOR(code, input, __VA_ARGS__);                                \
        cr_assert_str_eq(printed.out, expected, "%s", printed.err);                                                    \
    } while (0)

/* Runs the command with standard output to this file; `out` stays empty. */
struct result cli_run_to(const char *path, const char *const *arguments);

/* `call VERB REQUEST`, with ' for " in the request; fails the test if the plugin does not say OK. The reply, less the
 * line's end, is the caller's to free(). */
char *cli_call(const char *verb, const char *request);

/* A run that goes on beside the test. */
struct process {
    pid_t id;
    int in;  /* a pipe to its standard input; -1: closed */
    int out; /* a pipe from its standard output */
    int err; /* a file with its standard error */
};
#define START(...) cli_start((const char *const[]){__VA_ARGS__, NULL})
struct process cli_start(const char *const *arguments);
/* The next line of its standard output, waited for; the caller's to free(). NULL: it ended. */
char *process_line(struct process *process);
void process_write(struct process *process, const char *text);
/* Closes its input, waits for its end; `out` has what was not read by process_line. */
struct result process_finish(struct process *process);

/* Writes a file into the folder. */
void cli_file(const char *name, const char *text);

/* Replaces the digits behind "name": by 0, wherever it stands: what differs from run to run. Returns text. */
char *cli_mask(char *text, const char *name);

/* Fails the test, showing the text, if it does not contain the words. */
void cli_contains(const char *text, const char *words);

#endif
