/* Tests of plugin/wire/text.c: what is UTF-8, and how text is shown in messages. */
#include "wire/text.h"

#include "support.h"

Test(text, well_formed_utf8_is_accepted) {
    const char *const valid[] = {
        "",
        "plain",
        "\x7F",
        "\xC2\x80",         /* U+0080 */
        "\xDF\xBF",         /* U+07FF */
        "\xE0\xA0\x80",     /* U+0800 */
        "\xED\x9F\xBF",     /* U+D7FF, below the surrogates */
        "\xEE\x80\x80",     /* U+E000, above them */
        "\xEF\xBF\xBF",     /* U+FFFF */
        "\xF0\x90\x80\x80", /* U+10000 */
        "\xF4\x8F\xBF\xBF", /* U+10FFFF */
        "exactly8exactly8\xC3\xA9tail",
    };
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        cr_expect(wire_utf8_valid(bytes_from_string(valid[i])), "case %zu", i);
    }
}

Test(text, malformed_utf8_is_refused) {
    const char *const malformed[] = {
        "\x80",             /* a stray continuation */
        "\xBF",             /* another */
        "\xC0\x80",         /* overlong NUL */
        "\xC1\xBF",         /* overlong U+007F */
        "\xC3",             /* cut */
        "\xC3(",            /* no continuation */
        "\xE0\x80\x80",     /* overlong */
        "\xE0\x9F\xBF",     /* overlong U+07FF */
        "\xE2\x82",         /* cut */
        "\xED\xA0\x80",     /* U+D800 */
        "\xED\xBF\xBF",     /* U+DFFF */
        "\xF0\x80\x80\x80", /* overlong */
        "\xF0\x8F\xBF\xBF", /* overlong U+FFFF */
        "\xF4\x90\x80\x80", /* U+110000 */
        "\xF5\x80\x80\x80", /* beyond */
        "\xF0\x9F\x98",     /* cut */
        "\xFE",             /* never */
        "\xFF",             /* never */
        "12345678\xFF",     /* behind eight good bytes */
        "1234567\xC3",      /* cut at the end of eight */
    };
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        cr_expect_not(wire_utf8_valid(bytes_from_string(malformed[i])), "case %zu", i);
    }
}

Test(text, cutting_keeps_characters_whole) {
    struct bytes text = BYTES_LITERAL("ab\xE2\x82\xAC"); /* the euro sign */
    cr_expect_eq(wire_utf8_cut(text, 5).size, 5);
    cr_expect_eq(wire_utf8_cut(text, 9).size, 5);
    cr_expect_eq(wire_utf8_cut(text, 4).size, 2);
    cr_expect_eq(wire_utf8_cut(text, 3).size, 2);
    cr_expect_eq(wire_utf8_cut(text, 2).size, 2);
    cr_expect_eq(wire_utf8_cut(text, 0).size, 0);
}

Test(text, quoting_replaces_what_is_no_text) {
    char quoted[WIRE_QUOTE_SIZE];
    wire_quote(quoted, BYTES_OF('a', 0x00, '\n', 0xFF, 0xC3, 0xA9, 0xC3));
    cr_expect_str_eq(quoted, "a???\xC3\xA9?");
    wire_quote(quoted, (struct bytes){0});
    cr_expect_str_eq(quoted, "");
}

Test(text, quoting_cuts_long_text_at_a_character) {
    char quoted[WIRE_QUOTE_SIZE];
    uint8_t memory[200];
    for (size_t i = 0; i < sizeof memory; i += 2) {
        memory[i] = 0xC3;
        memory[i + 1] = 0xA9;
    }
    wire_quote(quoted, (struct bytes){.data = memory, .size = sizeof memory});
    cr_expect(wire_utf8_valid(bytes_from_string(quoted)));
    cr_expect_str_eq(quoted + strlen(quoted) - 3, "...");
    cr_expect_lt(strlen(quoted), WIRE_QUOTE_SIZE);
}
