/* read.c: pages by each index, reading all there is, and reading while others write. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench/callers.h"
#include "bench/clock.h"
#include "bench/workload.h"

/* ---- pages ---- */

static void set_page_time(struct bench_turn *turn, int64_t elapsed_ns) {
    turn->events = turn->operations * PAGE_SIZE;
    turn->figure = (double)elapsed_ns / 1000 / (double)turn->operations;
}

bool page_plugin(struct bench_turn *turn, struct failure *failure) {
    CLEANUP(callers_done)
    struct callers callers = callers_make(turn->store->host, 1, turn->operations, turn->latency);
    callers.verb = HOST_QUERY;
    bool made = callers.requests != NULL;
    for (uint64_t i = 0; made && i < turn->operations; i++) {
        struct page_query query = page_query(turn->workload->page, i, turn->store->size);
        callers.requests[i] = request_page(&query);
        made = callers.requests[i].data != NULL;
    }
    int64_t elapsed_ns = 0;
    int32_t status = POLARIS_ES_OK;
    if (!made) {
        return failure_set(failure, "no memory for the requests");
    }
    if (!callers_run(&callers, &elapsed_ns, &status, failure)) {
        return false;
    }
    set_page_time(turn, elapsed_ns);
    return status == POLARIS_ES_OK || turn_fail(turn, "a query", status, failure);
}

bool page_bare(struct bench_turn *turn, struct failure *failure) {
    uint64_t sum = 0;
    int64_t elapsed_ns = 0;
    for (uint64_t i = 0; i < turn->operations; i++) {
        struct page_query query = page_query(turn->workload->page, i, turn->store->size);
        int64_t began_ns = monotonic_ns();
        if (!baseline_read(turn->store->reader, &query, baseline_touch, &sum, failure)) {
            return false;
        }
        int64_t took_ns = monotonic_ns() - began_ns;
        histogram_record(turn->latency, took_ns);
        elapsed_ns += took_ns;
    }
    set_page_time(turn, elapsed_ns);
    return sum > 0 || failure_set(failure, "the baseline read nothing");
}

/* ---- all forward ---- */

enum { ALL_PAGE_SIZE = 1000 }; /* the default of the op */

bool read_all(struct host *host, struct histogram *latency, uint64_t *ret_events, struct failure *failure) {
    CLEANUP(reply_done) struct reply reply = {0};
    uint64_t count = ALL_PAGE_SIZE;
    for (*ret_events = 0; count > 0; *ret_events += count) {
        polaris_bytes cursor = {0};
        bool goes_on = *ret_events > 0 && reply_text(&reply, "cursor", &cursor);
        CLEANUP(request_done)
        struct bench_request request = request_after(0, goes_on ? &cursor : NULL, ALL_PAGE_SIZE, 0);
        int64_t began_ns = monotonic_ns();
        if (request.data == NULL || (*ret_events > 0 && !goes_on)) {
            return failure_set(failure, "a page has no cursor, or there is no memory");
        }
        int32_t status = host_call(host, HOST_QUERY, request.data, request.size, &reply);
        histogram_record(latency, monotonic_ns() - began_ns);
        if (status != POLARIS_ES_OK || !reply_number(&reply, "count", &count)) {
            return failure_set(failure, "a query failed with status %d", (int)status);
        }
    }
    return true;
}

bool read_all_plugin(struct bench_turn *turn, struct failure *failure) {
    int64_t began_ns = monotonic_ns();
    uint64_t events = 0;
    if (!read_all(turn->store->host, turn->latency, &events, failure)) {
        return false;
    }
    turn_set_rate(turn, events, monotonic_ns() - began_ns);
    return events >= turn->store->size || failure_set(failure, "not all events were read");
}

struct count_and_sum {
    uint64_t sum, count;
};

static void count_row(void *context, const struct baseline_row *row) {
    struct count_and_sum *both = context;
    baseline_touch(&both->sum, row);
    both->count++;
}

bool read_all_bare(struct bench_turn *turn, struct failure *failure) {
    struct page_query all = {.kind = PAGE_ALL};
    struct count_and_sum both = {0};
    int64_t began_ns = monotonic_ns();
    if (!baseline_read(turn->store->reader, &all, count_row, &both, failure)) {
        return false;
    }
    turn_set_rate(turn, both.count, monotonic_ns() - began_ns);
    return both.sum > 0;
}

