/* memory.c: how much memory is resident when much is read or written: the peak that the system keeps of a process of
 * its own. */
#include "bench/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/probe.h"
#include "bench/request.h"
#include "bench/workload.h"
#include "owned.h"

/* What a process is to do, without what only its parent has. */
enum memory_work { REPLAY_PLUGIN, REPLAY_BARE, WRITE_PLUGIN, WRITE_BARE, MEMORY_WORKS };
struct task {
    enum memory_work work;
    uint64_t size; /* of the store */
    uint32_t body, per_request;
    int64_t milliseconds; /* to write for */
};

/* What it tells at its end. */
struct outcome {
    bool done;
    uint64_t events;
    uint64_t peak_kib;
    struct failure failure;
};

/* ---- the work: nothing is open when it begins ---- */

static bool replay_plugin(const struct bench_setup *setup, const struct task *task, uint64_t *ret_events,
                          struct failure *failure) {
    (void)task;
    struct host *host = NULL;
    CLEANUP(freep) struct histogram *ignored = calloc(1, sizeof *ignored);
    if (ignored == NULL || !bench_host_open(setup, &host, failure)) {
        return false;
    }
    bool ok = read_all(host, ignored, ret_events, failure);
    host_close(host);
    return ok;
}

static void count_row(void *context, const struct baseline_row *row) {
    uint64_t sum = 0;
    baseline_touch(&sum, row);
    ++*(uint64_t *)context;
}

static bool replay_bare(const struct bench_setup *setup, const struct task *task, uint64_t *ret_events,
                        struct failure *failure) {
    (void)task;
    static const struct page_query ALL = {.kind = PAGE_ALL};
    CLEANUP(baseline_reader_freep) struct baseline_reader *reader = NULL;
    char path[1100];
    bench_path(setup, FILE_BASELINE, path);
    return baseline_reader_open(path, &reader, failure) && baseline_read(reader, &ALL, count_row, ret_events, failure);
}

static bool write_plugin(const struct bench_setup *setup, const struct task *task, uint64_t *ret_events,
                         struct failure *failure) {
    struct request_events events = {.body = task->body, .count = task->per_request};
    struct host *host = NULL;
    int32_t status = POLARIS_ES_OK;
    if (!bench_host_open(setup, &host, failure)) {
        return false;
    }
    CLEANUP(reply_done) struct reply reply = {0};
    int64_t end_ns = monotonic_ns() + task->milliseconds * 1000000;
    for (; status == POLARIS_ES_OK && monotonic_ns() < end_ns; *ret_events += events.count) {
        CLEANUP(request_done) struct bench_request request = request_append(task->size + 1 + *ret_events, &events);
        status = request.data != NULL ? host_call(host, HOST_STORE, request.data, request.size, &reply)
                                      : POLARIS_ES_NO_MEMORY;
    }
    host_close(host);
    return status == POLARIS_ES_OK || failure_set(failure, "an append failed with status %d", (int)status);
}

static bool write_bare(const struct bench_setup *setup, const struct task *task, uint64_t *ret_events,
                       struct failure *failure) {
    CLEANUP(baseline_freep) struct baseline *baseline = NULL;
    char path[1100];
    bench_path(setup, FILE_BASELINE, path);
    bool ok = baseline_open(path, &baseline, failure);
    for (int64_t end_ns = monotonic_ns() + task->milliseconds * 1000000; ok && monotonic_ns() < end_ns;) {
        struct baseline_load load = {.first = task->size + 1 + *ret_events,
                                     .count = task->per_request,
                                     .per_commit = task->per_request,
                                     .body = task->body};
        ok = baseline_append(baseline, &load, failure);
        *ret_events += load.count;
    }
    return ok;
}

typedef bool (*work_function)(const struct bench_setup *setup, const struct task *task, uint64_t *ret_events,
                              struct failure *failure);
static const work_function WORKS[MEMORY_WORKS] = {replay_plugin, replay_bare, write_plugin, write_bare};

/* ---- the process ---- */

static bool read_whole(int in, void *data, size_t size) {
    size_t have = 0;
    ssize_t got = 1;
    while (have < size && got > 0) {
        got = read(in, (uint8_t *)data + have, size - have);
        have += got > 0 ? (size_t)got : 0;
    }
    return have == size;
}

