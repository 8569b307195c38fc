/* workload.c: the table of workloads. */
#include "bench/workload.h"

#include <string.h>

#define APPENDS(threads_, per_request_, operations_, quick_)                                                           \
    .unit = "events/s", .writes = true, .plugin = append_plugin, .reference = append_bare, .threads = (threads_),      \
    .per_request = (per_request_), .operations = (operations_), .operations_quick = (quick_)

/* clang-format off */
const struct bench_workload BENCH_WORKLOADS[] = {
    {.name = "append_1", .title = "single append, one caller", APPENDS(1, 1, 1000, 50)},
    {.name = "append_1000", .title = "1,000 events per request", APPENDS(1, 1000, 20000, 2000)},
    {.name = "append_threads_4", .title = "single append, 4 threads", APPENDS(4, 1, 2048, 128)},
    {.name = "append_threads_16", .title = "single append, 16 threads", APPENDS(16, 1, 4096, 256)},
    {.name = "append_threads_64", .title = "single append, 64 threads", APPENDS(64, 1, 8192, 256)},
    {.name = "append_threads_256", .title = "single append, 256 threads", APPENDS(256, 1, 8192, 512)},
    {.name = "append_schema",
     .title = "1,000 per request, with a schema",
     .unit = "events/s",
     .writes = true,
     .threads = 1,
     .per_request = 1000,
     .operations = 20000,
     .operations_quick = 2000,
     .prepare = append_put_schema,
     .plugin = append_checked,
     .reference = append_plugin,
     .reference_name = "plugin, no schema"},
};
/* clang-format on */
const size_t BENCH_WORKLOAD_COUNT = sizeof BENCH_WORKLOADS / sizeof BENCH_WORKLOADS[0];

const struct bench_workload *bench_workload_find(const char *name) {
    for (size_t i = 0; i < BENCH_WORKLOAD_COUNT; i++) {
        if (strcmp(BENCH_WORKLOADS[i].name, name) == 0) {
            return &BENCH_WORKLOADS[i];
        }
    }
    return NULL;
}

void turn_set_rate(struct bench_turn *turn, uint64_t events, int64_t elapsed_ns) {
    turn->events = events;
    turn->figure = (double)events * 1e9 / (double)(elapsed_ns > 0 ? elapsed_ns : 1);
}

bool turn_fail(struct bench_turn *turn, const char *what, int32_t status, struct failure *failure) {
    turn->unsupported = status == POLARIS_ES_UNSUPPORTED;
    return failure_set(failure, "%s failed with status %d", what, (int)status);
}