/* ---- readers beside writers ---- */

enum { MIXED_READERS = 4 };

/* A thread that reads pages by tag until it is told to stop; of the plugin, or over the baseline. */
struct mixed_reader {
    const struct bench_store *store;
    struct baseline_reader *bare; /* NULL: of the plugin */
    struct histogram *latency;
    atomic_bool *stopping;
    pthread_t thread;
    uint64_t pages;
    bool failed;
};

static bool read_one(struct mixed_reader *reader, struct reply *reply) {
    struct page_query query = page_query(PAGE_TAG, reader->pages, reader->store->size);
    uint64_t sum = 0;
    if (reader->bare != NULL) {
        struct failure ignored;
        return baseline_read(reader->bare, &query, baseline_touch, &sum, &ignored);
    }
    CLEANUP(request_done) struct bench_request request = request_page(&query);
    return request.data != NULL &&
           host_call(reader->store->host, HOST_QUERY, request.data, request.size, reply) == POLARIS_ES_OK;
}

static void *read_pages(void *argument) {
    struct mixed_reader *reader = argument;
    struct reply reply = {0};
    while (!reader->failed && !atomic_load(reader->stopping)) {
        int64_t began_ns = monotonic_ns();
        reader->failed = !read_one(reader, &reply);
        histogram_record(reader->latency, monotonic_ns() - began_ns);
        reader->pages++;
    }
    reply_done(&reply);
    return NULL;
}

static bool open_reader(struct mixed_reader *reader, bool is_plugin, struct failure *failure) {
    char path[1100];
    bench_path(reader->store->setup, FILE_BASELINE, path);
    if (!is_plugin && !baseline_reader_open(path, &reader->bare, failure)) {
        return false;
    }
    if (pthread_create(&reader->thread, NULL, read_pages, reader) != 0) {
        baseline_reader_freep(&reader->bare);
        return failure_set(failure, "the system gives no more threads");
    }
    return true;
}

static json_t *readers_json(const struct histogram *latency, uint64_t pages, int64_t elapsed_ns) {
    return json_pack(
        "{s: f, s: f, s: f, s: f}", "pages_per_s", (double)pages * 1e9 / (double)(elapsed_ns > 0 ? elapsed_ns : 1),
        "page_p50_us", (double)histogram_quantile(latency, 0.5) / 1000, "page_p99_us",
        (double)histogram_quantile(latency, 0.99) / 1000, "page_max_us", (double)histogram_max(latency) / 1000);
}

static bool mix(struct bench_turn *turn, bool is_plugin, struct failure *failure) {
    struct histogram *latency = calloc(1, sizeof *latency);
    struct mixed_reader readers[MIXED_READERS];
    atomic_bool stopping = false;
    uint32_t started = 0;
    uint64_t pages = 0;
    bool ok = latency != NULL || failure_set(failure, "no memory for the readers");
    int64_t began_ns = monotonic_ns();
    for (; ok && started < MIXED_READERS; started += ok) {
        readers[started] = (struct mixed_reader){.store = turn->store, .latency = latency, .stopping = &stopping};
        ok = open_reader(&readers[started], is_plugin, failure);
    }
    ok = ok && (is_plugin ? append_plugin : append_bare)(turn, failure);
    int64_t elapsed_ns = monotonic_ns() - began_ns;
    atomic_store(&stopping, true);
    for (uint32_t i = 0; i < started; i++) {
        (void)pthread_join(readers[i].thread, NULL);
        baseline_reader_freep(&readers[i].bare);
        pages += readers[i].pages;
        ok = (ok && !readers[i].failed) || (ok && failure_set(failure, "a reader failed"));
    }
    turn->details = ok ? readers_json(latency, pages, elapsed_ns) : NULL;
    free(latency);
    return ok;
}

bool mixed_plugin(struct bench_turn *turn, struct failure *failure) {
    return mix(turn, true, failure);
}

bool mixed_bare(struct bench_turn *turn, struct failure *failure) {
    return mix(turn, false, failure);
}
