/* json_text.c: JSON text to msgpack: what is taken, what is refused and where. */
#include "support.h"

#include "validate/uri.h"

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

Test(validate_json_text, numbers_keep_their_value) {
    EXPECT("0", "\xCF\0\0\0\0\0\0\0\0");
    EXPECT("-1", "\xD3\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    EXPECT("-9223372036854775808", "\xD3\x80\0\0\0\0\0\0\0");
    EXPECT("18446744073709551615", "\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    EXPECT("18446744073709551616", "\xCB\x43\xF0\0\0\0\0\0\0");
    EXPECT("-9223372036854775809", "\xCB\xC3\xE0\0\0\0\0\0\0");
    EXPECT("1.5e0", "\xCB\x3F\xF8\0\0\0\0\0\0");
}

Test(validate_json_text, containers_and_strings_are_converted) {
    EXPECT(" [ true , null, {} ] ", "\xDD\0\0\0\x03\xC3\xC0\xDF\0\0\0\0");
    EXPECT("{\"a\": \"\\u00e4\\n\\ud83d\\udca9\"}", "\xDF\0\0\0\x01\xDB\0\0\0\x01"
                                                    "a\xDB\0\0\0\x07\xC3\xA4\n\xF0\x9F\x92\xA9");
}

Test(validate_json_text, what_is_no_json_is_refused_with_line_and_column) {
    expect_refused("", INVALID, "line 1, column 1: a value is missing");
    expect_refused("[1,\n 2,]", INVALID, "line 2, column 4: a value is expected");
    expect_refused("{\"a\":1,}", INVALID, "a key is expected");
    expect_refused("{\"a\" 1}", INVALID, "':' is expected");
    expect_refused("[1 2]", INVALID, "',' or ']' is expected");
    expect_refused("1 2", INVALID, "nothing may follow");
    expect_refused("01", INVALID, "nothing may follow");
    expect_refused("-", INVALID, "a digit");
    expect_refused("1.", INVALID, "a digit");
    expect_refused("NaN", INVALID, "a value is expected");
    expect_refused("1e999", INVALID, "beyond what a double holds");
    expect_refused("\"a", INVALID, "does not end");
    expect_refused("\"\\x\"", INVALID, "no such escape");
    expect_refused("\"\\ud800\"", INVALID, "surrogate");
    expect_refused("\"\\udc00\"", INVALID, "surrogate");
    expect_refused("\"\xFF\"", INVALID, "UTF-8");
    expect_refused("\"\n\"", INVALID, "control character");
    expect_refused("[[[[[]]]]]", TOO_LARGE, "deeper than 4");
}

Test(validate_uri, references_resolve_as_rfc_3986_shows) {
    /* Section 5.4, without fragments. */
    static const char *const CASES[][2] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"./../g", "http://a/b/g"},
        {"g/../h", "http://a/b/c/h"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buffer_done) struct buffer made = {0};
        cr_assert(uri_resolve(BYTES_LITERAL("http://a/b/c/d;p?q"), bytes_from_string(CASES[i][0]), &made));
        cr_expect(bytes_equal_string(buffer_view(&made), CASES[i][1]), "%s: %.*s", CASES[i][0],
                  BYTES_FORMAT(buffer_view(&made)));
    }
}
