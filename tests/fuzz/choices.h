/* choices.h: an input as choices, so that every input is something that gets past the first checks. */
#ifndef POLARIS_TESTS_FUZZ_CHOICES_H
#define POLARIS_TESTS_FUZZ_CHOICES_H

#include "bytes.h"

struct choices {
    const uint8_t *data;
    size_t left; /* when they are used up, the first choice is taken everywhere */
};

/* A number below `count`, of one byte of the input, or of two when there are more than 256. */
static inline uint32_t choose(struct choices *choices, uint32_t count) {
    uint32_t chosen = 0;
    for (uint32_t most = 1; most < count && choices->left > 0; most *= 256) {
        chosen = chosen << 8 | *choices->data++;
        choices->left--;
    }
    return chosen % count;
}

/* True for one value in `count`, which is not 0. */
static inline bool seldom(struct choices *choices, uint32_t count) {
    return choose(choices, count) == count - 1;
}

/* Up to `size_max` bytes as they are. */
static inline struct bytes choose_bytes(struct choices *choices, uint32_t size_max) {
    size_t size = choose(choices, size_max + 1);
    size = size < choices->left ? size : choices->left;
    struct bytes bytes = {size > 0 ? choices->data : (const uint8_t *)"", size};
    choices->data += size;
    choices->left -= size;
    return bytes;
}

#endif
