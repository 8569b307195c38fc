/* Tests of plugin/wire/tape.c: what the pass notes beside the shape, and the memory it keeps. */
#include "wire/shape.h"

#include "support.h"

#include <stdlib.h>

static uint16_t mark_of(struct bytes text) {
    return wire_text_mark(text, wire_mark_keys(WIDE_LIMITS.seed));
}

/* What the outermost array or map lacks. */
static unsigned lacks(struct bytes input) {
    CLEANUP(request_done) struct request request = {0};
    cr_assert_eq(request_parse(&request, input, &WIDE_LIMITS), OK, "%s", request.error.message);
    return request.document.items[0].mark;
}

Test(tape, strings_carry_the_mark_of_their_text_wherever_they_stand) {
    /* As the last bytes of the input and before others: no byte behind a text may matter. */
    for (uint8_t size = 0; size < 20; size++) {
        CLEANUP(request_done) struct request request = {0};
        uint8_t input[64] = {0x93, (uint8_t)(0xA0 + size)};
        for (uint8_t i = 0; i < size; i++) {
            input[2 + i] = (uint8_t)('a' + i);
        }
        memcpy(input + 2 + size, input + 1, size + 1U);
        memcpy(input + 3 + size + size, input + 1, size + 1U);
        struct bytes whole = {input, 4U + 3U * size};
        cr_assert_eq(request_parse(&request, whole, &WIDE_LIMITS), OK, "%s", request.error.message);
        for (int i = 1; i <= 3; i++) {
            cr_expect_eq(request.document.items[i].mark, mark_of((struct bytes){input + 2, size}), "%u bytes", size);
        }
    }
}

Test(tape, texts_that_differ_mostly_have_different_marks) {
    static uint8_t seen[65536];
    unsigned same = 0;
    for (int i = 0; i < 2000; i++) {
        char text[32];
        int size = snprintf(text, sizeof text, i % 2 == 0 ? "k%d" : "some_longer_key_%d", i);
        uint16_t mark = mark_of((struct bytes){(const uint8_t *)text, (size_t)size});
        same += seen[mark]++ != 0;
    }
    cr_expect_lt(same, 100, "%u of 2000 marks came before; about 30 are to be expected", same);
}

/* The n-th of the texts that are tried for one that has the wanted mark: short ones and long ones. */
static struct bytes nth_text(uint32_t n, char *text, size_t size) {
    const char *const tail = n % 3 == 0 ? "" : n % 3 == 1 ? "-twelve-more" : " in the middle of a text, not at its end";
    return (struct bytes){(const uint8_t *)text, (size_t)snprintf(text, size, "k%x%s", n, tail)};
}

enum { CHOSEN = 32, TEXT_ROOM = 64 };

/* Texts that all have the same mark under the seed, as somebody would choose them who knows it. */
static void choose_texts(uint64_t seed, char texts[CHOSEN][TEXT_ROOM]) {
    struct wire_mark_keys keys = wire_mark_keys(seed);
    uint16_t wanted = wire_text_mark(BYTES_OF('x'), keys);
    for (uint32_t n = 0, found = 0; found < CHOSEN; n++) {
        found += wire_text_mark(nth_text(n, texts[found], TEXT_ROOM), keys) == wanted;
    }
}

static unsigned lacks_of_texts(char texts[CHOSEN][TEXT_ROOM], bool is_last_twice, uint64_t seed) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    CLEANUP(request_done) struct request request = {0};
    const struct wire_limits limits = {.size_max = 1 << 20, .depth_max = 8, .seed = seed};
    wire_put_map(&writer, CHOSEN);
    for (int i = 0; i < CHOSEN; i++) {
        wire_put_text(&writer, texts[is_last_twice && i == CHOSEN - 1 ? 0 : i]);
        wire_put_nil(&writer);
    }
    cr_assert_eq(request_parse(&request, buffer_view(&writer.buffer), &limits), OK, "%s", request.error.message);
    cr_assert_eq(request.document.seed, seed);
    return request.document.items[0].mark;
}

