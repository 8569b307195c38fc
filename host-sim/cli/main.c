/* main.c: polaris-host-sim: the options before the command, the list of commands, and the versions. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/terminal.h"
#include "loader/loader.h"

static const struct command COMMANDS[] = {
    {"call", "VERB JSON|@FILE|-", "make one call and print the reply as JSON", command_call},
    {"ingest", "FILE|-", "store events from JSON Lines", command_ingest},
    {"events", "", "find events and print them", command_events},
    {"tail", "", "print events as they are stored", command_tail},
    {"schema", "TASK...", "schemas of event types, and what is held against them", command_schema},
    {"rejected", "TASK...", "events that their schema did not allow", command_rejected},
    {"replay", "", "rebuild the graph from the store", command_replay},
    {"swap", "PLUGIN...", "swap builds under load, and prove that nothing is lost", command_swap},
    {"check", "[PLUGIN]", "look whether a build keeps what the interface promises", command_check},
    {"torture", "[PLUGIN]", "kill, cut the power, let the disk fail and swap, for as long as wanted", command_torture},
    {"demo", "", "show the main job on the packages of this machine", command_demo},
    {"bench", "", "measure appends, and validation", command_bench},
};
enum { COMMAND_COUNT = sizeof COMMANDS / sizeof COMMANDS[0] };

struct invocation {
    struct session *session;
    const char *name; /* of the command; NULL: none was given */
    int index;        /* where it stands in argv */
    bool version;
};

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct invocation *invocation = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = invocation->session;
        return 0;
    case 'V':
        invocation->version = true;
        return 0;
    case ARGP_KEY_ARG:
        invocation->name = argument;
        invocation->index = state->next - 1;
        state->next = state->argc; /* what follows belongs to the command */
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Puts the list of commands, from the table, where the help text has its end. */
static char *help_text(int key, const char *text, void *input) {
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC) {
        return (char *)(uintptr_t)text; /* argp wants it back without const, and leaves it alone */
    }
    char *list = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&list, &size);
    if (out == NULL) {
        return NULL;
    }
    (void)fputs("Commands:\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char usage[64];
        (void)snprintf(usage, sizeof usage, "%s %s", COMMANDS[i].name, COMMANDS[i].arguments);
        (void)fprintf(out, "  %-26s %s\n", usage, COMMANDS[i].summary);
    }
    (void)fputs(
        "\n'" PROGRAM " COMMAND --help' describes each.\n\n"
        "Exit codes: 0 all is well; 1 the plugin answered an error, or not everything went in, or something did "
        "not hold; 2 wrong usage, or a plugin or an input that cannot be read.",
        out);
    if (fclose(out) != 0) {
        free(list);
        return NULL;
    }
    return list;
}

static const struct argp_option OPTIONS[] = {
    {"version", 'V', 0, 0, "Print the versions of this program, the interface, and the plugin", -1},
    {0},
};

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .args_doc = "COMMAND [ARGUMENT...]",
    .doc = "Drives a build of the Polaris event store plugin: calls it, fills a store, reads it.\v ",
    .children = SESSION_CHILDREN,
    .help_filter = help_text,
};

static int print_versions(const struct session *session) {
    (void)printf("%s %s\nABI %u.%u\n", PROGRAM, POLARIS_HOST_VERSION, POLARIS_ES_ABI_MAJOR, POLARIS_ES_ABI_MINOR);
    static const char *const LINKAGE[] = {"none", "shared", "private"};
    struct loader_options options = {.allow_unsafe = session->allow_unsafe, .keep_mapped = true};
    struct plugin *plugin = NULL;
    struct failure failure;
    if (!loader_load(session->plugin_path, &options, &plugin, NULL, &failure)) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "%s: plugin: %s\n", PROGRAM, failure.message);
        return EXIT_USAGE;
    }
    const polaris_es_descriptor *descriptor = &plugin->descriptor;
    (void)fputs("plugin ", stdout);
    terminal_print_build(stdout, plugin->table->name, descriptor->version, plugin->major, plugin->minor,
                         descriptor->build_id);
    uint32_t sqlite = descriptor->sqlite_version_number;
    if (sqlite != 0) {
        (void)printf("SQLite %u.%u.%u, %s; file formats %u to %u, writes %u\n", sqlite / 1000000, sqlite / 1000 % 1000,
                     sqlite % 1000, descriptor->sqlite_linkage < 3 ? LINKAGE[descriptor->sqlite_linkage] : "unknown",
                     descriptor->format_read_min, descriptor->format_read_max, descriptor->format_write);
    }
    (void)printf("file %s\n", plugin->path);
    loader_unload(plugin);
    return EXIT_OK;
}

static void find_plugin(struct session *session) {
    static const char NAME[] = "polaris-event-store.so";
    ssize_t length = readlink("/proc/self/exe", session->plugin_default, sizeof session->plugin_default - sizeof NAME);
    if (length < 0) {
        length = 0;
    }
    session->plugin_default[length] = '\0';
    char *slash = strrchr(session->plugin_default, '/');
    strcpy(slash != NULL ? slash + 1 : session->plugin_default, NAME);
    session->plugin_path = session->plugin_default;
}

/* When nobody reads the other end any more, as with `| head`, the program ends as others do: without a word. */
static void end_unread(void) {
    struct pollfd out = {.fd = STDOUT_FILENO};
    if (poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0) {
        (void)signal(SIGPIPE, SIG_DFL);
        (void)raise(SIGPIPE);
    }
}

static int run(struct session *session, const struct command *command, int argc, char **argv) {
    char name[64];
    (void)snprintf(name, sizeof name, "%s %s", PROGRAM, command->name);
    argv[0] = name; /* what argp calls the program in its messages */
    session->command = command->name;
    int code = command->run(session, argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        end_unread();
        return session_fail(session, EXIT_ERROR, "cannot write to standard output");
    }
    return code;
}

int main(int argc, char **argv) {
    static struct session session = {.command = "", .db_path = "polaris-events.db"};
    (void)signal(SIGPIPE, SIG_IGN); /* temporary folders go before this process does; see end_unread() */
    (void)signal(SIGCHLD, SIG_DFL); /* whoever started this may ignore it: then nobody can wait for a process */
    find_plugin(&session);
    argp_err_exit_status = EXIT_USAGE;
    char name[] = PROGRAM;
    argv[0] = name; /* what argp calls the program in its messages */
    struct invocation invocation = {.session = &session};
    error_t error = argp_parse(&ARGP, argc, argv, ARGP_IN_ORDER, NULL, &invocation);
    int code = EXIT_USAGE;
    if (error != 0) {
        (void)fprintf(stderr, "%s: %s\n", PROGRAM, strerror(error));
    } else if (invocation.version) {
        code = print_versions(&session);
    } else if (invocation.name == NULL) {
        (void)fprintf(stderr, "%s: which command? '%s --help' lists them.\n", PROGRAM, PROGRAM);
    } else {
        const struct command *command = NULL;
        for (size_t i = 0; i < COMMAND_COUNT; i++) {
            if (strcmp(COMMANDS[i].name, invocation.name) == 0) {
                command = &COMMANDS[i];
            }
        }
        if (command != NULL) {
            code = run(&session, command, argc - invocation.index, argv + invocation.index);
        } else {
            (void)fprintf(stderr, "%s: there is no command '%s'; '%s --help' lists them.\n", PROGRAM, invocation.name,
                          PROGRAM);
        }
    }
    json_decref(session.config);
    return code;
}
