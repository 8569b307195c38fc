/* The cases that JSON-Schema-Test-Suite has for formats, through our functions. */
#include "support.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

static unsigned run_file(const char *path, enum format_id format) {
    unsigned count = 0;
    size_t i;
    size_t j;
    json_t *group;
    json_t *test;
    json_t *groups = json_load_file(path, JSON_ALLOW_NUL, NULL);
    json_array_foreach(groups, i, group) {
        json_array_foreach(json_object_get(group, "tests"), j, test) {
            const json_t *data = json_object_get(test, "data");
            if (!json_is_string(data)) {
                continue;
            }
            const struct bytes text = {(const uint8_t *)json_string_value(data), json_string_length(data)};
            bool valid = format_check(format, text) == FORMAT_YES;
            cr_expect_eq(valid, json_is_true(json_object_get(test, "valid")), "%s: '%s': %s", path,
                         json_string_value(data), json_string_value(json_object_get(test, "description")));
            count++;
        }
    }
    json_decref(groups);
    return count;
}

Test(format_suite, cases_of_the_official_suite) {
    static const char *const DRAFTS[] = {"draft7", "draft2020-12"};
    char path[1024];
    unsigned count = 0;
    if (access(JSON_SCHEMA_SUITE "/tests/draft2020-12/optional/format", R_OK) != 0) {
        cr_skip_test("skipped: there are no optional cases of JSON-Schema-Test-Suite at " JSON_SCHEMA_SUITE);
    }
    for (size_t draft = 0; draft < 2; draft++) {
        for (int id = FORMAT_UNKNOWN + 1; id < FORMAT_COUNT; id++) {
            snprintf(path, sizeof(path), "%s/tests/%s/optional/format/%s.json", JSON_SCHEMA_SUITE, DRAFTS[draft],
                     format_name((enum format_id)id));
            count += run_file(path, (enum format_id)id);
        }
    }
    cr_expect_gt(count, 500);
}
