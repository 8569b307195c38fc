/* Tests of the three engines: what ECMA-262 says about matches, each case with the engine that should decide it. */
#include "support.h"

#include <stdio.h>

enum engine { LINEAR, BACKTRACKING };

struct search_case {
    const char *source;
    enum engine engine;
    const char *yes[8]; /* ends with NULL */
    const char *no[8];
};

static const char *const VERDICTS[] = {"no", "yes", "limit"};

static void expect_verdicts(const struct search_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        CLEANUP(pattern_freep) struct pattern *pattern = compile(cases[i].source);
        cr_expect_eq(pattern_is_linear(pattern), cases[i].engine == LINEAR, "/%s/u: engine", cases[i].source);
        for (int wanted = PATTERN_NO; wanted <= PATTERN_YES; wanted++) {
            const char *const *texts = wanted == PATTERN_YES ? cases[i].yes : cases[i].no;
            for (; *texts != NULL; texts++) {
                enum pattern_verdict verdict = pattern_search(pattern, bytes_from_string(*texts));
                cr_expect_eq(verdict, (enum pattern_verdict)wanted, "/%s/u on '%s': %s", cases[i].source, *texts,
                             VERDICTS[verdict]);
            }
        }
    }
}

#define EXPECT_VERDICTS(...)                                                                                           \
    do {                                                                                                               \
        static const struct search_case CASES[] = {__VA_ARGS__};                                                       \
        expect_verdicts(CASES, sizeof(CASES) / sizeof(*CASES));                                                        \
    } while (0)

Test(pattern_search, literals_anchored_or_not) {
    EXPECT_VERDICTS({"", LINEAR, {"", "a"}, {0}}, {"abc", LINEAR, {"abc", "xabcx", "ababc"}, {"", "ab", "abxc"}},
                    {"^abc", LINEAR, {"abc", "abcd"}, {"xabc", "ab"}},
                    {"abc$", LINEAR, {"abc", "xabc"}, {"abcx", "abc\n"}},
                    {"^abc$", LINEAR, {"abc"}, {"abcd", "xabc", "abc\n", ""}}, {"^$", LINEAR, {""}, {"a", "\n"}},
                    {"^", LINEAR, {"", "a"}, {0}}, {"$", LINEAR, {"", "a"}, {0}}, {"é", LINEAR, {"é", "aéa"}, {"e"}},
                    {"^\\uD83D\\uDE00$", LINEAR, {"😀"}, {"😎", ""}}, {"a\\.b\\/c", LINEAR, {"a.b/c"}, {"axb/c"}});
}

Test(pattern_search, lengths_count_code_points) {
    EXPECT_VERDICTS(
        {"^.{1,3}$", LINEAR, {"a", "éé", "😀😀😀"}, {"", "aaaa", "😀😀😀😀", "a\n"}},
        {"^.{2}", LINEAR, {"ab", "abc", "😀😀"}, {"a", "😀"}}, {"^[^]{2}$", LINEAR, {"a\n", "😀é"}, {"a", "abc"}},
        {"^.*$", LINEAR, {"", "abc"}, {"a\nb", "\xE2\x80\xA8", "\r"}}, {"^a*$", LINEAR, {"", "aaa"}, {"aab"}},
        {"^[a-z0-9_-]+$", LINEAR, {"a", "a_b-9"}, {"", "A", "a b", "é"}},
        {"^\\d{3}$", LINEAR, {"123"}, {"12", "1234", "12a", "\xD9\xA1\xD9\xA1\xD9\xA1"}},
        {"^(?:ab){2,3}$", LINEAR, {"abab", "ababab"}, {"ab", "abababab", "aba"}},
        {"^a{0}b{0,0}$", LINEAR, {""}, {"a", "b"}}, {"^.{0,100000}$", LINEAR, {"", "abc"}, {"\n"}});
}

/* They are searched for without trying anything twice, if each run ends where it must. */
Test(pattern_search, runs_one_after_the_other) {
    EXPECT_VERDICTS(
        {"^[a-z][a-z0-9_-]*$", LINEAR, {"a", "z9_-"}, {"", "9a", "aB", "a "}},
        {"^node:[0-9a-f]+$", LINEAR, {"node:0", "node:c0ffee"}, {"node:", "node:g", "xnode:0", "node:0\n", "nod"}},
        {"^[a-z]+-[0-9]{2,3}", LINEAR, {"ab-12", "ab-1234x"}, {"-12", "ab-1", "ab12", "a-b-12"}},
        {"^\\d{4}-\\d{2}-\\d{2}$", LINEAR, {"2024-02-30"}, {"2024-2-30", "2024-02-300", "02024-02-30"}},
        {"^[a-c]{1,2}[d-f]?[g-i]*$", LINEAR, {"a", "abd", "cg", "adgh"}, {"abc", "ade", "dg", "aga"}},
        {"^[^@]+@[^@]+$", LINEAR, {"a@b", "\u00e4\u6f22@\U0001F600"}, {"@b", "a@", "a@b@c"}},
        {"^\u00e4[\u6f22-\u6f30]{2}x$", LINEAR, {"\u00e4\u6f22\u6f23x"}, {"\u00e4\u6f22x", "\u00e4\u6f22\u6f31x"}},
        {"^[ab]{0}c+", LINEAR, {"c"}, {"ac"}});
}

