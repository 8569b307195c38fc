/* generate.h: generated pairs of schemas that differ a little, and payloads for them. */
#ifndef POLARIS_TESTS_UNIT_VALIDATE_COMPATIBLE_GENERATE_H
#define POLARIS_TESTS_UNIT_VALIDATE_COMPATIBLE_GENERATE_H

#include "bytes.h"

/* Choices come from the bytes given, then from a generator of random numbers that they seed. */
struct generator {
    uint64_t state;
    const uint8_t *data;
    size_t size;
    bool is_draft_07;   /* schemas of that draft */
    bool is_simple;     /* without alternatives and references; what declares properties says that others are allowed */
    struct buffer text; /* JSON */
};

uint32_t generate_pick(struct generator *generator, uint32_t count);

/* Two schemas as one text each: the second is the first with some of its choices made anew, or one of its own. */
void generate_pair(struct generator *generator, struct buffer *ret_writer, struct buffer *ret_reader);
/* A payload. */
void generate_payload(struct generator *generator, struct buffer *ret);

#endif