Test(tape, texts_chosen_to_collide_under_one_seed_do_not_under_another) {
    static char texts[CHOSEN][TEXT_ROOM];
    choose_texts(1, texts);
    for (uint64_t seed = 2; seed < 10; seed++) {
        unsigned same = 0;
        for (int i = 1; i < CHOSEN; i++) {
            struct wire_mark_keys keys = wire_mark_keys(seed);
            same +=
                wire_text_mark(bytes_from_string(texts[i]), keys) == wire_text_mark(bytes_from_string(texts[0]), keys);
        }
        cr_expect_leq(same, 1, "%u of %d", same, CHOSEN);
    }
}

Test(tape, keys_with_the_same_mark_are_still_told_apart) {
    static char texts[CHOSEN][TEXT_ROOM];
    choose_texts(1, texts);
    for (uint64_t seed = 1; seed < 3; seed++) {
        cr_expect_eq(lacks_of_texts(texts, false, seed), 0);
        cr_expect_eq(lacks_of_texts(texts, true, seed), WIRE_LACKS_KEYS);
    }
}

Test(tape, no_byte_of_a_text_is_without_influence_on_its_mark) {
    for (size_t size = 1; size < 70; size++) {
        uint8_t text[70] = {0};
        struct wire_mark_keys keys = wire_mark_keys(5);
        uint16_t before = wire_text_mark((struct bytes){text, size}, keys);
        for (size_t i = 0; i < size; i++) {
            text[i] = 1;
            unsigned others = wire_text_mark((struct bytes){text, size}, keys) != before;
            text[i] = 2; /* that one of two changes has the same mark happens; that both have does not */
            others += wire_text_mark((struct bytes){text, size}, keys) != before;
            cr_expect_gt(others, 0, "byte %zu of %zu", i, size);
            text[i] = 0;
        }
    }
}

Test(tape, what_json_has_lacks_nothing) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    put_json(&writer,
             "{'a': [1, -2.5, null, true, 'text', '\\u00e4\\u6f22 and more than sixteen bytes'], 'b': {'a': {}}, "
             "'': [], 'key number four': 4, 'key number five': 5}");
    cr_expect_eq(lacks(buffer_view(&writer.buffer)), 0);
}

Test(tape, what_json_lacks_is_noted_and_nothing_is_refused) {
    cr_expect_eq(lacks(BYTES_OF(0x91, 0xC4, 0x00)), WIRE_LACKS_VALUE);
    cr_expect_eq(lacks(BYTES_OF(0x91, 0xD4, 0x05, 'x')), WIRE_LACKS_VALUE);
    cr_expect_eq(lacks(BYTES_OF(0x91, 0xCA, 0x7F, 0x80, 0, 0)), WIRE_LACKS_VALUE);
    cr_expect_eq(lacks(BYTES_OF(0x91, 0xCA, 0x7F, 0x7F, 0, 0)), 0);
    cr_expect_eq(lacks(BYTES_OF(0x91, 0xCB, 0xFF, 0xF0, 0, 0, 0, 0, 0, 0)), WIRE_LACKS_VALUE);
    cr_expect_eq(lacks(BYTES_OF(0x91, 0xCB, 0x7F, 0xEF, 0, 0, 0, 0, 0, 0)), 0);
    cr_expect_eq(lacks(BYTES_OF(0x91, 0xA2, 0xC3, 0x28)), WIRE_LACKS_TEXT);
    cr_expect_eq(lacks(BYTES_OF(0x91, 0xB1, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 0xFF, 'j', 'k', 'l', 'm', 'n', 'o',
                                'p', 'q')),
                 WIRE_LACKS_TEXT);
    cr_expect_eq(lacks(BYTES_OF(0x81, 0x01, 0x02)), WIRE_LACKS_KEYS);
    cr_expect_eq(lacks(BYTES_OF(0x81, 0x80, 0x02)), WIRE_LACKS_KEYS);
    cr_expect_eq(lacks(BYTES_OF(0x82, 0xA1, 'a', 0x01, 0xA1, 'a', 0x02)), WIRE_LACKS_KEYS);
    cr_expect_eq(lacks(BYTES_OF(0x82, 0xA1, 'a', 0xA1, 'b', 0xA1, 'b', 0x02)), 0);
    cr_expect_eq(lacks(BYTES_OF(0x93, 0xC4, 0x00, 0xA1, 0xFF, 0x81, 0x01, 0x02)),
                 WIRE_LACKS_VALUE | WIRE_LACKS_TEXT | WIRE_LACKS_KEYS);
}

