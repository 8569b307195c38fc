/* cursor.c: where a page ended, as text that cannot be altered or used elsewhere. */
#include "cursor.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const uint8_t SECRET[CURSOR_SECRET_SIZE] = {1, 2, 3};
static const struct cursor_scope SCOPE = {.op = CURSOR_EVENTS, .order_by = ORDER_BY_TIME, .filter = 42};

static struct bytes encode(const struct cursor *cursor, char text[CURSOR_TEXT_SIZE_MAX]) {
    size_t size = cursor_encode(cursor, &SCOPE, SECRET, text);
    return (struct bytes){.data = (const uint8_t *)text, .size = size};
}

static struct cursor sample(void) {
    struct cursor cursor = {.time_us = -5, .id = INT64_MAX};
    cursor_set_name(&cursor, BYTES_LITERAL("node:alice"));
    return cursor;
}

static void expect_refused(struct bytes text, const struct cursor_scope *scope, const uint8_t *secret,
                           const char *word) {
    struct cursor cursor;
    struct error error = {0};
    cr_assert_eq(cursor_decode(text, scope, secret, &cursor, &error), INVALID);
    cr_assert_str_eq(error.path, "/cursor");
    cr_assert_not_null(strstr(error.message, word), "wanted '%s' in: %s", word, error.message);
}

Test(cursor, comes_back_as_it_was) {
    struct cursor cursor = sample();
    char text[CURSOR_TEXT_SIZE_MAX];

    struct cursor back = {0};
    struct error error;
    cr_assert_eq(cursor_decode(encode(&cursor, text), &SCOPE, SECRET, &back, &error), OK);

    cr_assert_eq(back.time_us, -5);
    cr_assert_eq(back.id, INT64_MAX);
    cr_assert(bytes_equal_string(cursor_name(&back), "node:alice"));
}

Test(cursor, the_longest_name_fits_and_a_longer_one_is_cut) {
    char name[CURSOR_NAME_SIZE_MAX + 1];
    memset(name, 'x', sizeof name);
    struct cursor cursor = {0};
    cursor_set_name(&cursor, (struct bytes){.data = (const uint8_t *)name, .size = sizeof name});
    char text[CURSOR_TEXT_SIZE_MAX];

    struct cursor back = {0};
    struct error error;
    cr_assert_eq(cursor_decode(encode(&cursor, text), &SCOPE, SECRET, &back, &error), OK);

    cr_assert_eq(back.name_size, CURSOR_NAME_SIZE_MAX);
}

Test(cursor, any_digit_that_is_changed_is_found) {
    struct cursor cursor = sample();
    char text[CURSOR_TEXT_SIZE_MAX];
    struct bytes view = encode(&cursor, text);

    for (size_t i = 0; i < view.size; i++) {
        char before = text[i];
        text[i] = before == '0' ? '1' : '0';
        expect_refused(view, &SCOPE, SECRET, "cursor");
        text[i] = before;
    }
}

Test(cursor, text_of_any_other_length_is_refused) {
    struct cursor cursor = sample();
    char text[CURSOR_TEXT_SIZE_MAX + 2];
    struct bytes view = encode(&cursor, text);
    for (size_t size = 0; size < view.size; size++) {
        expect_refused((struct bytes){.data = view.data, .size = size}, &SCOPE, SECRET, "cursor");
    }
    memset(text, '0', sizeof text);
    expect_refused((struct bytes){.data = view.data, .size = sizeof text}, &SCOPE, SECRET, "not a cursor");
}

Test(cursor, upper_case_and_other_characters_are_refused) {
    struct cursor cursor = sample();
    char text[CURSOR_TEXT_SIZE_MAX];
    struct bytes view = encode(&cursor, text);
    text[10] = 'G';
    expect_refused(view, &SCOPE, SECRET, "not a cursor");
    text[10] = 'A';
    expect_refused(view, &SCOPE, SECRET, "not a cursor");
}

Test(cursor, of_another_store_op_order_or_filter_is_refused_and_says_which) {
    struct cursor cursor = sample();
    char text[CURSOR_TEXT_SIZE_MAX];
    struct bytes view = encode(&cursor, text);
    uint8_t secret[CURSOR_SECRET_SIZE] = {1, 2, 4};
    expect_refused(view, &SCOPE, secret, "another store");

    struct cursor_scope scope = SCOPE;
    scope.op = CURSOR_TAGS;
    expect_refused(view, &scope, SECRET, "another op");
    scope = SCOPE;
    scope.descending = true;
    expect_refused(view, &scope, SECRET, "another order");
    scope = SCOPE;
    scope.order_by = ORDER_BY_ID;
    expect_refused(view, &scope, SECRET, "another order");
    scope = SCOPE;
    scope.filter = 43;
    expect_refused(view, &scope, SECRET, "another filter");
}

Test(cursor, filters_that_differ_in_one_part_are_bound_differently) {
    struct bytes absent = {0};
    struct bytes empty = BYTES_LITERAL("");
    struct bytes a = BYTES_LITERAL("a");
    const uint64_t bound[] = {
        cursor_bind(0, absent),
        cursor_bind(0, empty),
        cursor_bind(0, a),
        cursor_bind(cursor_bind(0, absent), a),
        cursor_bind(cursor_bind(0, a), absent),
        cursor_bind(cursor_bind(0, a), a),
    };
    for (size_t i = 0; i < sizeof bound / sizeof bound[0]; i++) {
        for (size_t j = 0; j < i; j++) {
            cr_assert_neq(bound[i], bound[j], "%zu and %zu", i, j);
        }
    }
}
