/* instant_test.c: times as people write them. */
#include "cli/instant.h"

#include <criterion/criterion.h>

static void check(const char *text, int64_t expected_us) {
    int64_t us = 0;
    cr_assert(instant_parse(text, &us), "'%s' must be a time", text);
    cr_assert_eq(us, expected_us, "'%s' is %lld", text, (long long)us);
}

Test(instant, is_read_from_rfc_3339) {
    check("2026-01-01T00:00:00Z", 1767225600000000);
    check("2026-01-01t00:00:00z", 1767225600000000);
    check("2026-01-01 00:00:00", 1767225600000000);
    check("2026-01-01", 1767225600000000);
    check("2026-01-01T00:00:00.5Z", 1767225600500000);
    check("2026-01-01T00:00:00.123456789Z", 1767225600123456);
    check("2026-01-01T01:30:00+01:30", 1767225600000000);
    check("2025-12-31T19:00:00-05:00", 1767225600000000);
    check("2024-02-29T00:00:00Z", 1709164800000000);
    check("1969-12-31T23:59:59.999999Z", -1);
    check("0001-01-01T00:00:00Z", -62135596800000000);
    check("9999-12-31T23:59:59.999999Z", 253402300799999999);
}

Test(instant, is_read_from_microseconds) {
    check("0", 0);
    check("-1", -1);
    check("1767225600000000", 1767225600000000);
}

Test(instant, is_nothing_else) {
    static const char *const TEXTS[] = {"",
                                        " 1",
                                        "1 ",
                                        "2026",
                                        "2026-01",
                                        "2026-1-1",
                                        "2026-01-01T",
                                        "2026-01-01T00",
                                        "2026-01-01T00:00Z",
                                        "2026-02-29T00:00:00Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-01-32T00:00:00Z",
                                        "2026-01-01T24:00:00Z",
                                        "2026-01-01T00:00:60Z",
                                        "2026-01-01T00:00:00.Z",
                                        "2026-01-01T00:00:00+1:00",
                                        "2026-01-01T00:00:00+01",
                                        "2026-01-01T00:00:00+25:00",
                                        "2026-01-01T00:00:00Zx",
                                        "2026-01-01 00:00:00  ",
                                        "99999999999999999999",
                                        "1e3",
                                        "now"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        int64_t us = 7;
        cr_assert_not(instant_parse(TEXTS[i], &us), "'%s' must be no time", TEXTS[i]);
    }
}

Test(instant, is_printed_so_that_it_reads_back) {
    static const int64_t INSTANTS[] = {0, -1, 1, 1767225600123456, -62135596800000000, 253402300799999999};
    for (size_t i = 0; i < sizeof INSTANTS / sizeof INSTANTS[0]; i++) {
        char text[INSTANT_TEXT_SIZE];
        instant_print(INSTANTS[i], text);
        check(text, INSTANTS[i]);
        cr_assert_eq(text[4], '-', "%s", text);
    }
}

Test(instant, outside_of_the_calendar_is_printed_as_a_number) {
    static const int64_t INSTANTS[] = {INT64_MIN, INT64_MAX, 253402300800000000, -62135596800000001};
    for (size_t i = 0; i < sizeof INSTANTS / sizeof INSTANTS[0]; i++) {
        char text[INSTANT_TEXT_SIZE];
        instant_print(INSTANTS[i], text);
        check(text, INSTANTS[i]);
    }
}
