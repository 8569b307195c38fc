/* schema_test.c: `schema`: versions come, are looked at, and go, from files and back. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

TestSuite(schema, .init = cli_enter, .fini = cli_leave);

static const char NODE[] = "{\n  \"required\": [\"id\"],\n  \"properties\": {\"age\": {\"minimum\": 0}}\n}\n";

/* Runs, and looks for words on standard error; standard output stays empty. */
#define FAILS(words, ...)                                                                                              \
    do {                                                                                                               \
        CLEANUP(result_done) struct result failed = RUN_FOR(1, NULL, __VA_ARGS__);                                     \
        cr_assert_str_empty(failed.out);                                                                               \
        cli_contains(failed.err, words);                                                                               \
    } while (0)

Test(schema, put_tells_the_version_and_get_gives_the_text_back_to_the_byte) {
    cli_file("node.json", NODE);

    PRINTS(0, NULL, "node_created: version 1\n", "schema", "put", "node_created", "node.json");
    PRINTS(0, NULL, NODE, "schema", "get", "node_created");
}

Test(schema, put_of_the_same_schema_says_that_nothing_was_changed) {
    cli_file("node.json", NODE);
    cli_file("same.json", "{\"properties\":{\"age\":{\"minimum\":0.0}},\"required\":[\"id\"]}");

    PRINTS(0, NULL, "t: version 1\n", "schema", "put", "t", "node.json");
    PRINTS(0, NULL, "t: version 1 is the same schema; nothing was changed\n", "schema", "put", "t", "same.json");
}

Test(schema, put_reads_standard_input_and_keeps_metadata) {
    CLEANUP(result_done)
    struct result put = RUN_FOR(0, "true", "schema", "put", "t", "-", "--metadata", "{\"author\": \"ann\"}");
    CLEANUP(result_done) struct result got = RUN_FOR(0, NULL, "schema", "get", "t", "--json");

    cr_assert_str_eq(put.out, "t: version 1\n");
    cr_assert_str_eq(cli_mask(got.out, "created_at"),
                     "{\"type\":\"t\",\"version\":1,\"format\":\"json\",\"schema\":\"true\",\"created_at\":0,"
                     "\"metadata\":{\"author\":\"ann\"}}\n");
}

Test(schema, get_ends_its_text_with_a_newline_and_finds_older_versions) {
    cli_file("one.json", "{\"minimum\": 1}");
    cli_file("two.json", "{\"minimum\": 2}");
    PRINTS(0, NULL, "t: version 1\n", "schema", "put", "t", "one.json");
    PRINTS(0, NULL, "t: version 2\n", "schema", "put", "t", "two.json");

    PRINTS(0, NULL, "{\"minimum\": 2}\n", "schema", "get", "t");
    PRINTS(0, NULL, "{\"minimum\": 1}\n", "schema", "get", "t", "--version", "1");
    FAILS("NOT_FOUND", "schema", "get", "t", "--version", "3");
    FAILS("NOT_FOUND", "schema", "get", "u");
}

/* In a message {"$ref": …} would be an unknown form: the command has to write it as {"$map": …}, and back. */
Test(schema, as_msgpack_comes_back_as_the_json_it_was_with_references_and_all) {
    static const char SCHEMA[] = "{\"$defs\":{\"n\":{\"minimum\":1.5},\"all\":{\"$ref\":\"#/$defs/n\"}},"
                                 "\"properties\":{\"a\":{\"$ref\":\"#/$defs/all\"},\"b\":{\"anyOf\":[{\"$comment\":"
                                 "\"\"},{\"$map\":1}]}},\"maximum\":9007199254740993}\n";
    cli_file("node.json", SCHEMA);
    cli_file("only.json", "{\"$defs\": {}}");

    PRINTS(0, NULL, "t: version 1\n", "schema", "put", "t", "node.json", "--msgpack");
    PRINTS(0, NULL, SCHEMA, "schema", "get", "t");
    PRINTS(0, NULL, "t: version 1 is the same schema; nothing was changed\n", "schema", "put", "t", "node.json");
    PRINTS(0, NULL, "u: version 1\n", "schema", "put", "u", "only.json", "--msgpack");
    PRINTS(0, NULL, "{\"$defs\":{}}\n", "schema", "get", "u");
}

