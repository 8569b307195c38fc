/* schema_judge_test.c: `schema validate`, `schema check`, `schema dry-run`: verdicts, as people and scripts see them.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static void enter(void) {
    cli_enter();
    cli_file("node.json", "{\"required\": [\"id\"], \"properties\": {\"age\": {\"minimum\": 0},"
                          " \"mail\": {\"format\": \"email\"}}}");
    cli_file("alice.json", "{\"id\": \"alice\", \"age\": 31}\n");
    cli_file("bob.json", "{\"age\": -1}\n");
}

TestSuite(schema_judge, .init = enter, .fini = cli_leave);

static void put_node(void) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "schema", "put", "node", "node.json");
    cr_assert_str_eq(result.out, "node: version 1\n");
}

/* ---- validate ---- */

Test(schema_judge, a_payload_is_valid_or_each_failure_stands_in_a_line) {
    put_node();

    PRINTS(0, NULL, "alice.json: valid\n", "schema", "validate", "node", "alice.json");
    PRINTS(1, NULL,
           "bob.json: (root): must have the property \"id\" [required]\n"
           "bob.json: /age: must be >= 0 (got -1) [properties/age/minimum]\n",
           "schema", "validate", "node", "bob.json");
}

Test(schema_judge, many_files_end_in_a_sum) {
    put_node();

    PRINTS(1, "{\"id\": 1}",
           "alice.json: valid\n"
           "bob.json: (root): must have the property \"id\" [required]\n"
           "bob.json: /age: must be >= 0 (got -1) [properties/age/minimum]\n"
           "stdin: valid\n"
           "3 payloads: 2 valid, 1 invalid\n",
           "schema", "validate", "node", "alice.json", "bob.json", "-");
}

Test(schema_judge, each_line_is_a_payload_when_told_so) {
    cli_file("nodes.jsonl",
             "{\"id\":1}\n\n \t\r\n{\"id\":1,\"age\":-2}\n{\"id\":\n{\"id\":{\"$bni\":\"\"}}\n{\"id\":2}");
    put_node();

    PRINTS(1, NULL,
           "nodes.jsonl:4: /age: must be >= 0 (got -2) [properties/age/minimum]\n"
           "nodes.jsonl:5: cannot be read: column 6: unexpected token near end of file\n"
           "nodes.jsonl:6: cannot be read: at '/id': unknown form: an object whose only key begins with '$' is $bin, "
           "$str, $ext, $float, $uint or $map; a map with such a key is written {\"$map\": [[key, value]]}\n"
           "5 payloads: 2 valid, 3 invalid\n",
           "schema", "validate", "node", "--lines", "nodes.jsonl");
    PRINTS(0, "{\"id\":1}\n{\"id\":2}\n", "2 payloads: 2 valid, 0 invalid\n", "schema", "validate", "node", "--lines",
           "-");
    PRINTS(0, "", "0 payloads: 0 valid, 0 invalid\n", "schema", "validate", "node", "--lines", "-");
}

Test(schema_judge, each_verdict_is_the_reply_with_its_place_with_json) {
    put_node();

    CLEANUP(result_done)
    struct result result = RUN_FOR(0, NULL, "schema", "validate", "node", "alice.json", "--json");
    CLEANUP(result_done)
    struct result lines = RUN_FOR(1, "{}\n{", "schema", "validate", "node", "--lines", "-", "--json");

    cr_assert_str_eq(cli_mask(result.out, "steps"),
                     "{\"valid\":true,\"failures\":[],\"truncated\":false,\"steps\":0,\"type\":\"node\","
                     "\"version\":1,\"file\":\"alice.json\"}\n");
    cli_contains(lines.out, "{\"valid\":false,\"failures\":[{\"instance\":\"\",");
    cli_contains(lines.out, "\"version\":1,\"file\":\"-\",\"line\":1}\n{\"valid\":false,\"error\":\"column 1: ");
    cli_contains(lines.out, "\"file\":\"-\",\"line\":2}\n");
}

