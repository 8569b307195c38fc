/* run.c: running the check on builds. */
#include "run.h"

#include <criterion/criterion.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* Far more than a check takes, but for one that is meant to hang. */
static const char *limit = "20";

void check_limit(const char *seconds) {
    limit = seconds;
}

json_t *check_json(int code, const char *plugin, const char *only) {
    CLEANUP(result_done)
    struct result result =
        RUN_FOR(code, NULL, "check", "--json", "--limit", limit, "--only", only != NULL ? only : "*", plugin);
    json_t *run = json_loads(result.out, 0, NULL);
    cr_assert_not_null(run, "%s", result.out);
    json_int_t counted = 0;
    static const char *const VERDICTS[] = {"passed", "failed", "skipped"};
    for (size_t i = 0; i < sizeof VERDICTS / sizeof VERDICTS[0]; i++) {
        counted += json_integer_value(json_object_get(run, VERDICTS[i]));
    }
    cr_assert_eq(counted, (json_int_t)json_array_size(json_object_get(run, "checks")), "not each check is counted");
    return run;
}

static const json_t *find(const json_t *run, const char *name) {
    size_t index;
    const json_t *check;
    json_array_foreach(json_object_get(run, "checks"), index, check) {
        if (strcmp(json_string_value(json_object_get(check, "name")), name) == 0) {
            return check;
        }
    }
    return NULL;
}

const char *check_verdict(const json_t *run, const char *name) {
    return json_string_value(json_object_get(find(run, name), "verdict"));
}

static bool is_companion(const char *name, const char *companions) {
    char globs[512];
    (void)snprintf(globs, sizeof globs, "%s", companions);
    char *rest = globs;
    for (char *glob = strtok_r(globs, ",", &rest); glob != NULL; glob = strtok_r(NULL, ",", &rest)) {
        if (fnmatch(glob, name, 0) == 0) {
            return true;
        }
    }
    return false;
}

void check_fault(const char *fault, const char *only, const char *meant, const char *reason, const char *companions) {
    char plugin[512];
    (void)snprintf(plugin, sizeof plugin, BROKEN "/%s.so", fault);
    json_auto_t *run = check_json(1, plugin, only);
    size_t index;
    const json_t *check;
    json_array_foreach(json_object_get(run, "checks"), index, check) {
        const char *name = json_string_value(json_object_get(check, "name"));
        const char *verdict = json_string_value(json_object_get(check, "verdict"));
        const char *said = json_string_value(json_object_get(check, "reason"));
        cr_assert(strcmp(verdict, "failed") != 0 || strcmp(name, meant) == 0 || is_companion(name, companions),
                  "%s: not meant for it, and found something: %s: %s", fault, name, said);
    }
    const json_t *found = find(run, meant);
    cr_assert_not_null(found, "%s: there is no check '%s' among '%s'", fault, meant, only);
    cr_assert_str_eq(json_string_value(json_object_get(found, "verdict")), "failed", "%s is not found by %s", fault,
                     meant);
    const char *said = json_string_value(json_object_get(found, "reason"));
    cr_assert_not_null(strstr(said, reason), "%s: '%s' is not in: %s", fault, reason, said);
}