/* Of whatever length what is left for the last run is, and wherever it ends too soon. */
Test(pattern_search, the_last_run_goes_to_the_end_or_there_is_no_match) {
    CLEANUP(pattern_freep) struct pattern *pattern = compile("^[a-z]+:[a-z]{2,}$");
    static const char *const TOO_SOON[] = {":", "Z", "\u00e4", "\U0001F600"};
    for (size_t size = 0; size < 20; size++) {
        char text[32] = "key:";
        memset(text + 4, 'x', size);
        text[4 + size] = '\0';
        cr_expect_eq(pattern_search(pattern, bytes_from_string(text)), size < 2 ? PATTERN_NO : PATTERN_YES, "%s", text);
        for (size_t i = 0; i < size * 4; i++) {
            char other[40];
            (void)snprintf(other, sizeof other, "%.*s%s%s", (int)(4 + i / 4), text, TOO_SOON[i % 4], text + 5 + i / 4);
            cr_expect_eq(pattern_search(pattern, bytes_from_string(other)), PATTERN_NO, "%s", other);
        }
    }
}

/* And by the automaton, if a run may have to give back what it took. */
Test(pattern_search, runs_that_overlap) {
    EXPECT_VERDICTS({"^[a-z]+z$", LINEAR, {"az", "zzz"}, {"z", "a", "zb"}},
                    {"^[ab]*c?[b]$", LINEAR, {"b", "ab", "acb", "abb"}, {"", "a", "acbb"}},
                    {"^a{1,2}a{2}$", LINEAR, {"aaa", "aaaa"}, {"aa", "aaaaa"}},
                    {"^a+b+c+d+e+f+g+h+i+$", LINEAR, {"abcdefghi"}, {"abcdefgh"}});
}

Test(pattern_search, classes_and_escapes_mean_what_ecma_says) {
    EXPECT_VERDICTS(
        {"^\\s$",
         LINEAR,
         {" ", "\t", "\v", "\xC2\xA0", "\xEF\xBB\xBF", "\xE2\x80\xA9", "\xE3\x80\x80"},
         {"a", "\xE2\x80\x8B", "\xC2\x85"}},
        {"^\\S$", LINEAR, {"a", "\xC2\x85"}, {" ", "\xEF\xBB\xBF", "\n"}},
        {"^\\w$", LINEAR, {"a", "Z", "_", "0"}, {"é", "-", "\xC5\xBF"}}, {"^\\W$", LINEAR, {"é", "-", "😀"}, {"a", "_"}},
        {"^\\d$", LINEAR, {"0", "9"}, {"\xD9\xA1", "a"}}, {"^\\D$", LINEAR, {"\xD9\xA1", "a"}, {"0"}},
        {"^[\\s\\S]$", LINEAR, {"a", "\n"}, {""}}, {"^[^\\s]$", LINEAR, {"a"}, {" "}}, {"[]", LINEAR, {0}, {"", "a"}},
        {"^[^]$", LINEAR, {"\n", "😀"}, {"", "ab"}}, {"a[]|b", LINEAR, {"b"}, {"a"}},
        {"^\\cA\\x01\\u0001\\u{1}$", LINEAR, {"\x01\x01\x01\x01"}, {"A"}}, {"^[\\b]$", LINEAR, {"\b"}, {"b"}},
        {"^[\\u{1F600}-\\u{1F64F}]$", LINEAR, {"😀", "😎"}, {"a", "\xF0\x9F\x99\x90"}},
        {"^[a\\-z]$", LINEAR, {"a", "-", "z"}, {"b"}}, {"\\uD83D", LINEAR, {0}, {"😀", "a"}},
        {"^[\\uD800-\\uE000]$", LINEAR, {"\xEE\x80\x80"}, {"a", "\xEE\x80\x81"}});
}

