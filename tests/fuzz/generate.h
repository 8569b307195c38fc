/* generate.h: bytes as choices: every input is a schema and payloads that it has something to say about. */
#ifndef POLARIS_TESTS_FUZZ_GENERATE_H
#define POLARIS_TESTS_FUZZ_GENERATE_H

#include "bytes.h"

/* Text and a number that payloads hold now and then, and no schema does. */
#define GENERATE_SECRET_TEXT "zq~secret~qz"
#define GENERATE_SECRET_NUMBER "42424243"

struct generator {
    const uint8_t *choices; /* when they are used up, the first choice is taken everywhere */
    size_t left;
    struct buffer text; /* JSON */
    unsigned room;      /* subschemas and values that may still be made */
};

uint32_t generate_pick(struct generator *generator, uint32_t count);
/* Each appends one JSON text. */
void generate_schema(struct generator *generator);
void generate_payload(struct generator *generator);

#endif
