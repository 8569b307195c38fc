/* Tests of plugin/wire/json_schema.c: which JSON text may be kept as a schema. */
#include "support.h"

Test(json_schema, objects_and_booleans_are_accepted) {
    const char *const texts[] = {"{}",
                                 "true",
                                 "false",
                                 " {\"type\": \"object\"} \n",
                                 "{\"maximum\": 18446744073709551615}",
                                 "{\"const\": \"a\\u0000b\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct error error;
        cr_expect_eq(wire_check_json_schema(bytes_from_string(texts[i]), &error), OK, "%s", texts[i]);
    }
}

Test(json_schema, what_is_no_schema_is_refused_with_its_place) {
    const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "line 1"},
        {"{", "line 1"},
        {"{}x", "line 1"},
        {"{\n \"a\": 1,\n \"a\": 2}", "line 3"},
        {"{\"a\": NaN}", "line 1"},
        {"{\"a\": \"\xFF\"}", "line 1"},
        {"5", "it must be one"},
        {"[]", "it must be one"},
        {"null", "it must be one"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error;
        enum status status = wire_check_json_schema(bytes_from_string(cases[i].text), &error);
        expect_error(&error, status, INVALID, "", cases[i].message);
    }
}

Test(json_schema, deep_nesting_is_refused_and_does_not_overflow) {
    static char text[100000];
    struct error error;
    memset(text, '[', sizeof text - 1);
    cr_expect_eq(wire_check_json_schema(bytes_from_string(text), &error), INVALID);
}
