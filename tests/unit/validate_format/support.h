/* support.h: tables of texts that have a format, or have not. */
#ifndef POLARIS_TESTS_UNIT_VALIDATE_FORMAT_SUPPORT_H
#define POLARIS_TESTS_UNIT_VALIDATE_FORMAT_SUPPORT_H

#include "validate/format.h"

#include <criterion/criterion.h>

/* Each text alone, and each again in a block of its own size, so that a sanitizer sees a read beyond it. */
static inline void expect_format(enum format_id format, enum format_verdict wanted, const char *const *texts,
                                 size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(texts[i]);
        uint8_t *copy = malloc(size + (size == 0));
        memcpy(copy, texts[i], size);
        enum format_verdict verdict = format_check(format, (struct bytes){copy, size});
        cr_expect_eq(verdict, wanted, "%s: '%s': %d", format_name(format), texts[i], (int)verdict);
        free(copy);
    }
}

#define EXPECT_TEXTS(format, verdict, ...)                                                                             \
    do {                                                                                                               \
        static const char *const TEXTS[] = {__VA_ARGS__};                                                              \
        expect_format(format, verdict, TEXTS, sizeof(TEXTS) / sizeof(*TEXTS));                                         \
    } while (0)
#define EXPECT_YES(format, ...) EXPECT_TEXTS(FORMAT_##format, FORMAT_YES, __VA_ARGS__)
#define EXPECT_NO(format, ...) EXPECT_TEXTS(FORMAT_##format, FORMAT_NO, __VA_ARGS__)

#endif
