/* usage_test.c: help, versions, and every kind of wrong usage. */
#include <criterion/criterion.h>
#include <polaris/event_store.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

TestSuite(usage, .init = cli_enter, .fini = cli_leave);

/* Wrong usage: exit code 2, nothing on standard output, these words on standard error. */
#define REFUSES(words, ...)                                                                                            \
    do {                                                                                                               \
        CLEANUP(result_done) struct result refused = RUN_FOR(2, NULL, __VA_ARGS__);                                    \
        cr_assert_str_empty(refused.out);                                                                              \
        cli_contains(refused.err, words);                                                                              \
    } while (0)

Test(usage, help_lists_every_command) {
    static const char *const COMMANDS[] = {"call",   "ingest", "events", "tail",  "schema", "rejected",
                                           "replay", "swap",   "demo",   "bench", "check",  "torture"};

    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "--help");

    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
        char line[32];
        (void)snprintf(line, sizeof line, "\n  %s ", COMMANDS[i]);
        cli_contains(result.out, line);
    }
    cli_contains(result.out, "Exit codes: 0 all is well; 1 ");
    cr_assert_str_empty(result.err);
}

/* The help of a command, or (with a task) of one of its tasks. */
static void check_help(const char *command, const char *task) {
    char usage[64];
    CLEANUP(result_done)
    struct result result =
        task != NULL ? RUN_FOR(0, NULL, command, task, "--help") : RUN_FOR(0, NULL, command, "--help");
    (void)snprintf(usage, sizeof usage, "Usage: polaris-host-sim %s%s%s [OPTION...]", command, task != NULL ? " " : "",
                   task != NULL ? task : "");
    cli_contains(result.out, usage);
    cli_contains(result.out, "Exit codes: 0 ");
    cli_contains(result.out, "Example");
    cli_contains(result.out, "--db=FILE");
    for (char *line = strtok(result.out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        cr_assert_leq(strlen(line), 80u, "does not fit a terminal: %s", line);
    }
}

Test(usage, each_command_has_a_help_with_exit_codes_and_an_example) {
    static const char *const COMMANDS[] = {"call",   "ingest", "events", "tail",  "schema", "rejected",
                                           "replay", "swap",   "demo",   "bench", "check",  "torture"};
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
        check_help(COMMANDS[i], NULL);
    }
}

Test(usage, so_has_each_task_which_the_help_of_its_command_lists) {
    static const char *const TASKS[][2] = {
        {"schema", "put"},       {"schema", "get"},    {"schema", "list"},    {"schema", "versions"},
        {"schema", "validate"},  {"schema", "check"},  {"schema", "dry-run"}, {"schema", "policy"},
        {"schema", "retire"},    {"rejected", "list"}, {"rejected", "show"},  {"rejected", "resubmit"},
        {"rejected", "discard"},
    };
    CLEANUP(result_done) struct result schema = RUN_FOR(0, NULL, "schema", "--help");
    CLEANUP(result_done) struct result rejected = RUN_FOR(0, NULL, "rejected", "--help");
    for (size_t i = 0; i < sizeof TASKS / sizeof TASKS[0]; i++) {
        char line[32];
        (void)snprintf(line, sizeof line, "\n  %s ", TASKS[i][1]);
        cli_contains(strcmp(TASKS[i][0], "schema") == 0 ? schema.out : rejected.out, line);
        check_help(TASKS[i][0], TASKS[i][1]);
    }
}

Test(usage, help_of_call_documents_every_form) {
    static const char *const FORMS[] = {"$bin", "$ext", "$float", "$uint", "$str", "$map", "@FILE"};

    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "call", "--help");

    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        cli_contains(result.out, FORMS[i]);
    }
}