Test(schema_judge, a_file_that_cannot_be_read_ends_with_2_and_the_others_are_judged) {
    put_node();

    CLEANUP(result_done)
    struct result result =
        RUN_FOR(2, "{\"id\": 1}\n{\"id\": 2}\n", "schema", "validate", "node", "nowhere.json", ".", "alice.json", "-");

    cr_assert_str_eq(result.out, "alice.json: valid\n");
    cli_contains(result.err, "cannot open 'nowhere.json'");
    cli_contains(result.err, "reading .: Is a directory");
    cli_contains(result.err, "'-': line 2, column 1: ");
    cli_contains(result.err, "give --lines");
    CLEANUP(result_done)
    struct result lines = RUN_FOR(2, NULL, "schema", "validate", "node", "--lines", "nowhere.json", ".", "alice.json");
    cli_contains(lines.err, "cannot open 'nowhere.json'");
    cli_contains(lines.err, "cannot read '.'");
    cr_assert_str_eq(lines.out, "1 payload: 1 valid, 0 invalid\n");
}

Test(schema_judge, by_a_schema_in_a_file_without_any_store) {
    PRINTS(0, NULL, "alice.json: valid\n", "schema", "validate", "--schema", "node.json", "alice.json");
    PRINTS(1, NULL,
           "bob.json: (root): must have the property \"id\" [required]\n"
           "bob.json: /age: must be >= 0 (got integer) [properties/age/minimum]\n",
           "schema", "validate", "--schema", "node.json", "--msgpack", "--hide-values", "bob.json");

    CLEANUP(result_done) struct result none = RUN_FOR(1, NULL, "events");
    cli_contains(none.err, "NOT_FOUND"); /* nobody made one */
}

Test(schema_judge, options_reach_the_judge) {
    cli_file("mail.json", "{\"id\": 1, \"mail\": \"x\"}");
    cli_file("bytes.json", "{\"id\": {\"$bin\": \"AAH/\"}}");

    PRINTS(0, NULL, "mail.json: valid\n", "schema", "validate", "--schema", "node.json", "mail.json");
    CLEANUP(result_done)
    struct result asserted =
        RUN_FOR(1, NULL, "schema", "validate", "--schema", "node.json", "--format", "assert", "mail.json");
    cli_contains(asserted.out, "mail.json: /mail: must be in the format email (got \"x\") [properties/mail/format]");
    CLEANUP(result_done)
    struct result bytes = RUN_FOR(1, NULL, "schema", "validate", "--schema", "node.json", "bytes.json");
    cli_contains(bytes.out, "bytes.json: /id: must be a value that JSON has");
    PRINTS(0, NULL, "bytes.json: valid\n", "schema", "validate", "--schema", "node.json", "--extended", "bytes.json");
    PRINTS(1, NULL, "bob.json: (root): must have the property \"id\" [required]\nbob.json: … and more\n", "schema",
           "validate", "--schema", "node.json", "--failures-max", "1", "bob.json");
}

Test(schema_judge, older_versions_can_be_asked) {
    free(cli_call("schema", "{'op':'put','type':'node','schema':{'properties':{'age':{'maximum':5}}}}"));
    CLEANUP(result_done) struct result put = RUN_FOR(0, NULL, "schema", "put", "node", "node.json");
    cr_assert_str_eq(put.out, "node: version 2\n");

    PRINTS(0, NULL, "alice.json: valid\n", "schema", "validate", "node", "alice.json");
    PRINTS(1, NULL, "alice.json: /age: must be <= 5 (got 31) [properties/age/maximum]\n", "schema", "validate", "node",
           "alice.json", "--version", "1");
}

Test(schema_judge, a_limit_is_no_verdict_and_the_next_payload_is_judged) {
    CLEANUP(result_done)
    struct result result = RUN_FOR(1, "[1,2,3,4,5,6,7,8,9]\n[1]\n", "--config", "{\"validation_steps_max\": 1000}",
                                   "schema", "validate", "--schema", "/dev/null", "--lines", "-");
    cli_contains(result.err, "cannot validate: INVALID: "); /* no schema at all ends it at once */
    cli_file("deep.json", "{\"items\": {\"items\": {\"items\": {\"pattern\": \"(a|a)*b\"}}}}");
    static char line[40000];
    (void)strcpy(line, "[[[");
    for (int i = 0; i < 3000; i++) {
        (void)strcat(line, "\"aaaa\",");
    }
    (void)strcat(line, "\"b\"]]]\n[]\n");

    CLEANUP(result_done)
    struct result limited = RUN_FOR(1, line, "--config", "{\"validation_steps_max\": 1000}", "schema", "validate",
                                    "--schema", "deep.json", "--lines", "-");

    cli_contains(limited.out, "stdin:1: not decided: TOO_LARGE: ");
    cli_contains(limited.out, "2 payloads: 1 valid, 0 invalid, 1 not decided\n");
}

