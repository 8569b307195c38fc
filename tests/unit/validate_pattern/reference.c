/* Property test: for patterns of the syntax that ECMA-262 and Perl share, the verdict is that of PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "support.h"

#include <pcre2.h>
#include <stdio.h>

enum { PATTERNS = 20000, TEXTS = 8, SOURCE_SIZE = 512 };

struct generator {
    uint64_t state;
    char text[SOURCE_SIZE];
    size_t size;
    int groups;
};

static uint32_t pick(struct generator *generator, uint32_t below) {
    generator->state = generator->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(generator->state >> 33) % below;
}

static void put(struct generator *generator, const char *text) {
    size_t size = strlen(text);
    if (generator->size + size < SOURCE_SIZE) {
        memcpy(generator->text + generator->size, text, size + 1);
        generator->size += size;
    }
}

static void put_disjunction(struct generator *generator, int depth);

static void put_atom(struct generator *generator, int depth) {
    static const char *const ATOMS[] = {"a",      "b",     "c",   "é",   "😀",      ".",      "[ab]",   "[^a]", "[b-é]",
                                        "[^b-é]", "\\x61", "\\t", "\\.", "[]a-]b", "[a\\-]", "[^\\w]", "[\\d]"};
    static const char *const OPENINGS[] = {"(?:", "(", "(?:", "(", "(?=", "(?!"};
    uint32_t kind = pick(generator, depth > 0 ? 12 : 8);
    if (kind < 8) {
        uint32_t atom = pick(generator, sizeof(ATOMS) / sizeof(*ATOMS));
        put(generator, atom == 13 ? "[a-]" : ATOMS[atom]);
        return;
    }
    uint32_t opening = pick(generator, sizeof(OPENINGS) / sizeof(*OPENINGS));
    generator->groups += opening == 1 || opening == 3 ? 1 : 0;
    put(generator, OPENINGS[opening]);
    put_disjunction(generator, depth - 1);
    put(generator, ")");
    if (opening >= 4) {
        put(generator, "a"); /* an assertion may not be repeated */
    }
}

static void put_disjunction(struct generator *generator, int depth) {
    static const char *const QUANTIFIERS[] = {"*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}"};
    static const char *const ASSERTIONS[] = {"^", "$", "\\b", "\\B", "(?<=a)", "(?<!b)"};
    do {
        uint32_t terms = pick(generator, 4);
        for (uint32_t i = 0; i < terms; i++) {
            if (pick(generator, 8) == 0) {
                put(generator, ASSERTIONS[pick(generator, sizeof(ASSERTIONS) / sizeof(*ASSERTIONS))]);
                continue;
            }
            put_atom(generator, depth);
            if (pick(generator, 3) == 0) {
                put(generator, QUANTIFIERS[pick(generator, sizeof(QUANTIFIERS) / sizeof(*QUANTIFIERS))]);
            }
        }
    } while (pick(generator, 4) == 0 && generator->size < 200 && (put(generator, "|"), true));
}

static void put_text(struct generator *generator) {
    static const char *const PIECES[] = {"a", "b", "c", "é", "😀", "1", "-", " ", "\t", "aa", "ab"};
    generator->size = 0;
    generator->text[0] = '\0';
    for (uint32_t count = pick(generator, 10); count > 0; count--) {
        put(generator, PIECES[pick(generator, sizeof(PIECES) / sizeof(*PIECES))]);
    }
}

/* 1: match, 0: none, -1: PCRE2 gave up. */
static int reference_search(const pcre2_code *code, pcre2_match_data *match, const char *text) {
    int count = pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0, 0, match, NULL);
    return count >= 0 ? 1 : (count == PCRE2_ERROR_NOMATCH ? 0 : -1);
}

Test(pattern_reference, generated_patterns_get_the_verdict_of_pcre2) {
    struct generator generator = {.state = 42};
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    unsigned linear = 0;
    unsigned compared = 0;
    for (int i = 0; i < PATTERNS; i++) {
        int code_error;
        size_t offset;
        struct error error = {0};
        CLEANUP(pattern_freep) struct pattern *pattern = NULL;
        generator.size = 0;
        generator.groups = 0;
        generator.text[0] = '\0';
        put_disjunction(&generator, 3);
        char source[SOURCE_SIZE];
        memcpy(source, generator.text, sizeof(source));
        pcre2_code *code = pcre2_compile((PCRE2_SPTR)source, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_DOLLAR_ENDONLY,
                                         &code_error, &offset, NULL);
        enum status status = pattern_compile(bytes_from_string(source), &LIMITS, &pattern, &error);
        cr_assert_not_null(code, "/%s/ is refused by PCRE2", source);
        cr_assert_eq(status, OK, "/%s/: %s", source, error.message);
        linear += pattern_is_linear(pattern) ? 1 : 0;
        for (int j = 0; j < TEXTS; j++) {
            put_text(&generator);
            int wanted = reference_search(code, match, generator.text);
            enum pattern_verdict verdict = pattern_search(pattern, bytes_from_string(generator.text));
            if (wanted >= 0 && verdict != PATTERN_LIMIT) {
                cr_assert_eq((int)verdict, wanted, "/%s/ on '%s': %d", source, generator.text, (int)verdict);
                compared++;
            }
        }
        pcre2_code_free(code);
    }
    pcre2_match_data_free(match);
    cr_expect_gt(linear, PATTERNS / 4);
    cr_expect_lt(linear, PATTERNS);
    cr_expect_gt(compared, PATTERNS * TEXTS * 99 / 100);
}
