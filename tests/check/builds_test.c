/* builds_test.c: builds that keep what the interface promises, the reports, and wrong usage. */
#include <criterion/criterion.h>
#include <string.h>

#include "cli.h"
#include "run.h"

TestSuite(builds, .init = cli_enter, .fini = cli_leave, .timeout = 120);

Test(builds, our_own_passes_all) {
    json_auto_t *run = check_json(0, PLUGIN, NULL);
    cr_assert_eq(json_integer_value(json_object_get(run, "failed")), 0);
    cr_assert_eq(json_integer_value(json_object_get(run, "skipped")), 0);
}