Test(schema_judge, a_type_without_a_schema_ends_it) {
    put_node();

    CLEANUP(result_done)
    struct result result = RUN_FOR(1, NULL, "schema", "validate", "edge", "alice.json", "bob.json");

    cr_assert_str_empty(result.out);
    cli_contains(result.err, "cannot validate: NOT_FOUND: ");
}

/* Property names are the payload's own: nothing of it may steer the terminal. */
Test(schema_judge, control_characters_do_not_reach_the_terminal) {
    cli_file("closed.json", "{\"properties\": {}, \"additionalProperties\": {\"type\": \"null\"}}");
    cli_file("evil.json", "{\"\\u001b[31m\": \"\\u001b[2J\"}");

    CLEANUP(result_done)
    struct result result = RUN_FOR(1, NULL, "schema", "validate", "--schema", "closed.json", "evil.json");

    cr_assert_null(strchr(result.out, '\033'), "%s", result.out);
    cli_contains(result.out, "evil.json: /");
}

/* ---- check ---- */

static void write_older_and_newer(void) {
    cli_file("older.json", "{\"type\": \"object\", \"required\": [\"id\"],"
                           " \"properties\": {\"id\": {\"type\": \"string\"}, \"age\": {\"type\": \"integer\"}}}");
    cli_file("newer.json", "{\"type\": \"object\", \"required\": [\"id\"],"
                           " \"properties\": {\"id\": {\"type\": \"string\"}, \"age\": {\"type\": \"integer\","
                           " \"minimum\": 18}}}");
}

Test(schema_judge, check_lists_each_difference_with_a_payload_that_shows_it) {
    write_older_and_newer();
    PRINTS(0, NULL, "node: version 1\n", "schema", "put", "node", "older.json");

    PRINTS(1, NULL,
           "/properties/age/minimum: minimum is 18, at /age [minimum_raised]\n"
           "  backward, version 1: no, as version 1 alone allows {\"age\":17,\"id\":\"\"}\n"
           "node: not compatible: backward, strict content, against version 1\n",
           "schema", "check", "node", "newer.json");
    PRINTS(0, NULL, "node: compatible: forward, strict content, against version 1\n", "schema", "check", "node",
           "newer.json", "--compatibility", "forward");
    PRINTS(0, NULL, "node: compatible: full, lenient content, against version 1\n", "schema", "check", "node",
           "older.json", "--compatibility", "full", "--content", "lenient");
    PRINTS(0, NULL, "edge: compatible: there is no version to compare with\n", "schema", "check", "edge", "newer.json");
}

Test(schema_judge, check_of_versions_names_each) {
    write_older_and_newer();
    PRINTS(0, NULL, "node: version 1\n", "schema", "put", "node", "newer.json");
    PRINTS(0, NULL, "node: version 2\n", "schema", "put", "node", "older.json");
    cli_file("free.json", "true");

    PRINTS(0, NULL, "node: compatible: backward_transitive, strict content, against versions 1, 2\n", "schema", "check",
           "node", "free.json", "--compatibility", "backward_transitive");
    CLEANUP(result_done)
    struct result forward =
        RUN_FOR(1, NULL, "schema", "check", "node", "free.json", "--compatibility", "forward", "--version", "1");
    cli_contains(forward.out, "\n  forward, version 1: no, as the new schema alone allows ");
    cli_contains(forward.out, "\nnode: not compatible: forward, strict content, against version 1\n");
    CLEANUP(result_done) struct result json = RUN_FOR(1, NULL, "schema", "check", "node", "newer.json", "--json");
    cli_contains(json.out, "{\"type\":\"node\",\"compatibility\":\"backward\",\"content\":\"strict\",");
    cli_contains(json.out, "\"differences\":[{\"kind\":\"minimum_raised\",\"direction\":\"backward\",\"version\":2,");
}