Test(usage, version_is_that_of_the_program_the_interface_and_the_plugin) {
    char abi[32];
    (void)snprintf(abi, sizeof abi, "\nABI %u.%u\n", POLARIS_ES_ABI_MAJOR, POLARIS_ES_ABI_MINOR);

    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "--version");

    cr_assert_eq(strncmp(result.out, "polaris-host-sim 1.", 19), 0, "%s", result.out);
    cli_contains(result.out, abi);
    cli_contains(result.out, "\nplugin polaris-event-store 1.");
    cli_contains(result.out, ", build ");
    cli_contains(result.out, "\nSQLite 3.");
    cli_contains(result.out, "polaris-event-store.so\n");
}

Test(usage, version_without_a_plugin_tells_its_own_and_why) {
    CLEANUP(result_done) struct result result = RUN_FOR(2, NULL, "--version", "--plugin", "/nowhere/plugin.so");

    cli_contains(result.out, "polaris-host-sim 1.");
    cli_contains(result.err, "/nowhere/plugin.so");
}

Test(usage, of_the_program) {
    CLEANUP(result_done) struct result nothing = RUN_FOR(2, NULL, "--verbose");
    cli_contains(nothing.err, "--help");
    REFUSES("there is no command 'explode'", "explode");
    REFUSES("unrecognized option '--colour'", "--colour", "call");
    REFUSES("requires an argument", "--db");
    REFUSES("--config: not an object", "--config", "[1]", "call", "query", "{}");
    REFUSES("--config: line 1, column ", "--config", "{\"readers\":", "call", "query", "{}");
    REFUSES("cannot open 'nowhere.json'", "--config", "@nowhere.json", "call", "query", "{}");
    REFUSES("/nowhere/plugin.so", "--plugin", "/nowhere/plugin.so", "call", "query", "{\"op\":\"head\"}");
}

Test(usage, of_call) {
    REFUSES("wants a verb and a request", "call");
    REFUSES("wants a verb and a request", "call", "query");
    REFUSES("too many arguments", "call", "query", "{\"op\":", "\"head\"}");
    REFUSES("there is no verb 'shutdown'", "call", "shutdown", "{}");
    REFUSES("request: line 2, column 1: ", "call", "query", "{\n?");
    REFUSES("$map", "call", "query", "{\"op\": \"head\", \"op\": \"head\"}");
    REFUSES("request: at '/a': {\"$bin\"", "call", "query", "{\"a\": {\"$bin\": \"?\"}}");
    REFUSES("$uint", "call", "query", "{\"a\": 9223372036854775808}");
    REFUSES("cannot open 'nowhere.json'", "call", "query", "@nowhere.json");
    REFUSES("unrecognized option", "call", "--colour", "query", "{}");
}

Test(usage, of_ingest) {
    REFUSES("wants a file", "ingest");
    REFUSES("takes one file", "ingest", "a", "b");
    REFUSES("cannot open 'nowhere.jsonl'", "ingest", "nowhere.jsonl");
    REFUSES("it is a folder", "ingest", ".");
    REFUSES("--batch wants a whole number from 1 to ", "ingest", "--batch", "0", "-");
    REFUSES("--batch wants a whole number", "ingest", "--batch", "10x", "-");
    REFUSES("--batch wants a whole number", "ingest", "--batch", "99999999999999999999", "-");
}

Test(usage, of_events_and_tail) {
    REFUSES("takes options only, not 'x'", "events", "x");
    REFUSES("'yesterday' is no time; write 2026-01-31T12:00:00Z", "events", "--from", "yesterday");
    REFUSES("'2026-02-30' is no time", "events", "--to", "2026-02-30");
    REFUSES("--limit wants a whole number from 0", "events", "--limit", "-1");
    REFUSES("--all-tags wants tags", "events", "--all-tags");
    REFUSES("--metadata wants POINTER=JSON", "events", "--metadata", "/user");
    REFUSES("--metadata wants POINTER=JSON", "events", "--metadata", "/user=ann");
    REFUSES("must be UTF-8", "events", "--type", "\xff");
    REFUSES("must be UTF-8", "events", "--stream", "\xff");
    REFUSES("takes options only, not 'x'", "tail", "x");
    REFUSES("--from and --last exclude each other", "tail", "--from", "1", "--last", "1");
    REFUSES("--from wants a whole number from 1", "tail", "--from", "2026-01-01");
    REFUSES("--count wants a whole number from 1", "tail", "--count", "0");
}

