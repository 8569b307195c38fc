/* Tests of what formats there are, and what holds for all of them. */
#include "support.h"

Test(format_names, every_name_finds_its_format) {
    cr_expect_eq(FORMAT_COUNT, 20, "19 formats, and none");
    for (int id = FORMAT_UNKNOWN + 1; id < FORMAT_COUNT; id++) {
        cr_expect_eq((int)format_find(bytes_from_string(format_name((enum format_id)id))), id);
    }
    cr_expect_eq(format_find(BYTES_LITERAL("date-time")), FORMAT_DATE_TIME);
    cr_expect_eq(format_find(BYTES_LITERAL("relative-json-pointer")), FORMAT_RELATIVE_JSON_POINTER);
}

Test(format_names, other_names_are_unknown) {
    static const char *const NAMES[] = {"", "datetime", "Date", "ip", "color", "date-time ", "ur"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++) {
        cr_expect_eq(format_find(bytes_from_string(NAMES[i])), FORMAT_UNKNOWN, "%s", NAMES[i]);
    }
    cr_expect_eq(format_find((struct bytes){0}), FORMAT_UNKNOWN);
    cr_expect_eq(format_check(FORMAT_UNKNOWN, BYTES_LITERAL("anything")), FORMAT_YES);
    cr_expect_str_eq(format_name(FORMAT_UNKNOWN), "");
}

Test(format_names, draft_07_lacks_two) {
    int count = 0;
    for (int id = FORMAT_UNKNOWN + 1; id < FORMAT_COUNT; id++) {
        count += format_in_draft_07((enum format_id)id) ? 1 : 0;
    }
    cr_expect_eq(count, 17);
    cr_expect(!format_in_draft_07(FORMAT_UUID));
    cr_expect(!format_in_draft_07(FORMAT_DURATION));
    cr_expect(!format_in_draft_07(FORMAT_UNKNOWN));
}

Test(format_names, what_is_not_utf_8_has_no_format) {
    static const struct bytes TEXTS[] = {{(const uint8_t *)"\xFF", 1},
                                         {(const uint8_t *)"/a\xC3", 3},
                                         {(const uint8_t *)"a:\xED\xA0\x80", 5},
                                         {(const uint8_t *)"\xF0\x9F\x98@a.b", 7}};
    for (int id = FORMAT_UNKNOWN + 1; id < FORMAT_COUNT; id++) {
        for (size_t i = 0; i < sizeof(TEXTS) / sizeof(*TEXTS); i++) {
            cr_expect_eq(format_check((enum format_id)id, TEXTS[i]), FORMAT_NO, "%s, %zu",
                         format_name((enum format_id)id), i);
        }
    }
}

Test(format_names, a_nul_is_not_the_end) {
    cr_expect_eq(format_check(FORMAT_DATE, BYTES_LITERAL("2024-01-01\0")), FORMAT_NO);
    cr_expect_eq(format_check(FORMAT_HOSTNAME, BYTES_LITERAL("a\0b")), FORMAT_NO);
    cr_expect_eq(format_check(FORMAT_IDN_HOSTNAME, BYTES_LITERAL("\xC3\xA9\0b")), FORMAT_NO);
    cr_expect_eq(format_check(FORMAT_EMAIL, BYTES_LITERAL("a\0@b.c")), FORMAT_NO);
    cr_expect_eq(format_check(FORMAT_URI, BYTES_LITERAL("a:\0")), FORMAT_NO);
    cr_expect_eq(format_check(FORMAT_IRI_REFERENCE, BYTES_LITERAL("\0")), FORMAT_NO);
    cr_expect_eq(format_check(FORMAT_URI_TEMPLATE, BYTES_LITERAL("a\0")), FORMAT_NO);
    cr_expect_eq(format_check(FORMAT_URI_TEMPLATE, BYTES_LITERAL("{\0}")), FORMAT_NO);
    cr_expect_eq(format_check(FORMAT_DURATION, BYTES_LITERAL("P1\0")), FORMAT_NO);
    cr_expect_eq(format_check(FORMAT_JSON_POINTER, BYTES_LITERAL("/\0")), FORMAT_YES);
}

Test(format_names, absent_is_empty) {
    for (int id = FORMAT_UNKNOWN + 1; id < FORMAT_COUNT; id++) {
        cr_expect_eq(format_check((enum format_id)id, (struct bytes){0}),
                     format_check((enum format_id)id, BYTES_LITERAL("")));
    }
}
