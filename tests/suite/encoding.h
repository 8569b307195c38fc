/* encoding.h: one JSON value in the encodings that msgpack leaves to the writer. */
#ifndef POLARIS_TESTS_SUITE_ENCODING_H
#define POLARIS_TESTS_SUITE_ENCODING_H

#include "bytes.h"

#include <jansson.h>

enum encoding {
    ENCODING_MINIMAL,  /* the shortest header for everything */
    ENCODING_WIDEST,   /* the longest */
    ENCODING_SHUFFLED, /* keys in another order */
    ENCODING_COUNT
};

const char *encoding_name(enum encoding encoding);

/* Appends the value. Ends the program where memory does. */
void encode(const json_t *value, enum encoding encoding, struct buffer *ret);

#endif