Test(usage, of_schema) {
    cli_file("true.json", "true");
    cli_file("latin.json", "{\"title\": \"\xe9\"}");
    REFUSES("which task? '--help' lists them", "schema");
    REFUSES("there is no task 'explode'; 'polaris-host-sim schema --help'", "schema", "explode");
    REFUSES("wants a type and a file with its schema", "schema", "put", "t");
    REFUSES("wants a type and a file with its schema", "schema", "put", "t", "a", "b");
    REFUSES("cannot open 'nowhere.json'", "schema", "put", "t", "nowhere.json");
    REFUSES("'latin.json' is not UTF-8", "schema", "put", "t", "latin.json");
    REFUSES("'latin.json': line 1, column ", "schema", "put", "t", "latin.json", "--msgpack");
    REFUSES("the type must be UTF-8", "schema", "put", "\xff", "true.json");
    REFUSES("--document wants URI=FILE, not 'geo.json'", "schema", "put", "t", "true.json", "--document", "geo.json");
    REFUSES("cannot open 'nowhere.json'", "schema", "put", "t", "true.json", "--document", "u:geo=nowhere.json");
    REFUSES("--expected wants a whole number from 0", "schema", "put", "t", "true.json", "--expected", "-1");
    REFUSES("--metadata: line 1, column ", "schema", "put", "t", "true.json", "--metadata", "{");
    REFUSES("wants a type", "schema", "get");
    REFUSES("--version wants a whole number from 1", "schema", "get", "t", "--version", "0");
    REFUSES("wants options only", "schema", "list", "t");
    REFUSES("--prefix: it must be UTF-8", "schema", "list", "--prefix", "\xff");
    REFUSES("wants a type", "schema", "versions", "t", "u");
    REFUSES("--extended wants yes or no, not 'maybe'", "schema", "policy", "t", "--extended", "maybe");
    REFUSES("a version is a number from 1 on, not 'x'", "schema", "retire", "t", "x");
    REFUSES("wants a type and the number of a version", "schema", "retire", "t");
    REFUSES("wants a type and a file with the new schema", "schema", "dry-run", "t");
}

Test(usage, of_what_holds_something_against_schemas) {
    cli_file("true.json", "true");
    REFUSES("wants a type (or --schema) and files with payloads", "schema", "validate");
    REFUSES("wants a type (or --schema) and files with payloads", "schema", "validate", "true.json");
    REFUSES("--document and --msgpack go with --schema", "schema", "validate", "t", "true.json", "--msgpack");
    REFUSES("cannot open 'nowhere.json'", "schema", "validate", "--schema", "nowhere.json", "true.json");
    REFUSES("wants a type (or --against) and a file", "schema", "check", "true.json");
    REFUSES("wants nothing but --against and a file", "schema", "check", "--against", "true.json", "t", "true.json");
    REFUSES("cannot open 'nowhere.json'", "schema", "check", "--against", "nowhere.json", "true.json");
}

Test(usage, of_rejected) {
    REFUSES("which task?", "rejected");
    REFUSES("there is no task 'purge'", "rejected", "purge");
    REFUSES("--limit wants a whole number from 0", "rejected", "list", "--limit", "-1");
    REFUSES("an entry's id is a number from 1 on, not '0'", "rejected", "show", "0");
    REFUSES("wants the id of an entry, or --all, not both", "rejected", "resubmit");
    REFUSES("wants the id of an entry, or --all, not both", "rejected", "resubmit", "--all", "1");
    REFUSES("--type goes with --all", "rejected", "resubmit", "1", "--type", "t");
    REFUSES("cannot open 'nowhere.json'", "rejected", "resubmit", "1", "nowhere.json");
    REFUSES("why? give --reason", "rejected", "discard", "1");
}
