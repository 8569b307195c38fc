/* The cases of JSON-Schema-Test-Suite that ask for nothing but patterns, through our functions. */
#include "support.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

static unsigned run_pattern_case(const char *where, const json_t *schema, const json_t *test) {
    const json_t *source = json_object_get(schema, "pattern");
    const json_t *data = json_object_get(test, "data");
    if (source == NULL || !json_is_string(data)) {
        return 0;
    }
    struct error error = {0};
    CLEANUP(pattern_freep) struct pattern *pattern = NULL;
    const struct bytes text = {(const uint8_t *)json_string_value(source), json_string_length(source)};
    cr_assert_eq(pattern_compile(text, &LIMITS, &pattern, &error), OK, "%s: %s", where, error.message);
    bool found = pattern_search(pattern, (struct bytes){(const uint8_t *)json_string_value(data),
                                                        json_string_length(data)}) == PATTERN_YES;
    cr_expect_eq(found, json_is_true(json_object_get(test, "valid")), "%s: /%s/: %s", where, json_string_value(source),
                 json_string_value(json_object_get(test, "description")));
    return 1;
}

/* Of patternProperties: every pattern must compile, and a key that no pattern finds leaves the instance valid. */
static unsigned run_properties_case(const char *where, const json_t *schema, const json_t *test) {
    const char *source;
    json_t *value;
    json_t *data = json_object_get(test, "data");
    json_t *properties = json_object_get(schema, "patternProperties");
    bool found = false;
    if (properties == NULL || !json_is_object(data)) {
        return 0;
    }
    json_object_foreach(properties, source, value) {
        CLEANUP(pattern_freep) struct pattern *pattern = compile(source);
        const char *key;
        json_t *ignored;
        json_object_foreach(data, key, ignored) {
            (void)ignored;
            found |= pattern_search(pattern, bytes_from_string(key)) == PATTERN_YES;
        }
    }
    if (!found) {
        cr_expect(json_is_true(json_object_get(test, "valid")), "%s: %s", where,
                  json_string_value(json_object_get(test, "description")));
    }
    return 1;
}

static unsigned run_file(const char *path) {
    unsigned count = 0;
    size_t i;
    size_t j;
    json_t *group;
    json_t *test;
    json_t *groups = json_load_file(path, JSON_ALLOW_NUL, NULL);
    json_array_foreach(groups, i, group) {
        const json_t *schema = json_object_get(group, "schema");
        json_array_foreach(json_object_get(group, "tests"), j, test) {
            count += run_pattern_case(path, schema, test);
            count += run_properties_case(path, schema, test);
        }
    }
    json_decref(groups);
    return count;
}

Test(pattern_suite, cases_of_the_official_suite) {
    static const char *const DRAFTS[] = {"draft7", "draft2020-12"};
    static const char *const FILES[] = {"pattern.json", "patternProperties.json", "optional/ecmascript-regex.json",
                                        "optional/non-bmp-regex.json"};
    char path[1024];
    unsigned count = 0;
    if (access(JSON_SCHEMA_SUITE "/tests", R_OK) != 0) {
        cr_skip_test("skipped: there is no JSON-Schema-Test-Suite at " JSON_SCHEMA_SUITE);
    }
    for (size_t draft = 0; draft < 2; draft++) {
        for (size_t file = 0; file < 4; file++) {
            snprintf(path, sizeof(path), "%s/tests/%s/%s", JSON_SCHEMA_SUITE, DRAFTS[draft], FILES[file]);
            count += run_file(path); /* a checkout without the optional folder has fewer files */
        }
    }
    cr_expect_gt(count, 40);
}
