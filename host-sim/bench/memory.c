/* memory.c: how much memory is resident when much is read or written: in a process of its own, whose peak the system
 * keeps, and which begins with the little that this one has. */
#include <malloc.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/probe.h"
#include "bench/request.h"
#include "bench/workload.h"
#include "owned.h"

/* What the process tells at its end. */
struct outcome {
    bool done;
    uint64_t events;
    uint64_t peak_kib;
    struct failure failure;
};

/* Does the work and counts the events. Opens what it needs: nothing is open when it is called. */
typedef bool (*child_work)(struct bench_turn *turn, uint64_t *ret_events, struct failure *failure);

static bool read_outcome(int in, struct outcome *ret_outcome) {
    size_t have = 0;
    ssize_t got = 1;
    while (have < sizeof *ret_outcome && got > 0) {
        got = read(in, (uint8_t *)ret_outcome + have, sizeof *ret_outcome - have);
        have += got > 0 ? (size_t)got : 0;
    }
    return have == sizeof *ret_outcome;
}

/* The process never returns: nothing that it has of its parent is closed twice. */
static _Noreturn void be_child(struct bench_turn *turn, child_work work, int out) {
    struct outcome outcome = {0};
    outcome.done = work(turn, &outcome.events, &outcome.failure);
    outcome.peak_kib = probe_resident_peak_kib();
    _exit(write(out, &outcome, sizeof outcome) == (ssize_t)sizeof outcome ? 0 : 1);
}

static bool run_child(struct bench_turn *turn, child_work work, struct outcome *ret_outcome, struct failure *failure) {
    int ends[2];
    if (pipe(ends) != 0) {
        return failure_set(failure, "no pipe to another process");
    }
    CLEANUP(fd_closep) int in = ends[0];
    CLEANUP(fd_closep) int out = ends[1];
    (void)fflush(NULL); /* what is buffered is this process's to write */
    (void)malloc_trim(0);
    pid_t child = fork();
    if (child == 0) {
        be_child(turn, work, out);
    }
    (void)close(out);
    out = -1;
    bool told = child > 0 && read_outcome(in, ret_outcome);
    int status = 0;
    if (child > 0) {
        (void)waitpid(child, &status, 0);
    }
    if (!told) {
        return failure_set(failure, "the process that was to be measured ended with %#x", (unsigned)status);
    }
    *failure = ret_outcome->failure;
    return ret_outcome->done;
}

static double seconds_of(const struct bench_turn *turn) {
    return (double)turn->operations / 1000;
}

/* SQLite must not be open on both sides of a fork. */
static bool measure_memory(struct bench_turn *turn, child_work work, bool in_seconds, struct failure *failure) {
    struct bench_store *store = turn->store;
    struct outcome outcome = {0};
    char path[1100];
    bench_path(store->setup, FILE_BASELINE, path);
    bench_store_close(store);
    bool ok = run_child(turn, work, &outcome, failure);
    if (ok) {
        turn->events = outcome.events;
        turn->resident_kib = outcome.peak_kib;
        turn->figure = (double)outcome.peak_kib / 1024;
        turn->details = in_seconds ? json_pack("{s: f}", "seconds", seconds_of(turn)) : NULL;
    }
    return bench_store_open_plugin(store, ok ? failure : &(struct failure){0}) &&
           baseline_open(path, &store->baseline, ok ? failure : &(struct failure){0}) &&
           baseline_reader_open(path, &store->reader, ok ? failure : &(struct failure){0}) && ok;
}

/* ---- replaying ---- */

static bool replay_plugin(struct bench_turn *turn, uint64_t *ret_events, struct failure *failure) {
    struct host *host = NULL;
    if (!bench_host_open(turn->store->setup, &host, failure)) {
        return false;
    }
    bool ok = read_all(host, turn->latency, ret_events, failure);
    host_close(host);
    return ok;
}

static void count_row(void *context, const struct baseline_row *row) {
    uint64_t sum = 0;
    baseline_touch(&sum, row);
    ++*(uint64_t *)context;
}

static bool replay_bare(struct bench_turn *turn, uint64_t *ret_events, struct failure *failure) {
    static const struct page_query ALL = {.kind = PAGE_ALL};
    CLEANUP(baseline_reader_freep) struct baseline_reader *reader = NULL;
    char path[1100];
    bench_path(turn->store->setup, FILE_BASELINE, path);
    return baseline_reader_open(path, &reader, failure) && baseline_read(reader, &ALL, count_row, ret_events, failure);
}

bool memory_replay_plugin(struct bench_turn *turn, struct failure *failure) {
    return measure_memory(turn, replay_plugin, false, failure);
}

bool memory_replay_bare(struct bench_turn *turn, struct failure *failure) {
    return measure_memory(turn, replay_bare, false, failure);
}

/* ---- appending for a time ---- */

static int64_t end_of(const struct bench_turn *turn) {
    return bench_now_ns() + (int64_t)turn->operations * 1000000;
}

static bool write_plugin(struct bench_turn *turn, uint64_t *ret_events, struct failure *failure) {
    struct request_events events = {.body = turn->store->body, .count = turn->workload->per_request};
    struct host *host = NULL;
    int32_t status = POLARIS_ES_OK;
    if (!bench_host_open(turn->store->setup, &host, failure)) {
        return false;
    }
    CLEANUP(reply_done) struct reply reply = {0};
    for (int64_t end_ns = end_of(turn); status == POLARIS_ES_OK && bench_now_ns() < end_ns;
         *ret_events += events.count) {
        CLEANUP(request_done)
        struct bench_request request = request_append(turn->store->size + 1 + *ret_events, &events);
        status = request.data != NULL ? host_call(host, HOST_STORE, request.data, request.size, &reply)
                                      : POLARIS_ES_NO_MEMORY;
    }
    host_close(host);
    return status == POLARIS_ES_OK || failure_set(failure, "an append failed with status %d", (int)status);
}

static bool write_bare(struct bench_turn *turn, uint64_t *ret_events, struct failure *failure) {
    CLEANUP(baseline_freep) struct baseline *baseline = NULL;
    char path[1100];
    bench_path(turn->store->setup, FILE_BASELINE, path);
    bool ok = baseline_open(path, &baseline, failure);
    for (int64_t end_ns = end_of(turn); ok && bench_now_ns() < end_ns;) {
        struct baseline_load load = {.first = turn->store->size + 1 + *ret_events,
                                     .count = turn->workload->per_request,
                                     .per_commit = turn->workload->per_request,
                                     .body = turn->store->body};
        ok = baseline_append(baseline, &load, failure);
        *ret_events += load.count;
    }
    return ok;
}

bool memory_append_plugin(struct bench_turn *turn, struct failure *failure) {
    return measure_memory(turn, write_plugin, true, failure);
}

/* The baseline's memory is what it is after a tenth of the time. */
bool memory_append_bare(struct bench_turn *turn, struct failure *failure) {
    turn->operations /= 10;
    return measure_memory(turn, write_bare, true, failure);
}
