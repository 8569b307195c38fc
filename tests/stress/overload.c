/* overload.c: many times more than the disk takes: memory stays bounded, who has to wait is told so, readers and dead
 * letters get on all the while, and everything that was accepted is stored.
 *
 *     overload [--seconds N] */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "race.h"

enum {
    STORERS = 8,
    SUBMITTERS = 4,
    READERS = 2,
    QUEUE_MAX = 4,
    SUBMIT_MAX = 32,
    PAYLOAD_SIZE = 4096,
    SECONDS = 5,
    /* What the store holds: the requests in progress, a few times over; caches of 4 MiB; the threads' stacks. That is
     * half of it, in a minute as in a moment: a few hundred bytes that each event leaves behind are found. */
    GROWTH_KIB_MAX = 16 * 1024,
    STILL_MS_MAX = 5000, /* the longest that nobody of a kind may get on */
    LATENCY_MS_MAX = 5000
};

/* How far the threads of one kind got, and how long they had to wait. */
struct kind {
    const char *name;
    atomic_llong done, busy, longest_us, longest_still_us;
    atomic_llong last_us;
};

static struct kind storers = {.name = "store"}, submitters = {.name = "submit"};
static struct kind readers = {.name = "query"}, letters = {.name = "dlq"};
static polaris_es *self;
static atomic_bool stop;
static atomic_llong accepted, ended, stored; /* submitted requests; events that were acknowledged */
static atomic_llong letters_put;
static char payload[PAYLOAD_SIZE + 1];

static long long now_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void raise_to(atomic_llong *highest, long long value) {
    long long before = atomic_load(highest);
    while (value > before && !atomic_compare_exchange_weak(highest, &before, value)) {
    }
}

static void got_on(struct kind *kind, long long began_us) {
    long long end_us = now_us();
    raise_to(&kind->longest_us, end_us - began_us);
    raise_to(&kind->longest_still_us, end_us - atomic_exchange(&kind->last_us, end_us));
    atomic_fetch_add(&kind->done, 1);
}

/* ---- load ---- */

/* Of the n-th request of a thread. Fresh keys show what is there twice. */
static uint8_t *pack_append(int thread, long long n, size_t *ret_size) {
    static const char FORMAT[] = "{\"op\":\"append\",\"event\":{\"type\":\"a\",\"key\":\"%d/%lld\","
                                 "\"data\":{\"p\":\"%s\"},\"stream\":\"s%d\",\"tags\":[\"t%d\"]}}";
    char *text = malloc(sizeof FORMAT + sizeof payload + 64);
    if (text == NULL) {
        abort();
    }
    (void)sprintf(text, FORMAT, thread, n, payload, thread, thread % 3);
    uint8_t *data = pack_text(text, ret_size);
    free(text);
    return data;
}

static int32_t drop(void *context, polaris_bytes piece) {
    (void)context;
    (void)piece;
    return 0;
}

static void *store_all_the_time(void *context) {
    int thread = *(const int *)context;
    const polaris_sink sink = {.size = sizeof sink, .write = drop};
    for (long long n = 0; !atomic_load(&stop); n++) {
        size_t size = 0;
        uint8_t *data = pack_append(thread, n, &size);
        for (int32_t status = POLARIS_ES_BUSY; status == POLARIS_ES_BUSY && !atomic_load(&stop);) {
            long long began_us = now_us();
            status = table->store(self, (polaris_bytes){data, size}, &sink);
            if (status == POLARIS_ES_OK) {
                got_on(&storers, began_us);
                atomic_fetch_add(&stored, 1);
            } else {
                EXPECT(status == POLARIS_ES_BUSY, "store: %d", status);
                atomic_fetch_add(&storers.busy, 1);
                (void)sched_yield();
            }
        }
        free(data);
    }
    return NULL;
}

struct submitted {
    long long began_us;
};

static void note_end(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct submitted *submitted = context;
    (void)reply;
    EXPECT(status == POLARIS_ES_OK, "request %llu ended with %d", (unsigned long long)ticket, status);
    atomic_fetch_add(&stored, status == POLARIS_ES_OK);
    got_on(&submitters, submitted->began_us);
    free(submitted);
    atomic_fetch_add(&ended, 1);
}

static void *submit_all_the_time(void *context) {
    int thread = *(const int *)context;
    for (long long n = 0; !atomic_load(&stop); n++) {
        size_t size = 0;
        uint8_t *data = pack_append(thread, n, &size);
        struct submitted *submitted = malloc(sizeof *submitted);
        if (submitted == NULL) {
            abort();
        }
        polaris_es_completion completion = {.size = sizeof completion, .context = submitted, .done = note_end};
        int32_t status = POLARIS_ES_BUSY;
        while (status == POLARIS_ES_BUSY && !atomic_load(&stop)) {
            submitted->began_us = now_us();
            status = table->submit(self, (polaris_bytes){data, size}, &completion, NULL);
            if (status == POLARIS_ES_BUSY) {
                atomic_fetch_add(&submitters.busy, 1);
                (void)sched_yield();
            }
        }
        EXPECT(status == POLARIS_ES_OK || status == POLARIS_ES_BUSY, "submit: %d", status);
        if (status == POLARIS_ES_OK) {
            atomic_fetch_add(&accepted, 1);
        } else {
            free(submitted);
        }
        free(data);
    }
    return NULL;
}

