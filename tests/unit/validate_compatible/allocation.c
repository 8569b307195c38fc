/* allocation.c: each allocation of a comparison fails once: NO_MEMORY is told, nothing leaks, and no YES comes of it.
 */
#include "support.h"

#include "failing_allocations.h"

static const char WRITER[] =
    "{'type': 'object', 'properties': {'k': {'enum': ['a', 'b']}, 'n': {'type': 'number'}, 'l': {'items': {'$ref': "
    "'#/$defs/i'}, 'type': 'array'}, 't': {'type': 'string', 'pattern': '^a+$'}}, 'patternProperties': {'^x': {'type': "
    "'string'}}, 'oneOf': [{'required': ['k']}, {'required': ['n', 't']}], '$defs': {'i': {'type': 'integer'}}}";
static const char READER[] =
    "{'type': 'object', 'properties': {'k': {'enum': ['a']}, 'n': {'type': 'integer'}, 'l': {'items': {'$ref': "
    "'#/$defs/i'}, 'uniqueItems': true}, 't': {'pattern': '^a*$'}}, 'patternProperties': {'^x': {'maxLength': 2}}, "
    "'propertyNames': {'maxLength': 3}, 'anyOf': [{'required': ['k']}, {'required': ['t']}], '$defs': {'i': {'type': "
    "'number'}}}";

Test(validate_compatible_allocation, every_failure_is_told_and_nothing_leaks) {
    CLEANUP(pair_done) struct pair pair;
    pair_init(&pair);
    pair_compile(&pair, WRITER, READER);
    cr_assert_eq(pair_check(&pair, COMPATIBLE_STRICT), OK, "%s", pair.error.message);
    cr_assert_eq(pair.answer, COMPATIBLE_NO);
    uint32_t all = pair.report.count;
    struct compatible_side writer = {json_root(&pair.writer.schema), &pair.writer.options, pair.writer.program};
    struct compatible_side reader = {json_root(&pair.reader.schema), &pair.reader.options, pair.reader.program};
    uint32_t told = 0;
    for (int n = 1;; n++) {
        CLEANUP(compatible_report_done) struct compatible_report report = {0};
        enum compatible_answer answer = COMPATIBLE_UNKNOWN;
        allocations_fail_at(n, false);
        enum status status =
            compatible_check(&writer, &reader, COMPATIBLE_STRICT, pair.writer.context, &answer, &report, &pair.error);
        bool has_fired = allocations_failed() > 0;
        allocations_fail_at(0, false);
        if (!has_fired) {
            cr_assert_eq(status, OK, "%s", pair.error.message);
            cr_expect_eq(report.count, all);
            cr_expect_gt(n, 300, "only %d allocations were seen", n - 1);
            cr_expect_gt(told, 200, "only %u failures were told", told);
            return;
        }
        cr_assert(status == OK || status == NO_MEMORY, "allocation %d: %s", n, status_name(status));
        cr_assert(status != OK || answer != COMPATIBLE_YES, "allocation %d", n);
        told += status == NO_MEMORY;
    }
}
