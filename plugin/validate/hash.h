/* hash.h: hashes of bytes for tables that confirm by comparison. Where the seed is a secret, nobody can choose texts
 * whose hashes agree. */
#ifndef POLARIS_PLUGIN_VALIDATE_HASH_H
#define POLARIS_PLUGIN_VALIDATE_HASH_H

#include "bytes.h"

#define HASH_SEED UINT64_C(0x9E3779B97F4A7C15)

__extension__ typedef unsigned __int128 hash_wide;

/* The two halves of the product, folded: every bit of the result hangs on every bit of both. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b) {
    hash_wide product = (hash_wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_load(const uint8_t *data, size_t size) {
    uint64_t word = 0;
    memcpy(&word, data, size);
    return word;
}

static inline uint64_t hash_number(uint64_t number, uint64_t seed) {
    return hash_mix(number ^ UINT64_C(0xA0761D6478BD642F), seed ^ UINT64_C(0xE7037ED1A0B428DB));
}

/* The seed is in both factors: a text that makes one of them 0 would else hide the other, and with it the seed. */
static inline uint64_t hash_words(uint64_t a, uint64_t b, uint64_t seed) {
    return hash_mix(a ^ seed ^ UINT64_C(0xA0761D6478BD642F),
                    b ^ (seed << 32 | seed >> 32) ^ UINT64_C(0xE7037ED1A0B428DB));
}

static inline uint64_t hash_bytes(struct bytes text, uint64_t seed) {
    const uint8_t *data = text.data;
    size_t size = text.size;
    uint64_t a;
    uint64_t b;
    if (size >= 8) {
        for (; size > 16; data += 16, size -= 16) {
            seed = hash_words(hash_load(data, 8), hash_load(data + 8, 8), seed);
        }
        /* The last sixteen bytes or fewer: two words, which overlap where the text is short. */
        if (size >= 8) {
            a = hash_load(data, 8);
            b = hash_load(data + size - 8, 8);
        } else {
            a = hash_load(data, size);
            b = 0;
        }
    } else if (size >= 4) {
        a = hash_load(data, 4);
        b = hash_load(data + size - 4, 4);
    } else if (size > 0) {
        a = (uint64_t)data[0] << 16 | (uint64_t)data[size / 2] << 8 | data[size - 1];
        b = 0;
    } else {
        a = 0;
        b = 0;
    }
    return hash_words(a ^ text.size, b, seed);
}

#endif