static void *read_all_the_time(void *context) {
    static const char *const QUERIES[] = {
        "{\"op\":\"events\",\"order\":\"desc\",\"limit\":5}", "{\"op\":\"head\"}", "{\"op\":\"tags\"}",
        "{\"op\":\"events\",\"filter\":{\"stream\":\"s1\"},\"order\":\"desc\",\"limit\":2}"};
    for (int i = 0; !atomic_load(&stop); i++) {
        long long began_us = now_us();
        json_decref(call(self, table->query, MAY(OK), "%s", QUERIES[i % 4]));
        got_on(&readers, began_us);
        (void)usleep(1000);
    }
    return context;
}

static void *work_on_letters(void *context) {
    for (long long i = 1; !atomic_load(&stop); i++) {
        long long began_us = now_us();
        json_t *reply = call(self, table->dlq, MAY(OK) | MAY(BUSY) | MAY(NOT_FOUND),
                             "{\"op\":\"put\",\"event_id\":%lld,\"delay_us\":0,\"error\":{\"message\":\"m\"}}", i);
        int64_t code = number(reply, "code");
        json_decref(reply);
        if (code == POLARIS_ES_OK) {
            got_on(&letters, began_us);
            atomic_fetch_add(&letters_put, 1);
        } else {
            atomic_fetch_add(&letters.busy, code == POLARIS_ES_BUSY);
            i--; /* once more */
            (void)usleep(500);
        }
    }
    return context;
}

/* ---- what holds ---- */

#ifdef SANITIZED /* of the process's memory most is the sanitizer's: what is allocated now must do */
size_t __sanitizer_get_current_allocated_bytes(void);

static long memory_kib(void) {
    return (long)(__sanitizer_get_current_allocated_bytes() / 1024);
}
#else
/* The most there ever was. */
static long memory_kib(void) {
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}
#endif

static void expect_progress(struct kind *kind, long long least) {
    raise_to(&kind->longest_still_us, now_us() - atomic_load(&kind->last_us));
    (void)printf("%-7s %8lld done, %8lld busy, slowest %lld ms, longest without any %lld ms\n", kind->name,
                 atomic_load(&kind->done), atomic_load(&kind->busy), atomic_load(&kind->longest_us) / 1000,
                 atomic_load(&kind->longest_still_us) / 1000);
    EXPECT(atomic_load(&kind->done) >= least, "%s: done %lld times only", kind->name, atomic_load(&kind->done));
    EXPECT(atomic_load(&kind->longest_still_us) < STILL_MS_MAX * 1000LL, "%s: stood still", kind->name);
    EXPECT(atomic_load(&kind->longest_us) < LATENCY_MS_MAX * 1000LL, "%s: one took too long", kind->name);
}

static int64_t count_of(const char *filter) {
    json_t *reply = call(self, table->query, MAY(OK), "{\"op\":\"count\",\"filter\":%s}", filter);
    int64_t count = number(reply, "count");
    json_decref(reply);
    return count;
}

static void overload(int seconds) {
    pthread_t threads[STORERS + SUBMITTERS + READERS + 1];
    int numbers[STORERS + SUBMITTERS];
    int count = 0;
    struct kind *const KINDS[] = {&storers, &submitters, &readers, &letters};
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        atomic_store(&KINDS[i]->last_us, now_us());
    }
    for (; count < STORERS + SUBMITTERS; count++) {
        numbers[count] = count;
        start(&threads[count], count < STORERS ? store_all_the_time : submit_all_the_time, &numbers[count]);
    }
    for (int i = 0; i < READERS; i++) {
        start(&threads[count++], read_all_the_time, NULL);
    }
    start(&threads[count++], work_on_letters, NULL);
    (void)sleep((unsigned)seconds);
    atomic_store(&stop, true);
    for (int i = 0; i < count; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

int main(int argc, char **argv) {
    int seconds = argc > 2 && strcmp(argv[1], "--seconds") == 0 ? (int)strtol(argv[2], NULL, 10) : SECONDS;
    char config[256];
    race_begin(); /* on a disk: memory would take it all */
    memset(payload, 'p', PAYLOAD_SIZE);
    (void)snprintf(config, sizeof config,
                   "{\"path\": \"overload.db\", \"queue_max\": %d, \"submit_max\": %d, \"readers\": %d}", QUEUE_MAX,
                   SUBMIT_MAX, READERS);
    self = must_open(NULL, config);
    long before_kib = memory_kib();
    overload(seconds > 0 ? seconds : SECONDS);
    long open_kib = memory_kib();
    must_close(self); /* ends all that was taken */
    long closed_kib = memory_kib();
    EXPECT(atomic_load(&ended) == atomic_load(&accepted), "%lld were taken, %lld ended", atomic_load(&accepted),
           atomic_load(&ended));
    expect_progress(&storers, 10);
    expect_progress(&submitters, 10);
    expect_progress(&readers, 10);
    expect_progress(&letters, 10);
    EXPECT(atomic_load(&storers.busy) > 0 && atomic_load(&submitters.busy) > 0, "nobody had to wait: no overload");
    long grown_kib = (open_kib > closed_kib ? open_kib : closed_kib) - before_kib;
    (void)printf("%ld KiB more than before, %lld events\n", grown_kib, atomic_load(&stored));
    EXPECT(grown_kib < GROWTH_KIB_MAX, "memory grew by %ld KiB", grown_kib);
    self = must_open(NULL, config);
    EXPECT(count_of("{}") == atomic_load(&stored), "%lld events are stored, %lld were acknowledged",
           (long long)count_of("{}"), atomic_load(&stored));
    json_t *reply = call(self, table->dlq, MAY(OK), "{\"op\":\"count\"}");
    EXPECT(number(reply, "total") == atomic_load(&letters_put), "%lld dead letters are kept of %lld",
           (long long)number(reply, "total"), atomic_load(&letters_put));
    json_decref(reply);
    must_close(self);
    return race_end();
}
