/* command_demo.c: `demo`: the main job on the packages of this machine. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/scratch.h"
#include "demo/child.h"
#include "demo/demo.h"

enum { OPTION_SECOND = 0x3000, OPTION_PACKAGES, OPTION_KEEP, OPTION_CHILD, PATH_SIZE = 4096 };

struct options {
    struct session *session;
    struct demo_options demo;
    bool keep, child;
};

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options->session;
        return 0;
    case OPTION_SECOND:
        options->demo.second_path = argument;
        return 0;
    case OPTION_PACKAGES:
        options->demo.packages_path = argument;
        return 0;
    case OPTION_KEEP:
        options->keep = true;
        return 0;
    case OPTION_CHILD:
        options->child = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "takes options only, not '%s'", argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option OPTIONS[] = {
    {0, 0, 0, 0, "Demo:", 1},
    {"second", OPTION_SECOND, "FILE", 0,
     "The build that is swapped in; default: the plugin's name with -b, beside it (polaris-event-store-b.so)", 0},
    {"packages", OPTION_PACKAGES, "FILE", 0,
     "Packages as host-sim/demo/sample.tsv has them; default: those that dpkg-query lists, or that sample", 0},
    {"keep", OPTION_KEEP, 0, 0, "Leave the store where it is, to look around in it", 0},
    {CHILD_OPTION, OPTION_CHILD, 0, OPTION_HIDDEN, "", 0},
    {0},
};

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .doc =
        "Shows what the event store is for, on a real graph: the packages installed on this machine and what they "
        "need. "
        "They are ingested while the plugin is swapped; a subscriber fails and everything comes back; a process is "
        "killed while it appends; questions are asked; the graph is made anew by replay. Every claim is checked.\v"
        "The store is a file in a new folder, which is removed at the end; with --db it is that file, which must not "
        "exist yet and stays.\n"
        "\n"
        "Exit codes: 0 every claim holds; 1 one does not; 2 wrong usage, or it could not begin.\n"
        "\n"
        "Example: polaris-host-sim demo --keep",
    .children = SESSION_CHILDREN,
};

/* "x/polaris-event-store.so" to "x/polaris-event-store-b.so". */
static bool second_build(const char *plugin_path, char ret_path[PATH_SIZE]) {
    const char *dot = strrchr(plugin_path, '.');
    size_t stem = dot != NULL && strchr(dot, '/') == NULL ? (size_t)(dot - plugin_path) : strlen(plugin_path);
    int size = snprintf(ret_path, PATH_SIZE, "%.*s-b%s", (int)stem, plugin_path, plugin_path + stem);
    return size > 0 && size < PATH_SIZE;
}

static int run(struct session *session, const struct options *options) {
    struct failure failure;
    bool holds = false;
    if (options->child) {
        demo_child(&options->demo, &failure);
        return session_fail(session, EXIT_ERROR, "%s", failure.message);
    }
    if (!demo_run(&options->demo, &holds, &failure)) {
        return session_fail(session, EXIT_USAGE, "%s", failure.message);
    }
    if (options->keep) {
        (void)printf("The store is kept: %s\n", options->demo.db_path);
    }
    return holds ? EXIT_OK : EXIT_ERROR;
}

int command_demo(struct session *session, int argc, char **argv) {
    struct options options = {.session = session};
    (void)argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    char program[PATH_SIZE], second[PATH_SIZE];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size < 0) {
        return session_fail(session, EXIT_USAGE, "cannot find this program's own file: %s", strerror(errno));
    }
    program[size] = '\0';
    options.demo.program_path = program;
    options.demo.plugin_path = session->plugin_path;
    options.demo.config = session->config;
    options.demo.loader = session_host_options(session).loader;
    if (options.demo.second_path == NULL) {
        if (!second_build(session->plugin_path, second)) {
            return session_fail(session, EXIT_USAGE, "the path of the plugin is too long");
        }
        options.demo.second_path = second;
    }
    if (session->db_given) {
        options.demo.db_path = session->db_path;
        if (!options.child && access(session->db_path, F_OK) == 0) {
            return session_fail(session, EXIT_USAGE, "'%s' exists; the demo wants a new file", session->db_path);
        }
        return run(session, &options);
    }
    CLEANUP(scratch_done) struct scratch scratch = {0};
    struct failure failure;
    if (!scratch_init(&scratch, options.keep, &failure)) {
        return session_fail(session, EXIT_USAGE, "%s", failure.message);
    }
    options.demo.db_path = scratch.db_path;
    return run(session, &options);
}