Test(pattern_search, unicode_properties) {
    EXPECT_VERDICTS(
        {"^\\p{Letter}+$", LINEAR, {"a", "Sömewhere", "π"}, {"", "1", "a b"}},
        {"^\\p{Lu}\\P{Lu}$", LINEAR, {"Éa", "A1"}, {"aa", "AA"}}, {"^\\p{sc=Greek}+$", LINEAR, {"αβγ"}, {"abc", "αa"}},
        {"^\\p{scx=Deva}$", LINEAR, {"\xE0\xA5\xA4"}, {"a"}},
        {"^\\p{sc=Deva}$", LINEAR, {"\xE0\xA4\x85"}, {"\xE0\xA5\xA4"}},
        {"^\\p{Nd}+$", LINEAR, {"1", "\xD9\xA1"}, {"a"}}, {"^\\p{ASCII}*$", LINEAR, {"", "az~"}, {"é"}},
        {"^\\p{Emoji_Presentation}$", LINEAR, {"😀"}, {"a", "1"}}, {"^\\p{Any}$", LINEAR, {"a", "😀"}, {""}},
        {"^\\p{Assigned}$", LINEAR, {"a"}, {"\xCD\xB8"}},
        {"^\\p{Cn}$", LINEAR, {"\xCD\xB8", "\xF1\x80\x80\x80"}, {"a"}},
        {"^\\p{Co}$", LINEAR, {"\xEE\x80\x80", "\xF3\xB0\x80\x80", "\xF4\x8F\xBF\xBD"}, {"\xF4\x8F\xBF\xBF", "a"}},
        {"^\\p{NChar}$", LINEAR, {"\xF4\x8F\xBF\xBF", "\xF1\x8F\xBF\xBE", "\xEF\xBF\xBE"}, {"a", "\xF1\x80\x80\x80"}},
        {"^[^\\p{L}\\d]$", LINEAR, {"-", " "}, {"a", "1"}}, {"^[\\P{L}a]$", LINEAR, {"a", "1"}, {"b"}},
        {"^\\p{LC}$", LINEAR, {"a", "A"}, {"\xE4\xB8\x80"}},
        {"^\\p{White_Space}$", LINEAR, {"\xC2\x85"}, {"\xEF\xBB\xBF"}});
}

Test(pattern_search, surrogates_are_in_no_text) {
    EXPECT_VERDICTS({"\\p{Cs}", LINEAR, {0}, {"a"}}, {"^\\P{Cs}$", LINEAR, {"a", "😀"}, {""}},
                    {"[\\uD800-\\uDFFF]|b", LINEAR, {"b"}, {"a"}}, {"^[^\\uD800]$", LINEAR, {"a"}, {"", "ab"}});
}

Test(pattern_search, alternatives_and_repeats) {
    EXPECT_VERDICTS({"^(foo|bar)$", LINEAR, {"foo", "bar"}, {"fo", "foobar", "baz"}},
                    {"foo|^bar", LINEAR, {"xfoo", "barx"}, {"xbar"}},
                    {"^(?:a|ab)(?:c|bcd)$", LINEAR, {"ac", "abc", "abcd", "abbcd"}, {"abd"}},
                    {"f.*o", LINEAR, {"foo", "xfxxox"}, {"of", "f\no"}},
                    {"^(?:a?){3}a{3}$", LINEAR, {"aaa", "aaaaaa"}, {"aa", "aaaaaaa"}},
                    {"[0-9]{2,}", LINEAR, {"12", "a123"}, {"1", "1a2"}}, {"(?:a*)*b", LINEAR, {"b", "aab"}, {"aaa"}},
                    {"^(?:)*$", LINEAR, {""}, {"a"}}, {"a$|b^c", LINEAR, {"a", "ba"}, {"ab", "bc"}},
                    {"^(?:^a|b)+$", LINEAR, {"a", "ab", "bb"}, {"aa", "ba"}}, {"(?:$)?a", LINEAR, {"a"}, {""}},
                    {"$^", LINEAR, {""}, {"a"}}, {"(?:a$)+", LINEAR, {"a", "ba"}, {"ab"}},
                    {"^\\d{4}-\\d{2}-\\d{2}$", LINEAR, {"2024-01-31"}, {"2024-1-31", "2024-01-31 "}},
                    {"(a+)+$", LINEAR, {"a", "baa"}, {"ab", ""}},
                    {"a.{20}b", BACKTRACKING, {"axxxxxxxxxxxxxxxxxxxxb"}, {"axb"}});
}

