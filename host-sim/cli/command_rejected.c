/* command_rejected.c: `rejected`: events that their schema did not allow, kept as the policy of their type says. */
#include "cli/rejected.h"

static const struct task_kind *const KINDS[] = {
    &REJECTED_LIST, &REJECTED_SHOW, &REJECTED_RESUBMIT, &REJECTED_DISCARD, NULL,
};

static const struct task_group GROUP = {
    .kinds = KINDS,
    .doc = "Events that their schema did not allow, kept where the policy of their type is dead_letter: waiting, until "
           "they are resubmitted or discarded.",
    .after = "Exit codes: 0 done; 1 the plugin answered an error, or some are still not allowed; 2 wrong usage, or a "
             "file or a plugin that cannot be read.\n"
             "\n"
             "Example:\n"
             "  polaris-host-sim rejected list --state waiting",
};

int command_rejected(struct session *session, int argc, char **argv) {
    return task_group_run(&GROUP, session, argc, argv);
}
