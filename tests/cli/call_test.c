/* call_test.c: `call`: what it prints, to the byte, and what it ends with. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

TestSuite(call, .init = cli_enter, .fini = cli_leave);

static void check_call(const char *verb, const char *request, const char *expected) {
    char *reply = cli_call(verb, request);
    cr_assert_str_eq(cli_mask(reply, "recorded_at"), expected);
    free(reply);
}

Test(call, prints_the_reply_as_one_line_of_json) {
    check_call("query", "{'op':'head'}", "{\"first_id\":0,\"last_id\":0,\"recorded_at\":0}");
    check_call("store",
               "{'op':'append','events':[{'type':'node_created','data':{'id':'a'},'time':1,'stream':'s','tags':['t']},"
               "{'type':'b','data':{},'metadata':{},'time':2}]}",
               "{\"ids\":[1,2],\"versions\":[1,null],\"duplicates\":0,\"recorded_at\":0,\"last_id\":2}");
    check_call("query", "{'op':'get','id':1}",
               "{\"event\":{\"id\":1,\"type\":\"node_created\",\"time\":1,\"recorded_at\":0,\"data\":{\"id\":\"a\"},"
               "\"stream\":\"s\",\"version\":1,\"tags\":[\"t\"]}}");
    check_call("query", "{'op':'get','id':2}",
               "{\"event\":{\"id\":2,\"type\":\"b\",\"time\":2,\"recorded_at\":0,\"data\":{},\"metadata\":{}}}");
    check_call("query", "{'op':'count','filter':{'types':['b']}}", "{\"count\":1}");
    check_call("dlq", "{'op':'count'}", "{\"consumers\":[],\"total\":0}");
}

Test(call, prints_the_error_map_and_ends_with_1) {
    CLEANUP(result_done) struct result result = RUN_FOR(1, NULL, "call", "query", "{\"op\":\"get\",\"id\":7}");

    cr_assert_eq(strncmp(result.out, "{\"code\":3,\"name\":\"NOT_FOUND\",\"message\":\"", 40), 0, "%s", result.out);
    cli_contains(result.out, "\"retryable\":false,\"details\":{}}\n");
    cr_assert_str_empty(result.err);
}

Test(call, prints_the_error_map_of_a_store_that_does_not_open) {
    CLEANUP(result_done) struct result missing = RUN_FOR(1, NULL, "call", "query", "{\"op\":\"head\"}", "--read");
    CLEANUP(result_done)
    struct result config = RUN_FOR(1, NULL, "--config", "{\"colour\":1}", "call", "query", "{\"op\":\"head\"}");

    cli_contains(missing.out, "\"name\":\"NOT_FOUND\"");
    cli_contains(config.out, "\"name\":\"INVALID\"");
    cli_contains(config.out, "\"path\":\"/colour\"");
}

Test(call, sends_what_is_no_map_and_no_known_op_for_the_plugin_to_judge) {
    CLEANUP(result_done) struct result array = RUN_FOR(1, NULL, "call", "query", "[]");
    CLEANUP(result_done) struct result op = RUN_FOR(1, NULL, "call", "schema", "{\"op\":\"explode\"}");

    cli_contains(array.out, "\"name\":\"INVALID\"");
    cli_contains(op.out, "\"name\":\"UNSUPPORTED\"");
}

Test(call, takes_the_request_from_a_file_and_from_standard_input) {
    cli_file("request.json", "{\n  \"op\": \"count\"\n}\n");

    CLEANUP(result_done) struct result file = RUN_FOR(0, NULL, "call", "query", "@request.json");
    CLEANUP(result_done) struct result input = RUN_FOR(0, "{\"op\":\"count\"}", "call", "query", "-");

    cr_assert_str_eq(file.out, "{\"count\":0}\n");
    cr_assert_str_eq(input.out, "{\"count\":0}\n");
}

Test(call, takes_common_options_on_both_sides_of_its_name) {
    CLEANUP(result_done) struct result before = RUN_FOR(0, NULL, "--db", "x.db", "call", "query", "{\"op\":\"count\"}");
    CLEANUP(result_done)
    struct result after = RUN_FOR(0, NULL, "call", "query", "{\"op\":\"count\"}", "--db", "x.db", "--read");

    cr_assert_str_eq(before.out, after.out);
}

Test(call, opens_for_reading_when_told_so) {
    free(cli_call("query", "{'op':'head'}"));

    CLEANUP(result_done)
    struct result result =
        RUN_FOR(1, NULL, "call", "--read", "store", "{\"op\":\"append\",\"event\":{\"type\":\"a\",\"data\":{}}}");

    cli_contains(result.out, "\"name\":\"READ_ONLY\"");
}

Test(call, every_form_comes_back_as_it_went_in) {
    static const char DATA[] =
        "{'min':-9223372036854775808,'max':9223372036854775807,'beyond':{'$uint':'18446744073709551615'},"
        "'past_2_53':9007199254740993,'one':1,'one_float':1.0,'minus_zero':-0.0,'tenth':0.1,"
        "'nan':{'$float':'nan'},'inf':{'$float':'inf'},'minus_inf':{'$float':'-inf'},"
        "'bin':{'$bin':'AAH/'},'empty':{'$bin':''},'ext':{'$ext':[-1,'AAAAAA==']},'str':{'$str':'/w=='},"
        "'nul':'a\\u0000b','text':'\u65e5\u672c','map':{'$map':[[1,2],[null,{}],['a',[]]]},"
        "'twice':{'$map':[['a',1],['a',2]]},'dollar':{'$map':[['$bin','AAH/']]},'nil':null,'yes':true}";
    char request[2048];
    (void)snprintf(request, sizeof request, "{'op':'append','event':{'type':'t','data':%s}}", DATA);
    free(cli_call("store", request));

    char *reply = cli_call("query", "{'op':'get','id':1}");

    char *expected = strdup(DATA);
    for (char *at = expected; (at = strchr(at, '\'')) != NULL;) {
        *at = '"';
    }
    char *data = strstr(reply, "\"data\":");
    cr_assert_not_null(data, "%s", reply);
    data += strlen("\"data\":");
    cr_assert_eq(strncmp(data, expected, strlen(expected)), 0, "%s\nis not\n%s", data, expected);
    free(expected);
    free(reply);
}