static bool write_whole(int out, const void *data, size_t size) {
    return write(out, data, size) == (ssize_t)size; /* less than a pipe takes at once */
}

/* Does one task in a fork of its own. */
static void do_task(const struct bench_setup *setup, const struct task *task, int outcomes) {
    pid_t worker = fork();
    if (worker == 0) {
        struct outcome outcome = {0};
        outcome.done = WORKS[task->work](setup, task, &outcome.events, &outcome.failure);
        outcome.peak_kib = probe_resident_peak_kib();
        _exit(write_whole(outcomes, &outcome, sizeof outcome) ? 0 : 1);
    }
    int status = 0;
    bool ended = worker > 0 && waitpid(worker, &status, 0) == worker;
    if (!ended || status != 0) {
        struct outcome outcome = {0};
        (void)failure_set(&outcome.failure, "the process that was to be measured ended with %#x", (unsigned)status);
        (void)write_whole(outcomes, &outcome, sizeof outcome);
    }
}

bool memory_start(const struct bench_setup *setup, struct memory_process *ret_process, struct failure *failure) {
    int requests[2] = {-1, -1};
    int outcomes[2] = {-1, -1};
    if (pipe(requests) != 0 || pipe(outcomes) != 0) {
        return failure_set(failure, "no pipe to another process");
    }
    (void)fflush(NULL); /* what is buffered is this process's to write */
    pid_t id = fork();
    if (id == 0) {
        struct task task;
        (void)close(requests[1]); /* so that its end is seen when the parent is gone */
        while (read_whole(requests[0], &task, sizeof task)) {
            do_task(setup, &task, outcomes[1]);
        }
        _exit(0);
    }
    (void)close(requests[0]);
    (void)close(outcomes[1]);
    *ret_process = (struct memory_process){.id = id, .requests = requests[1], .outcomes = outcomes[0]};
    return id > 0 || failure_set(failure, "the system gives no more processes");
}

void memory_stop(struct memory_process *process) {
    if (process->id > 0) {
        (void)close(process->requests);
        (void)close(process->outcomes);
        (void)waitpid(process->id, NULL, 0);
    }
}

/* ---- the turns ---- */

/* The stores are closed meanwhile: they have one writer. */
static bool measure_memory(struct bench_turn *turn, enum memory_work work, int64_t milliseconds,
                           struct failure *failure) {
    struct bench_store *store = turn->store;
    const struct memory_process *process = store->setup->memory;
    struct task task = {.work = work,
                        .size = store->size,
                        .body = store->body,
                        .per_request = turn->workload->per_request,
                        .milliseconds = milliseconds};
    struct outcome outcome = {0};
    bench_store_close(store);
    if (process == NULL || !write_whole(process->requests, &task, sizeof task) ||
        !read_whole(process->outcomes, &outcome, sizeof outcome)) {
        return failure_set(failure, "there is no process to measure memory in");
    }
    if (!outcome.done) {
        *failure = outcome.failure;
        return false;
    }
    turn->events = outcome.events;
    turn->resident_kib = outcome.peak_kib;
    turn->figure = (double)outcome.peak_kib / 1024;
    turn->details = milliseconds > 0 ? json_pack("{s: f}", "seconds", (double)milliseconds / 1000) : NULL;
    return bench_store_reopen(store, failure);
}

bool memory_replay_plugin(struct bench_turn *turn, struct failure *failure) {
    return measure_memory(turn, REPLAY_PLUGIN, 0, failure);
}

bool memory_replay_bare(struct bench_turn *turn, struct failure *failure) {
    return measure_memory(turn, REPLAY_BARE, 0, failure);
}

bool memory_append_plugin(struct bench_turn *turn, struct failure *failure) {
    return measure_memory(turn, WRITE_PLUGIN, (int64_t)turn->operations, failure);
}

/* The baseline's memory is what it is after a tenth of the time. */
bool memory_append_bare(struct bench_turn *turn, struct failure *failure) {
    return measure_memory(turn, WRITE_BARE, (int64_t)turn->operations / 10, failure);
}
