/* requests.h: requests made of choices: an op, and fields with values that mostly fit it. */
#ifndef POLARIS_TESTS_FUZZ_REQUESTS_H
#define POLARIS_TESTS_FUZZ_REQUESTS_H

#include "choices.h"
#include "wire/writer.h"

enum verb_id { VERB_ID_STORE, VERB_ID_QUERY, VERB_ID_DLQ, VERB_ID_SCHEMA, VERB_ID_COUNT };

/* What requests refer to. Zeroed is good; wire_writer_done(&requests.out) frees it. */
struct requests {
    struct choices *in;
    struct wire_writer out; /* the request last made */
    char cursor[1024];      /* of the last reply that had one */
    int64_t token;          /* of the last dead letter that was claimed */
};

/* A request of any op, or of a verb's. Now and then it is altered so that it may be no msgpack any more. */
enum verb_id requests_make(struct requests *requests);
void requests_make_of(struct requests *requests, enum verb_id verb);
/* The keys of a configuration with the kinds of their values, as requests.c has its fields. */
extern const char REQUESTS_CONFIG[];
/* A configuration for init, of this path or, NULL, of any; and a request for shutdown. */
void requests_make_config(struct requests *requests, const char *path);
void requests_make_shutdown(struct requests *requests);

#endif