Test(schema, put_takes_documents_and_names_a_reference_that_leads_nowhere) {
    cli_file("node.json", "{\"properties\": {\"at\": {\"$ref\": \"https://example.org/geo?v=1\"}}}");
    cli_file("geo.json", "{\"required\": [\"lat\"]}");
    cli_file("bad.json", "{\"at\": {}}");

    FAILS("'https://example.org/geo?v=1' leads to no schema", "schema", "put", "t", "node.json");
    FAILS("(at /schema/properties/at/$ref)", "schema", "put", "t", "node.json");
    PRINTS(0, NULL, "t: version 1\n", "schema", "put", "t", "node.json", "--document",
           "https://example.org/geo?v=1=geo.json");
    PRINTS(0, NULL, "u: version 1\n", "schema", "put", "u", "node.json", "--msgpack", "--document",
           "https://example.org/geo?v=1=geo.json");
    PRINTS(1, NULL, "bad.json: /at: must have the property \"lat\" [properties/at/$ref/required]\n", "schema",
           "validate", "u", "bad.json");
}

Test(schema, put_of_what_is_no_schema_tells_each_failure_in_a_line) {
    cli_file("bad.json", "{\"properties\": {\"id\": {\"type\": \"strin\"}}}");
    cli_file("broken.json", "{\n\"type\": }");

    CLEANUP(result_done) struct result bad = RUN_FOR(1, NULL, "schema", "put", "t", "bad.json");
    cr_assert_str_empty(bad.out);
    cli_contains(bad.err, "polaris-host-sim schema put: cannot put it: INVALID: the schema fails its meta-schema\n");
    cli_contains(bad.err, "\n  /properties/id/type: must be one of \"array\", ");
    cli_contains(bad.err, "\n  /properties/id/type: must be array (got string) [");
    FAILS("line 2, column 9", "schema", "put", "t", "broken.json");
    FAILS("NOT_FOUND", "schema", "get", "t");
}

Test(schema, put_may_demand_to_know_the_latest_version) {
    cli_file("node.json", NODE);

    FAILS("CONFLICT", "schema", "put", "t", "node.json", "--expected", "1");
    PRINTS(0, NULL, "t: version 1\n", "schema", "put", "t", "node.json", "--expected", "0");
}

Test(schema, an_error_is_the_error_map_with_json) {
    CLEANUP(result_done) struct result missing = RUN_FOR(1, NULL, "schema", "get", "t", "--json");
    cli_contains(missing.out, "{\"code\":3,\"name\":\"NOT_FOUND\",");
    cr_assert_str_empty(missing.err);
    cli_file("true.json", "true");
    PRINTS(0, NULL, "{\"type\":\"t\",\"version\":1,\"created\":true}\n", "schema", "put", "t", "true.json", "--json");

    CLEANUP(result_done) struct result result = RUN_FOR(1, NULL, "schema", "get", "u", "--json");

    cli_contains(result.out, "{\"code\":3,\"name\":\"NOT_FOUND\",");
    cr_assert_str_empty(result.err);
}

Test(schema, list_shows_each_type_with_its_settings) {
    cli_file("node.json", NODE);
    PRINTS(0, NULL, "node_created: version 1\n", "schema", "put", "node_created", "node.json");
    PRINTS(0, NULL, "edge: version 1\n", "schema", "put", "edge", "node.json");
    PRINTS(0, NULL, "edge: version 1 is retired; none is left: its events are not validated\n", "schema", "retire",
           "edge", "1");

    PRINTS(0, NULL,
           "TYPE          CURRENT  LATEST  POLICY  COMPATIBILITY  CONTENT  FORMAT    EXTENDED\n"
           "edge                -       1  reject  none           strict   annotate  no\n"
           "node_created        1       1  reject  none           strict   annotate  no\n",
           "schema", "list");
    PRINTS(0, NULL,
           "{\"types\":[{\"versions\":1,\"type\":\"node_created\",\"latest\":1,\"current\":1,\"policy\":\"reject\","
           "\"compatibility\":\"none\",\"content\":\"strict\",\"format\":\"annotate\",\"extended\":false,"
           "\"unknown\":\"refuse\"}],\"count\":1,\"more\":false}\n",
           "schema", "list", "--prefix", "node", "--json");
    PRINTS(0, NULL, "", "schema", "list", "--prefix", "none");
}

