/* json_text.c: JSON text to msgpack: what is taken, what is refused and where. */
#include "support.h"

#include "wire/json_text.h"

static void expect_bytes(const char *text, const char *bytes, size_t size) {
    CLEANUP(buffer_done) struct buffer made = {0};
    struct error error;
    enum status status = json_text_convert(bytes_from_string(text), 16, &made, &error);
    cr_assert_eq(status, OK, "%s: %s", text, error.message);
    cr_expect(made.size == size && memcmp(made.data, bytes, size) == 0, "%s", text);
}

static void expect_refused(const char *text, enum status wanted, const char *fragment) {
    CLEANUP(buffer_done) struct buffer made = {0};
    struct error error = {0};
    enum status status = json_text_convert(bytes_from_string(text), 4, &made, &error);
    cr_expect_eq(status, wanted, "%s: %s", text, status_name(status));
    cr_expect_not_null(strstr(error.message, fragment), "%s: %s", text, error.message);
}

#define EXPECT(text, bytes) expect_bytes(text, bytes, sizeof(bytes) - 1)

Test(json_text, numbers_keep_their_value) {
    EXPECT("0", "\0");
    EXPECT("-1", "\xFF");
    EXPECT("9223372036854775807", "\xCF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    EXPECT("-9223372036854775808", "\xD3\x80\0\0\0\0\0\0\0");
    EXPECT("1.8446744073709552e19", "\xCB\x43\xF0\0\0\0\0\0\0");
    EXPECT("1.5e0", "\xCB\x3F\xF8\0\0\0\0\0\0");
    EXPECT("1.0", "\xCB\x3F\xF0\0\0\0\0\0\0");
}

Test(json_text, containers_and_strings_are_converted_in_their_order) {
    EXPECT(" [ true , null, {}, [] ] ", "\x94\xC3\xC0\x80\x90");
    EXPECT("{\"b\": \"\\u00e4\\n\\ud83d\\udca9\", \"a\": [[1], 2]}", "\x82\xA1"
                                                                     "b\xA7\xC3\xA4\n\xF0\x9F\x92\xA9\xA1"
                                                                     "a\x92\x91\x01\x02");
    EXPECT("\"\\u0000\"", "\xA1\0");
}

Test(json_text, what_is_no_json_is_refused_with_line_and_column) {
    expect_refused("", INVALID, "line 1, column 0");
    expect_refused("[1,\n 2,]", INVALID, "line 2, column 4");
    static const char *const MALFORMED[] = {"{\"a\":1,}",  "{\"a\" 1}",   "[1 2]",    "1 2",         "01",
                                            "-",           "1.",          "NaN",      "\"a",         "\"\\x\"",
                                            "\"\\ud800\"", "\"\\udc00\"", "\"\xFF\"", "\"\n\"",      "{a: 1}",
                                            "[1",          "'a'",         "/* */ 1",  "{\"a\": 1e}", "\xEF\xBB\xBF{}"};
    for (size_t i = 0; i < sizeof MALFORMED / sizeof MALFORMED[0]; i++) {
        expect_refused(MALFORMED[i], INVALID, "malformed at line ");
    }
}

Test(json_text, numbers_that_would_lose_their_value_are_refused_with_advice) {
    expect_refused("[1, 18446744073709551615]", INVALID, "with an exponent");
    expect_refused("-9223372036854775809", INVALID, "with an exponent");
    expect_refused("1e999", INVALID, "overflow");
}

Test(json_text, keys_that_come_twice_or_hold_a_nul_are_refused) {
    expect_refused("{\"a\": 1, \"a\": 1}", INVALID, "duplicate");
    expect_refused("{\"\\u0000\": 1}", INVALID, "NUL");
}

Test(json_text, nesting_is_bounded_before_anything_calls_itself) {
    expect_refused("[[[[[]]]]]", TOO_LARGE, "deeper than 4");
    expect_refused("{\"a\":{\"a\":{\"a\":{\"a\":[]}}}}", TOO_LARGE, "deeper than 4");
    EXPECT("[\"[[[[[[[[[[[[[[[[[[[[\\\"[\", 1]", "\x92\xB6[[[[[[[[[[[[[[[[[[[[\"[\x01");
    enum { DEEP = 1000000 };
    char *text = malloc(DEEP + 1);
    cr_assert_not_null(text);
    memset(text, '[', DEEP);
    text[DEEP] = '\0';
    expect_refused(text, TOO_LARGE, "deeper than 4");
    free(text);
}
