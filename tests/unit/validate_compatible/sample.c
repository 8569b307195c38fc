/* sample.c: texts that are made after a pattern, which the pattern must match; and patterns that none is made for. */
#include "support.h"

#include "validate/compatible_witness.h"
#include "validate/pattern.h"

static void expect_match(const char *source, struct bytes text, uint32_t stretch) {
    CLEANUP(pattern_freep) struct pattern *pattern = NULL;
    struct error error = {0};
    cr_assert_eq(pattern_compile(bytes_from_string(source), &PATTERN_LIMITS_DEFAULT, &pattern, &error), OK, "/%s/: %s",
                 source, error.message);
    cr_expect_eq(pattern_search(pattern, text), PATTERN_YES, "/%s/, stretched by %u, does not match '%.*s'", source,
                 stretch, BYTES_FORMAT(text));
}

/* With `stretch` 0, 1 and 5; the shortest text is as told. */
static void expect_sample(const char *source, const char *shortest) {
    static const uint32_t STRETCHES[] = {0, 1, 5};
    for (size_t i = 0; i < sizeof STRETCHES / sizeof STRETCHES[0]; i++) {
        CLEANUP(buffer_done) struct buffer text = {0};
        cr_assert(buffer_append(&text, "=", 1)); /* what is there stays */
        cr_assert(sample_pattern(bytes_from_string(source), STRETCHES[i], &text), "/%s/", source);
        struct bytes made = {text.data + 1, text.size - 1};
        expect_match(source, made, STRETCHES[i]);
        if (i == 0) {
            cr_expect(bytes_equal_string(made, shortest), "/%s/ gives '%.*s', not '%s'", source, BYTES_FORMAT(made),
                      shortest);
        }
    }
}

static void expect_none(const char *source) {
    CLEANUP(buffer_done) struct buffer text = {0};
    cr_assert(buffer_append(&text, "=", 1));
    cr_expect_not(sample_pattern(bytes_from_string(source), 0, &text), "/%s/", source);
    struct bytes left = buffer_view(&text);
    cr_expect(bytes_equal_string(left, "="), "/%s/ left '%.*s'", source, BYTES_FORMAT(left));
}

Test(validate_compatible_sample, classes_and_escapes_give_one_of_theirs) {
    expect_sample("^\\d\\D\\w\\W\\s\\S$", "0aa- a");
    expect_sample("^\\n\\t\\r\\f\\v$", "\n\t\r\f\v");
    expect_sample("^\\.\\*\\[\\]\\(\\)\\{\\}\\\\\\/\\$\\^\\|\\?\\+$", ".*[](){}\\/$^|?+");
    expect_sample("^\\p{Lu}\\p{L}\\P{L}\\p{N}$", "Aa-0");
    expect_sample("^\\b.\\B.$", "aa");
}

Test(validate_compatible_sample, characters_by_their_numbers_are_utf8) {
    expect_sample("^\\x41\\u00e4\\u{20AC}\\u{1F600}$", "A\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
    expect_sample("^\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80$", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
    expect_sample("^[\xC3\xA4-\xC3\xBC]+$", "\xC3\xA4");
}

Test(validate_compatible_sample, sets_give_their_first_or_what_they_leave) {
    expect_sample("^[a-z][0-9_][\\d-][\\]x]$", "a00]");
    expect_sample("^[^a][^a-z][^a-zA-Z][^a-zA-Z0-9]$", "AA0-");
    expect_sample("^[\\w.-]+@[\\w-]+\\.[a-z]{2,}$", "a@a.aa");
}

Test(validate_compatible_sample, repeats_are_the_fewest_and_stretch_within_their_bounds) {
    expect_sample("^a*b+c?d{3}e{2,}f{0,2}$", "bdddee");
    expect_sample("^a*?b+?c??d{1,2}?$", "bd");
    expect_sample("^(ab){2}(?:cd)*(?<name>ef)+$", "ababef");
}

Test(validate_compatible_sample, of_alternatives_the_first_and_nothing_for_what_looks_around) {
    expect_sample("^(a|bc|d)(|e)(?:f|g)$", "af");
    expect_sample("^(?=a)a(?!b)c(?<=c)(?<!d)e$", "ace");
    expect_sample("ab|cd", "ab");
}

Test(validate_compatible_sample, what_cannot_be_guessed_gives_no_text) {
    expect_none("^(a)\\1$");
    expect_none("^(?<n>a)\\k<n>$");
    expect_none("((((((((((((((((a))))))))))))))))"); /* 16 groups in the pattern itself */
    expect_none("(ab");
    expect_none("ab)");
    expect_none("a{5000}"); /* longer than samples are */
}

Test(validate_compatible_sample, a_witness_is_made_after_a_pattern) {
    expect_no("{'type': 'string', 'pattern': '^\\\\p{Lu}[0-9]{2}-(x|y)$'}", "{'maxLength': 4}", "max_length_lowered",
              "/maxLength", "/maxLength", "'A00-x'");
}
