/* reencode.h: the same JSON value in other msgpack. */
#ifndef POLARIS_TESTS_FUZZ_REENCODE_H
#define POLARIS_TESTS_FUZZ_REENCODE_H

#include "bytes.h"
#include "wire/document.h"

enum reencoding {
    REENCODE_NARROW, /* the shortest header for everything, whole floats as integers */
    REENCODE_WIDE,   /* the longest, and integers as floats where those hold them exactly */
    REENCODE_MIXED,  /* some of both, and the pairs of maps from behind */
    REENCODINGS
};

/* Appends the value, whose keys are strings that come once. `choice` chooses what of both. */
void reencode(struct wire_value value, enum reencoding how, uint32_t choice, struct buffer *ret);

#endif
