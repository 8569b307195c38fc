/* swap_race.c: builds are swapped under appends and long polls from many threads; nothing is lost, doubled or refused.
 */
#include <message/message.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../host/load.h"

enum { SWAPS = 12, POLLERS = 2, APPENDS_BETWEEN = 40 };

static struct host *host;
static atomic_bool stop;
static atomic_int poll_failures;

/* Follows the store with long polls; sees each event once, in order, and all of them: it ends with an empty answer that
 * it asked for after the last append. */
static void *follow(void *argument) {
    int64_t *ret_seen = argument;
    int64_t after_id = 0;
    bool failed = false;
    bool ended = false;
    while (!failed && !ended) {
        bool stopping = atomic_load(&stop);
        char request[160];
        json_t *reply = NULL;
        (void)snprintf(request, sizeof request,
                       "{'op': 'events', 'filter': {'after_id': %lld}, 'limit': 50, 'wait_us': 500000}",
                       (long long)after_id);
        failed = load_call(host, HOST_QUERY, request, &reply) != POLARIS_ES_OK;
        const json_t *events = json_object_get(reply, "events");
        for (size_t i = 0; i < json_array_size(events); i++) {
            int64_t id = json_integer_value(json_object_get(json_array_get(events, i), "id"));
            failed = failed || id <= after_id;
            after_id = id;
            (*ret_seen)++;
        }
        ended = stopping && json_array_size(events) == 0;
        json_decref(reply);
    }
    atomic_fetch_add(&poll_failures, failed);
    return NULL;
}

static const char *swap_often(struct load *load, struct failure *failure) {
    for (int i = 0; i < SWAPS; i++) {
        struct swap_report report;
        load_await(load, APPENDS_BETWEEN);
        if (!host_swap(host, i % 2 == 0 ? PLUGIN_B : PLUGIN, &report, failure)) {
            return failure->message;
        }
    }
    load_await(load, APPENDS_BETWEEN);
    return NULL;
}

static void remove_store(const char *folder) {
    static const char *const NAMES[] = {"events.db", "events.db-wal", "events.db-shm", "events.db.owner"};
    char path[256];
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, NAMES[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

int main(void) {
    char folder[] = "/tmp/polaris-swap-XXXXXX";
    char path[64];
    struct failure failure = {""};
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    (void)snprintf(path, sizeof path, "%s/events.db", folder);
    host = load_open(PLUGIN, path, &failure);
    if (host == NULL) {
        (void)fprintf(stderr, "%s\n", failure.message);
        return 1;
    }
    static struct load load;
    pthread_t pollers[POLLERS];
    int64_t seen[POLLERS] = {0};
    load_start(&load, host);
    for (int i = 0; i < POLLERS; i++) {
        if (pthread_create(&pollers[i], NULL, follow, &seen[i]) != 0) {
            abort();
        }
    }

    const char *problem = swap_often(&load, &failure);
    const char *lost = load_stop(&load);
    atomic_store(&stop, true);
    for (int i = 0; i < POLLERS; i++) {
        (void)pthread_join(pollers[i], NULL);
    }
    uint64_t violations = host_violations(host);
    int64_t total = atomic_load(&load.total);
    host_close(host);
    load_done(&load);
    remove_store(folder);
    (void)printf("%d swaps, %lld appends, followers saw %lld and %lld, %d followers failed, %llu violations\n", SWAPS,
                 (long long)total, (long long)seen[0], (long long)seen[1], atomic_load(&poll_failures),
                 (unsigned long long)violations);
    if (problem != NULL || lost != NULL) {
        (void)fprintf(stderr, "%s\n", problem != NULL ? problem : lost);
    }
    bool all_seen = seen[0] == total && seen[1] == total;
    return problem != NULL || lost != NULL || !all_seen || violations != 0 || atomic_load(&poll_failures) != 0;
}
