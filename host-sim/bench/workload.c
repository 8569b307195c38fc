/* workload.c: the table of workloads. */
#include "bench/workload.h"

#include <string.h>

#define APPENDS(threads_, per_request_, operations_, quick_)                                                           \
    .unit = "events/s", .writes = true, .plugin = append_plugin, .reference = append_bare, .threads = (threads_),      \
    .bare_part = (threads_) > 1 ? 8 : 1, .per_request = (per_request_), .operations = (operations_),                   \
    .operations_quick = (quick_)

#define PAGES(kind_)                                                                                                   \
    .unit = "us/page", .lower_is_better = true, .page = (kind_), .plugin = page_plugin, .reference = page_bare,        \
    .operations = 1000, .operations_quick = 50

/* Memory comes first, while the process is small, and what changes the stores last. */
/* clang-format off */
const struct bench_workload BENCH_WORKLOADS[] = {
    {.name = "memory_replay", .title = "resident memory, reading all forward", .unit = "MiB", .lower_is_better = true,
     .cold = true, .plugin = memory_replay_plugin, .reference = memory_replay_bare,
     .operations = 1, .operations_quick = 1},
    {.name = "memory_append", .title = "resident memory, appending a minute", .unit = "MiB", .lower_is_better = true,
     .cold = true, .once = true, .writes = true, .plugin = memory_append_plugin, .reference = memory_append_bare,
     .per_request = 1000, .operations = 60000, .operations_quick = 200},
    {.name = "open", .title = "open the store", .unit = "ms", .lower_is_better = true,
     .plugin = open_plugin, .reference = open_bare, .operations = 20, .operations_quick = 3},
    {.name = "idle", .title = "wake-ups of a store that nobody calls", .unit = "per s", .lower_is_better = true,
     .cold = true, .once = true, .plugin = idle_plugin, .operations = 1, .operations_quick = 1},
    {.name = "page_type_time", .title = "page of 100 by type and time", PAGES(PAGE_TYPE_TIME)},
    {.name = "page_stream", .title = "page of 100 by stream", PAGES(PAGE_STREAM)},
    {.name = "page_tag", .title = "page of 100 by tag", PAGES(PAGE_TAG)},
    {.name = "page_batch", .title = "page of 100 by batch", PAGES(PAGE_BATCH)},
    {.name = "read_all", .title = "read all forward", .unit = "events/s",
     .plugin = read_all_plugin, .reference = read_all_bare, .operations = 1, .operations_quick = 1},
    {.name = "append_1", .title = "single append, one caller", APPENDS(1, 1, 1000, 50)},
    {.name = "append_threads_4", .title = "single append, 4 threads", APPENDS(4, 1, 2048, 128)},
    {.name = "append_threads_16", .title = "single append, 16 threads", APPENDS(16, 1, 4096, 256)},
    {.name = "append_threads_64", .title = "single append, 64 threads", APPENDS(64, 1, 8192, 256)},
    {.name = "append_threads_256", .title = "single append, 256 threads", APPENDS(256, 1, 8192, 512)},
    {.name = "submit_1024", .title = "submit, 1,024 in flight, one thread", .unit = "events/s", .writes = true,
     .threads = 1, .per_request = 1, .bare_part = 64, .plugin = submit_plugin, .reference = append_bare,
     .operations = 32768, .operations_quick = 2048},
    {.name = "append_1000", .title = "1,000 events per request", APPENDS(1, 1000, 20000, 2000)},
    {.name = "append_schema", .title = "1,000 per request, with a schema", .unit = "events/s", .writes = true,
     .threads = 1, .per_request = 1000, .prepare = append_put_schema, .plugin = append_checked,
     .reference = append_plugin, .reference_name = "plugin, no schema", .operations = 20000, .operations_quick = 2000},
    {.name = "mixed", .title = "8 writers and 4 readers", .unit = "events/s", .writes = true, .threads = 8,
     .per_request = 1, .bare_part = 8, .plugin = mixed_plugin, .reference = mixed_bare, .operations = 2048, .operations_quick = 128},
    {.name = "live_lag", .title = "replay to live: lag", .unit = "us", .lower_is_better = true, .writes = true,
     .plugin = live_plugin, .operations = 1000, .operations_quick = 50},
    {.name = "dead_letters", .title = "dead letter: put, claim, resolve", .unit = "cycles/s", .writes = true,
     .plugin = letters_plugin, .reference = letters_bare, .operations = 300, .operations_quick = 15},
    {.name = "swap", .title = "calls during a swap, 64 callers: p99", .unit = "ms", .lower_is_better = true,
     .once = true, .cold = true, .writes = true, .threads = 64, .plugin = swap_plugin, .operations = 5,
     .operations_quick = 2},
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
