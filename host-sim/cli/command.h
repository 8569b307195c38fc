/* command.h: what the commands of polaris-host-sim share: their table, the options before (or after) the command's
 * name, opening the store, and how they speak to the person who typed them.
 *
 * Results go to standard output, everything else to standard error. A command parses its arguments with argp, takes
 * SESSION_ARGP as a child so that --db and the others are understood on both sides of its name, and returns an exit
 * code. */
#ifndef POLARIS_HOST_COMMAND_H
#define POLARIS_HOST_COMMAND_H

#include <argp.h>
#include <jansson.h>

#include "cleanup.h"
#include "failure.h"
#include "host/host.h"

#define PROGRAM "polaris-host-sim"

/* What scripts rely on. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_ERROR = 1, /* the plugin answered an error, or not everything went in, or something did not hold */
    EXIT_USAGE = 2  /* wrong usage; input that cannot be read; a plugin that cannot be loaded */
};

/* What the common options said. */
struct session {
    const char *command;        /* its name, for messages */
    const char *plugin_path;    /* --plugin; by default beside the executable */
    const char *db_path;        /* --db */
    bool db_given;              /* otherwise db_path is the default */
    json_t *config;             /* --config: an object, or NULL */
    bool allow_unsafe, verbose; /* --allow-unsafe, --verbose */
    struct calls_now *calls;    /* where calls are noted while they are in progress; NULL: nowhere */
    char plugin_default[4096];
};

struct command {
    const char *name;
    const char *arguments; /* as --help shows them: "VERB JSON|@FILE|-" */
    const char *summary;   /* one line, for the list of commands */
    /* argv[0] is "polaris-host-sim NAME", the rest are the command's own arguments. Returns an exit code. */
    int (*run)(struct session *session, int argc, char **argv);
};

/* The commands, one file each: command_NAME.c. */
int command_call(struct session *session, int argc, char **argv);
int command_ingest(struct session *session, int argc, char **argv);
int command_events(struct session *session, int argc, char **argv);
int command_tail(struct session *session, int argc, char **argv);
int command_schema(struct session *session, int argc, char **argv);
int command_rejected(struct session *session, int argc, char **argv);
int command_replay(struct session *session, int argc, char **argv);
int command_swap(struct session *session, int argc, char **argv);
int command_demo(struct session *session, int argc, char **argv);
int command_bench(struct session *session, int argc, char **argv);
int command_check(struct session *session, int argc, char **argv);
int command_torture(struct session *session, int argc, char **argv);

/* The common options, as a child of a command's argp; its input is the struct session:
 *     .children = SESSION_CHILDREN      and, at ARGP_KEY_INIT: state->child_inputs[0] = options->session; */
extern const struct argp SESSION_ARGP;
extern const struct argp_child SESSION_CHILDREN[];

enum session_mode { SESSION_WRITE, SESSION_READ };

/* The configuration for init: path, mode and owner, with what --config says laid over it. A new reference; NULL: no
 * memory. */
json_t *session_config(const struct session *session, enum session_mode mode) WARN_UNUSED;

/* The options for host_open but for the configuration; log lines of the plugin go to standard error (warnings and
 * errors; all of them with --verbose). The session must outlive the host. */
struct host_options session_host_options(struct session *session);

/* Opens the store. EXIT_OK, or the exit code to end with, after saying on standard error what is wrong. With
 * `ret_error`, an error map of the plugin is handed out there instead of being told. */
int session_open(struct session *session, enum session_mode mode, struct host **ret_host,
                 json_t **ret_error) WARN_UNUSED;
void session_closep(struct host **host); /* for CLEANUP */

/* Says "polaris-host-sim COMMAND: …" on standard error and returns `code`. */
int session_fail(const struct session *session, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says what an error map says, with `tried` before it, and below it the failures and differences of its details, each
 * in its line; returns EXIT_ERROR. NULL: a reply that could not be read. */
int session_fail_reply(const struct session *session, const char *tried, int32_t status, const json_t *error);

/* An option's number in a range; ends the program with wrong usage if it is none. For argp parsers. */
int64_t option_number(const struct argp_state *state, const char *name, const char *text, int64_t min, int64_t max);

/* The name of a status: "NOT_FOUND"; "UNKNOWN" for numbers that this host does not know. */
const char *status_name(int32_t status);

#endif
