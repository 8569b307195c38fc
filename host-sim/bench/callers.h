/* callers.h: threads that call the plugin, each its own requests, all at once. */
#ifndef POLARIS_BENCH_CALLERS_H
#define POLARIS_BENCH_CALLERS_H

#include "bench/histogram.h"
#include "bench/request.h"

enum { CALLERS_MAX = 256 };

/* The requests of all callers, made before the clock starts: caller i has per_caller of them from i * per_caller on. */
struct callers {
    struct host *host;
    enum host_verb verb;
    uint32_t count;
    uint64_t per_caller;
    struct bench_request *requests; /* count * per_caller; owned */
    struct histogram *latency;
};
/* NULL requests: no memory. */
struct callers callers_make(struct host *host, uint32_t count, uint64_t per_caller, struct histogram *latency);
void callers_done(struct callers *callers);

/* Each sends its requests one after the other. *ret_status is that of the first call that failed, or OK. A single
 * caller is this thread. False: the system gives no more threads. */
bool callers_run(const struct callers *callers, int64_t *ret_elapsed_ns, int32_t *ret_status,
                 struct failure *failure) WARN_UNUSED;

#endif