Test(schema_judge, check_of_two_files_needs_no_store) {
    write_older_and_newer();

    PRINTS(1, NULL,
           "/properties/age/minimum: minimum is 18, at /age [minimum_raised]\n"
           "  backward, older.json: no, as older.json alone allows {\"age\":17,\"id\":\"\"}\n"
           "newer.json: not compatible: backward, strict content, against older.json\n",
           "schema", "check", "--against", "older.json", "newer.json");
    PRINTS(0, NULL, "older.json: compatible: backward, strict content, against newer.json\n", "schema", "check",
           "--against", "newer.json", "older.json", "--msgpack");
    cli_file("broken.json", "{\"type\": \"strin\"}");
    CLEANUP(result_done)
    struct result broken = RUN_FOR(1, NULL, "schema", "check", "--against", "broken.json", "newer.json");
    cli_contains(broken.err, "schema check: broken.json: INVALID: the schema fails its meta-schema\n  /type: ");

    CLEANUP(result_done) struct result none = RUN_FOR(1, NULL, "events");
    cli_contains(none.err, "NOT_FOUND"); /* nobody made one */
}

Test(schema_judge, what_is_not_proved_is_not_compatible) {
    cli_file("older.json", "{\"pattern\": \"^a+$\"}");
    cli_file("newer.json", "{\"pattern\": \"^(aa?)+$\"}");

    CLEANUP(result_done)
    struct result result = RUN_FOR(1, NULL, "schema", "check", "--against", "older.json", "newer.json");

    cli_contains(result.out, "[pattern_changed]\n  backward, older.json: unknown\n");
    cli_contains(result.out, "newer.json: not known to be compatible: ");
}

Test(schema_judge, put_of_what_is_not_compatible_tells_the_differences) {
    write_older_and_newer();
    PRINTS(0, NULL, "node: version 1\n", "schema", "put", "node", "older.json");
    free(cli_call("schema", "{'op':'policy','type':'node','compatibility':'backward'}"));

    CLEANUP(result_done) struct result result = RUN_FOR(1, NULL, "schema", "put", "node", "newer.json");

    cr_assert_str_empty(result.out);
    cli_contains(result.err, "polaris-host-sim schema put: cannot put it: CONFLICT: ");
    cli_contains(result.err, "\n/properties/age/minimum: minimum is 18, at /age [minimum_raised]\n"
                             "  backward, version 1: no, as version 1 alone allows {\"age\":17,\"id\":\"\"}\n");
    PRINTS(0, NULL, "node: version 2\n", "schema", "put", "node", "newer.json", "--force");
}

/* ---- dry-run ---- */

Test(schema_judge, dry_run_counts_and_gives_examples) {
    put_node();
    ENDS(0,
         "{\"type\":\"node\",\"data\":{\"id\":\"a\",\"age\":3}}\n"
         "{\"type\":\"node\",\"data\":{\"id\":\"b\",\"age\":30}}\n"
         "{\"type\":\"other\",\"data\":{}}\n",
         "ingest", "-");
    cli_file("stricter.json", "{\"properties\": {\"age\": {\"minimum\": 18}}}");

    PRINTS(1, NULL,
           "node: 2 stored events: 1 valid, 1 invalid\n"
           "newly invalid: 1\n"
           "  event 1: /age: must be >= 18 (got 3) [properties/age/minimum]\n"
           "newly valid: 0\n",
           "schema", "dry-run", "node", "stricter.json");
    PRINTS(0, NULL,
           "node: 1 stored events: 1 valid, 0 invalid\n"
           "newly invalid: 0\n"
           "newly valid: 0\n",
           "schema", "dry-run", "node", "stricter.json", "--after", "1");
    PRINTS(1, NULL,
           "node: 1 stored events: 0 valid, 1 invalid\n"
           "newly invalid: 1\n"
           "  event 1: /age: must be >= 18 (got 3) [properties/age/minimum]\n"
           "newly valid: 0\n"
           "there are more events: go on with --after 1\n",
           "schema", "dry-run", "node", "stricter.json", "--limit", "1");
}

Test(schema_judge, dry_run_is_the_reply_with_json) {
    put_node();

    PRINTS(0, NULL,
           "{\"checked\":0,\"valid\":0,\"invalid\":0,\"newly_invalid\":0,\"newly_valid\":0,\"failed\":0,\"last_id\":0,"
           "\"more\":false,\"newly_invalid_examples\":[],\"newly_valid_examples\":[]}\n",
           "schema", "dry-run", "node", "node.json", "--json");
}
