/* vector.c: the index over hashes. */
#include "validate/vector.h"

#include <criterion/criterion.h>

/* Whoever knows how hashes are made can choose texts whose hashes agree in all the bits that a table of this size looks
 * at: places must not follow from those alone. Otherwise this takes five billion looks. */
Test(validate_vector, hashes_that_agree_in_half_their_bits_do_not_crowd, .timeout = 4) {
    CLEANUP(index_done) struct index index = {0};
    enum { COUNT = 100000 };
    for (uint32_t i = 0; i < COUNT; i++) {
        cr_assert(index_add(&index, (uint64_t)i << 32, i));
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t cursor = 0;
        cr_assert_eq(index_next(&index, (uint64_t)i << 32, &cursor), i);
        cr_assert_eq(index_next(&index, (uint64_t)i << 32, &cursor), UINT32_MAX);
    }
}

Test(validate_vector, equal_hashes_are_all_found) {
    CLEANUP(index_done) struct index index = {0};
    uint32_t cursor = 0;
    uint32_t sum = 0;
    cr_assert_eq(index_next(&index, 7, &cursor), UINT32_MAX);
    for (uint32_t i = 0; i < 100; i++) {
        cr_assert(index_add(&index, i % 2, i));
    }
    for (uint32_t found; (found = index_next(&index, 1, &cursor)) != UINT32_MAX;) {
        cr_assert_eq(found % 2, 1);
        sum += found;
    }
    cr_expect_eq(sum, 2500);
}