Test(pattern_search, lookarounds_and_boundaries) {
    EXPECT_VERDICTS({"^(?=.*[A-Z])(?=.*\\d).{4,}$", BACKTRACKING, {"aA1x", "A123"}, {"aaaa", "A1", "a123"}},
                    {"a(?!b)", BACKTRACKING, {"a", "ac", "aba"}, {"ab"}},
                    {"(?<=a)b", BACKTRACKING, {"ab"}, {"b", "cb"}}, {"(?<!a)b", BACKTRACKING, {"b", "cb"}, {"ab"}},
                    {"(?<=^a+)b", BACKTRACKING, {"ab", "aaab"}, {"b", "cab"}},
                    {"(?<=\\$\\d+(?:\\.\\d*)?)x", BACKTRACKING, {"$10.53x", "$1x"}, {"10x", "$x"}},
                    {"\\bfoo\\b", BACKTRACKING, {"foo", "a foo b", "éfooé", "-foo-"}, {"xfoo", "foo_", "foo1"}},
                    {"\\Boo", BACKTRACKING, {"foo"}, {"oo", " oo"}},
                    {"^(?!.*(?:ab|cd)).*$", BACKTRACKING, {"", "acbd"}, {"xab", "cd"}},
                    {"(?=(a+))a*b\\1",
                     BACKTRACKING,
                     {"baabac" /* ECMA-262's own example: the look is not entered again */, "aabaa"},
                     {"ab"}},
                    {"^(?:(?=a)|b)+$", BACKTRACKING, {"b", "bb"}, {"a", ""}},
                    {"(?<=é)😀(?=é)", BACKTRACKING, {"é😀é"}, {"e😀é", "é😀"}},
                    {"(?<=([ab]+)([bc]+))$", BACKTRACKING, {"abc"}, {"a"}}, {"^(?=)$", BACKTRACKING, {""}, {"a"}},
                    {"(?!)", BACKTRACKING, {0}, {"", "a"}}, {"(?<=a(?=b)b)c", BACKTRACKING, {"abc"}, {"bc", "acc"}},
                    {"(?<!^.{1,2})x", BACKTRACKING, {"x", "aaax"}, {"ax", "aax"}});
}

Test(pattern_search, backreferences_as_ecma_has_them) {
    EXPECT_VERDICTS(
        {"^(a|b)\\1$", BACKTRACKING, {"aa", "bb"}, {"ab", "a"}},
        {"^(?<q>['\"]).*\\k<q>$", BACKTRACKING, {"'a'", "\"\""}, {"'a\"", "'"}},
        {"^\\1(a)$", BACKTRACKING, {"a"}, {"aa"}}, {"^(a\\1)$", BACKTRACKING, {"a"}, {"aa"}},
        {"^(?:(a)|b)*\\1$", BACKTRACKING, {"", "b", "ab" /* forgotten by the second time around */, "aa"}, {"ca"}},
        {"^(?:(a)|(b)|(c))+\\1\\2\\3$", BACKTRACKING, {"abcc", "aa"}, {"d"}},
        {"(z)((a+)?(b+)?(c))*\\4$", BACKTRACKING, {"zaacbbbcac"}, {"aac"}},
        {"^(.*)\\1$", BACKTRACKING, {"", "abab", "😀😀"}, {"aba", "a"}},
        {"(?!(a))\\1b", BACKTRACKING, {"b", "xb"}, {"a"}}, {"^(?=(a+?))\\1\\1$", BACKTRACKING, {"aa"}, {"aaa", "a"}},
        {"(?<=\\1(a))b", BACKTRACKING, {"aab"}, {"ab"}},
        {"(?<=(a)\\1)b", BACKTRACKING, {"aab", "ab" /* read from the right, \1 comes before its group */}, {"b"}},
        {"^(a*?)*?\\1b$",
         BACKTRACKING,
         {"b", "aab"},
         {"ab" /* an iteration that takes nothing does not count */, "ba"}},
        {"^(?:(a*))*\\1$", BACKTRACKING, {"", "aa", "aaa"}, {"a", "b"}},
        {"^([^,]+)(?:,\\1)*?$", BACKTRACKING, {"x", "ab,ab,ab"}, {"ab,a", "ab,"}});
}

Test(pattern_search, text_that_is_not_utf_8_gets_no_verdict) {
    static const char *const SOURCES[] = {"^.*$", "^(a|.)*b$", "(?!x)z"};
    for (size_t i = 0; i < 3; i++) {
        CLEANUP(pattern_freep) struct pattern *pattern = compile(SOURCES[i]);
        cr_expect_eq(pattern_search(pattern, BYTES_LITERAL("a\xFF")), PATTERN_LIMIT);
        cr_expect_eq(pattern_search(pattern, BYTES_LITERAL("a\xED\xA0\x80")), PATTERN_LIMIT);
        cr_expect_eq(pattern_search(pattern, BYTES_LITERAL("\xF0\x9F\x98")), PATTERN_LIMIT);
    }
}

Test(pattern_search, absent_text_is_empty_text) {
    CLEANUP(pattern_freep) struct pattern *linear = compile("^(a|)$");
    CLEANUP(pattern_freep) struct pattern *backtracking = compile("^(?!a)$");
    cr_expect_eq(pattern_search(linear, (struct bytes){0}), PATTERN_YES);
    cr_expect_eq(pattern_search(backtracking, (struct bytes){0}), PATTERN_YES);
}
