/* validation.h: how fast payloads are validated, as the plugin measures itself, beside msgpack-c's unpack of the same
 * bytes in the same run. */
#ifndef POLARIS_HOST_VALIDATION_H
#define POLARIS_HOST_VALIDATION_H

#include <jansson.h>
#include <stdint.h>

#include "bench/series.h"
#include "host/host.h"

enum { VALIDATION_CASE_COUNT = 5 };

struct validation_case {
    const char *name;
    const char *schema;       /* JSON text */
    json_t *(*payload)(void); /* the same at each call; a new reference, NULL: no memory */
};
extern const struct validation_case VALIDATION_CASES[VALIDATION_CASE_COUNT];

/* What was measured of one case. */
struct validation_figures {
    size_t size;                                       /* bytes of the payload */
    struct bench_series tape_ns, evaluate_ns, both_ns; /* of one payload, through the plugin */
    struct bench_series unpack_ns;                     /* by msgpack-c */
    struct bench_series ratio;                         /* both_ns to unpack_ns, run by run */
};

/* One run, in which the plugin and msgpack-c take turns, until each has seen `bytes` of payload; its figures are those
 * of the fastest turn of each: the work is the same every time, and what else the machine does only ever adds to it.
 * False: the plugin answered an error, or the payload is not valid. */
bool validation_measure(struct host *host, const struct validation_case *which, uint64_t bytes,
                        struct validation_figures *figures, struct failure *failure)
    __attribute__((warn_unused_result));

#endif
