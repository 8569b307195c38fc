/* random.h: numbers that a seed determines (splitmix64). */
#ifndef POLARIS_TORTURE_RANDOM_H
#define POLARIS_TORTURE_RANDOM_H

#include <stdint.h>

static inline uint64_t random_mix(uint64_t value) {
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

static inline uint64_t random_next(uint64_t *state) {
    *state += UINT64_C(0x9E3779B97F4A7C15);
    return random_mix(*state);
}

/* 0 to bound - 1. */
static inline uint32_t random_below(uint64_t *state, uint32_t bound) {
    return (uint32_t)(random_next(state) % bound);
}

#endif
