/* command_schema.c: `schema`: the schemas of event types, in files and in the store. */
#include "cli/schema.h"

static const struct task_kind *const KINDS[] = {
    &SCHEMA_PUT,   &SCHEMA_GET,     &SCHEMA_LIST,   &SCHEMA_VERSIONS, &SCHEMA_VALIDATE,
    &SCHEMA_CHECK, &SCHEMA_DRY_RUN, &SCHEMA_POLICY, &SCHEMA_RETIRE,   NULL,
};

static const struct task_group GROUP = {
    .kinds = KINDS,
    .doc = "The schemas of event types: JSON Schema in files and in the store, payloads and new versions held against "
           "them. What only reads opens the store for reading, beside a process that writes.",
    .after = "A failure is told in one line: where in the payload, what must hold, and by which keyword of the "
             "schema:\n"
             "  /items/3/price: must be >= 0 (got -1) [properties/items/items/minimum]\n"
             "\n"
             "Exit codes: 0 all is well; 1 the plugin answered an error, a payload is not valid, or a schema not "
             "compatible; 2 wrong usage, or a file or a plugin that cannot be read.\n"
             "\n"
             "Example: does a new schema read what the old one wrote, and what was stored?\n"
             "  polaris-host-sim schema check node_created new.json \\\n"
             "    --compatibility backward &&\n"
             "  polaris-host-sim schema dry-run node_created new.json",
};

int command_schema(struct session *session, int argc, char **argv) {
    return task_group_run(&GROUP, session, argc, argv);
}