Test(schema, list_goes_through_all_pages) {
    free(cli_call("schema", "{'op':'policy','type':'a','policy':'warn'}"));
    free(cli_call("schema", "{'op':'policy','type':'b','policy':'warn'}"));
    free(cli_call("schema", "{'op':'policy','type':'c','policy':'warn'}"));

    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "schema", "list", "--page", "1");
    CLEANUP(result_done) struct result json = RUN_FOR(0, NULL, "schema", "list", "--page", "2", "--json");

    cli_contains(result.out, "\na           -       0  warn ");
    cli_contains(result.out, "\nb           -       0  warn ");
    cli_contains(result.out, "\nc           -       0  warn ");
    cli_contains(json.out, "],\"count\":3,\"more\":false}\n");
}

Test(schema, versions_shows_what_is_current_and_what_was_retired) {
    cli_file("one.json", "true");
    cli_file("two.json", "{}");
    PRINTS(0, NULL, "t: version 1\n", "schema", "put", "t", "one.json");
    PRINTS(0, NULL, "t: version 2\n", "schema", "put", "t", "two.json", "--msgpack");
    PRINTS(0, NULL, "t: version 2 is retired; version 1 is the current one\n", "schema", "retire", "t", "2");

    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "schema", "versions", "t");
    CLEANUP(result_done) struct result json = RUN_FOR(0, NULL, "schema", "versions", "t", "--json");

    cli_contains(result.out, "VERSION  BYTES  FORMAT   PUT ");
    cli_contains(result.out, "\n      1      4  json     20");
    cli_contains(result.out, "Z  current\n      2      1  msgpack  20");
    cli_contains(result.out, "Z  retired 20");
    cli_contains(result.out, "\n\npolicy         reject\n");
    cli_contains(json.out, "{\"type\":\"t\",\"latest\":2,\"current\":1,\"policy\":\"reject\",");
    FAILS("ALREADY", "schema", "retire", "t", "2");
    FAILS("NOT_FOUND", "schema", "retire", "t", "3");
}

Test(schema, policy_changes_what_is_given_and_shows_all) {
    static const char CHANGED[] = "policy         dead_letter\ncompatibility  full_transitive\ncontent        strict\n"
                                  "unknown        refuse\nformat         assert\nextended       yes\n";
    cli_file("node.json", NODE);
    PRINTS(0, NULL, "t: version 1\n", "schema", "put", "t", "node.json");

    PRINTS(0, NULL, CHANGED, "schema", "policy", "t", "--policy", "dead_letter", "--compatibility", "full_transitive",
           "--format", "assert", "--extended", "yes");
    PRINTS(0, NULL, CHANGED, "schema", "policy", "t");
    PRINTS(0, NULL,
           "{\"type\":\"t\",\"policy\":\"dead_letter\",\"compatibility\":\"full_transitive\",\"content\":\"lenient\","
           "\"format\":\"assert\",\"extended\":false,\"unknown\":\"accept\"}\n",
           "schema", "policy", "t", "--content", "lenient", "--unknown", "accept", "--extended", "no", "--json");
    PRINTS(0, NULL,
           "{\"type\":\"t\",\"policy\":\"dead_letter\",\"compatibility\":\"full_transitive\",\"content\":\"lenient\","
           "\"format\":\"assert\",\"extended\":false,\"unknown\":\"accept\"}\n",
           "schema", "policy", "t", "--json");
    FAILS("it may be one of: reject, ", "schema", "policy", "t", "--policy", "explode");
}

Test(schema, what_only_reads_works_beside_a_writer) {
    cli_file("node.json", NODE);
    cli_file("alice.json", "{\"id\": \"alice\"}");
    PRINTS(0, NULL, "t: version 1\n", "schema", "put", "t", "node.json");
    struct process writer = START("ingest", "--batch", "1", "-");
    process_write(&writer, "{\"type\":\"other\",\"data\":{}}\n");
    for (bool stored = false; !stored;) {
        CLEANUP(result_done) struct result count = RUN_FOR(0, NULL, "call", "--read", "query", "{\"op\":\"count\"}");
        stored = strcmp(count.out, "{\"count\":1}\n") == 0;
    }
    FAILS("BUSY", "schema", "policy", "t", "--policy", "warn");

    PRINTS(0, NULL, NODE, "schema", "get", "t");
    PRINTS(0, NULL, "alice.json: valid\n", "schema", "validate", "t", "alice.json");
    ENDS(0, NULL, "schema", "policy", "t");
    ENDS(0, NULL, "schema", "versions", "t");
    ENDS(0, NULL, "schema", "dry-run", "t", "node.json");
    ENDS(0, NULL, "rejected", "list");

    CLEANUP(result_done) struct result finished = process_finish(&writer);
    cr_assert_eq(finished.code, 0);
}
