/* uri.c: references of RFC 3986. */
#include "support.h"

#include "validate/uri.h"

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