Test(tape, a_container_lacks_what_is_inside_it_and_nothing_else) {
    CLEANUP(request_done) struct request request = {0};
    /* [[], [1, [bin]], "a", {"a": 1, "a": []}] */
    struct bytes input =
        BYTES_OF(0x94, 0x90, 0x92, 0x01, 0x91, 0xC4, 0x00, 0xA1, 'a', 0x82, 0xA1, 'a', 0x01, 0xA1, 'a', 0x90);
    static const unsigned WANTED[] = {WIRE_LACKS_VALUE | WIRE_LACKS_KEYS, 0, WIRE_LACKS_VALUE, 0, WIRE_LACKS_VALUE, 0};
    cr_assert_eq(request_parse(&request, input, &WIDE_LIMITS), OK, "%s", request.error.message);
    for (size_t i = 0; i < sizeof WANTED / sizeof WANTED[0]; i++) {
        cr_expect_eq(request.document.items[i].mark, WANTED[i], "item %zu", i);
    }
    cr_expect_eq(request.document.items[7].mark, WIRE_LACKS_KEYS);
    cr_expect_eq(request.document.items[11].mark, 0);
}

/* A map of `pairs` keys of two bytes, of which the last one may be the same as the first. */
static unsigned lacks_of_map(unsigned pairs, bool is_last_twice) {
    uint8_t input[3 + 4 * 300] = {0xDE, (uint8_t)(pairs >> 8), (uint8_t)pairs};
    for (unsigned i = 0; i < pairs; i++) {
        unsigned key = is_last_twice && i == pairs - 1 ? 0 : i;
        uint8_t pair[] = {0xA2, (uint8_t)('a' + key / 20), (uint8_t)('a' + key % 20), 0x01};
        memcpy(input + 3 + 4 * i, pair, sizeof pair);
    }
    return lacks((struct bytes){input, 3 + 4 * pairs});
}

Test(tape, keys_are_compared_in_maps_that_are_not_wide) {
    for (unsigned pairs = 2; pairs <= 32; pairs++) {
        cr_expect_eq(lacks_of_map(pairs, false), 0, "%u pairs", pairs);
        cr_expect_eq(lacks_of_map(pairs, true), WIRE_LACKS_KEYS, "%u pairs", pairs);
    }
    cr_expect_eq(lacks_of_map(33, false), WIRE_LACKS_KEYS, "nobody compared them");
    cr_expect_eq(lacks_of_map(300, true), WIRE_LACKS_KEYS);
}

Test(tape, a_reset_document_keeps_its_memory_and_lends_no_bytes) {
    CLEANUP(request_done) struct request request = {0};
    cr_assert_eq(request_parse(&request, BYTES_OF(0x92, 1, 2), &WIDE_LIMITS), OK);
    const struct wire_item *items = request.document.items;

    wire_document_reset(&request.document);

    cr_expect_eq(request.document.items, items);
    cr_expect_eq(request.document.item_count, 0);
    cr_expect(!bytes_present(request.document.input));
}

Test(tape, a_refused_input_leaves_the_memory_there_was) {
    CLEANUP(request_done) struct request request = {0};
    cr_assert_eq(request_parse(&request, BYTES_OF(0x92, 1, 2), &WIDE_LIMITS), OK);

    cr_expect_eq(request_parse(&request, BYTES_OF(0x92, 1), &WIDE_LIMITS), INVALID);

    cr_expect_not_null(request.document.items);
    cr_expect_eq(request.document.item_count, 0);
    cr_expect_eq(request_parse(&request, BYTES_OF(0x92, 1, 2), &WIDE_LIMITS), OK);
}

Test(tape, the_memory_of_a_large_input_is_not_kept) {
    CLEANUP(request_done) struct request request = {0};
    const struct wire_limits limits = {.size_max = 1 << 20, .depth_max = 8};
    uint8_t *input = calloc(1, 5 + 2 * WIRE_DOCUMENT_KEPT);
    cr_assert_not_null(input);
    memcpy(input, (const uint8_t[]){0xDD, 0, 2, 0, 0}, 5); /* twice as many items as are kept */
    cr_assert_eq(request_parse(&request, (struct bytes){input, 5 + 2 * WIRE_DOCUMENT_KEPT}, &limits), OK, "%s",
                 request.error.message);
    free(input);

    wire_document_reset(&request.document);

    cr_expect_null(request.document.items);
    cr_expect_eq(request.document.item_capacity, 0);
}
