/* script.c: making and playing scripts. */
#include "script.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "store_dump.h"
#include "torture/disk.h"

const char *script_config(const struct script *script, const char *durability) {
    static char config[256];
    static const int PAGE_SIZES[] = {4096, 1024, 512, 4096};
    snprintf(config, sizeof config,
             "{'durability': '%s', 'page_size': %d, 'checkpoint_pages': 100, 'cache_kib': 64, 'lease_us': 5000000,"
             " 'busy_timeout_ms': 1000}",
             durability, PAGE_SIZES[script->seed % 4]);
    return config;
}

/* ---- making ---- */

static int32_t call(struct es *es, const struct request *request) {
    return es_call_bytes(es, request->verb, request->data, request->size);
}

bool script_shut_down(struct es *es, bool keep_log) {
    int64_t failed_syncs = disk_failed_syncs();
    size_t size = 0;
    void *request = es_pack(keep_log ? "{'keep_log': true}" : "{}", &size);
    if (es->self != NULL) {
        (void)es->table->shutdown(es->self, (polaris_bytes){request, size}, NULL);
        es->self = NULL;
    }
    free(request);
    return !disk_is_cut() && disk_failed_syncs() == failed_syncs;
}

/* Of those that are submitted together the clock does not move: they may be committed together. */
static int64_t time_of(const struct script *script, int number) {
    bool is_submitted = script->requests[number].how == HOW_SUBMIT;
    if (is_submitted && number > 0 && script->requests[number - 1].how == HOW_SUBMIT) {
        return script->requests[number - 1].now_us;
    }
    return ES_START_US + (int64_t)number * ES_SECOND_US;
}

static void make_request(struct script *script, int number, struct generator *generator, struct es *es) {
    struct request *request = &script->requests[number];
    generate(generator);
    request->how = generator->how;
    request->now_us = time_of(script, number);
    atomic_store(&es->now_us, request->now_us);
    if (request->how == HOW_REOPEN || request->how == HOW_REOPEN_WITH_LOG) {
        request->text = strdup("reopen");
        (void)script_shut_down(es, request->how == HOW_REOPEN_WITH_LOG);
        cr_assert_eq(es_init(es, script_config(script, "full")), POLARIS_ES_OK);
        return;
    }
    request->verb = generator->verb;
    request->text = strdup(generator->text);
    request->data = es_pack(generator->text, &request->size);
    request->status = call(es, request);
    cr_assert(request->status == POLARIS_ES_OK || request->status == POLARIS_ES_CONFLICT ||
                  request->status == POLARIS_ES_NOT_FOUND || request->status == POLARIS_ES_ALREADY ||
                  request->status == POLARIS_ES_CLOSED,
              "%s: %s", request->text, es_text(es->reply, "message"));
    generate_note(generator, es->reply);
}

void script_make(struct script *script, uint64_t seed, struct es *es) {
    char problem[PROBLEM_SIZE];
    struct generator *generator = calloc(1, sizeof *generator);
    cr_assert_not_null(generator);
    *script = (struct script){.seed = seed};
    generator->random = seed;
    disk_begin(DISK_SYNCS_ALL);
    atomic_store(&es->now_us, ES_START_US);
    cr_assert_eq(es_init(es, script_config(script, "full")), POLARIS_ES_OK);
    for (int i = 0; i <= SCRIPT_REQUESTS; i++) {
        script->states[i] = store_dump(es->path, problem);
        cr_assert_not_null(script->states[i], "%s", problem);
        script->last_ids[i] = generator->last_id;
        cr_assert(store_is_sound(es->path, problem), "script %llu, request %d: %s", (unsigned long long)seed, i,
                  problem);
        if (i < SCRIPT_REQUESTS) {
            make_request(script, i, generator, es);
        }
    }
    (void)script_shut_down(es, false);
    script->changes = disk_changes();
    disk_end();
    free(generator);
}

void script_done(struct script *script) {
    for (int i = 0; i <= SCRIPT_REQUESTS; i++) {
        free(script->states[i]);
    }
    for (int i = 0; i < SCRIPT_REQUESTS; i++) {
        free(script->requests[i].data);
        free(script->requests[i].text);
    }
}

/* ---- playing ---- */

/* What is told of those that were submitted together. */
struct ends {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    const struct request *requests;
    int count;
    int good;       /* the first ones that ended as they should */
    int32_t status; /* of the first that did not */
};

static void on_end(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct ends *ends = context;
    (void)ticket;
    (void)reply;
    pthread_mutex_lock(&ends->mutex);
    if (status != ends->requests[ends->count].status && ends->status == POLARIS_ES_OK) {
        ends->status = status != POLARIS_ES_OK ? status : POLARIS_ES_INTERNAL;
    }
    ends->count++;
    ends->good += ends->status == POLARIS_ES_OK;
    pthread_cond_signal(&ends->moved);
    pthread_mutex_unlock(&ends->mutex);
}

/* Returns how many there were. */
static int submit_all(const struct script *script, int first, struct es *es, struct progress *progress) {
    struct ends ends = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, &script->requests[first], 0, 0, 0};
    const polaris_es_completion completion = {.size = sizeof completion, .context = &ends, .done = on_end};
    int count = 0;
    int taken = 0;
    int32_t status = POLARIS_ES_OK;
    while (first + count < SCRIPT_REQUESTS && script->requests[first + count].how == HOW_SUBMIT) {
        const struct request *request = &script->requests[first + count];
        if (status == POLARIS_ES_OK) {
            status = es->table->submit(es->self, (polaris_bytes){request->data, request->size}, &completion, NULL);
            taken += status == POLARIS_ES_OK;
        }
        count++;
    }
    pthread_mutex_lock(&ends.mutex);
    while (ends.count < taken) {
        pthread_cond_wait(&ends.moved, &ends.mutex);
    }
    pthread_mutex_unlock(&ends.mutex);
    progress->begun = first + count;
    progress->acknowledged = first + ends.good;
    progress->status = ends.status != POLARIS_ES_OK ? ends.status : status;
    return count;
}

static bool may_try_again(int32_t status, int tries, const struct play *play) {
    return status == POLARIS_ES_IO && tries < play->tries && !disk_is_cut();
}

static void play_call(const struct request *request, int number, struct es *es, const struct play *play,
                      struct progress *progress) {
    int tries = 0;
    int32_t status = POLARIS_ES_OK;
    do {
        status = call(es, request);
    } while (status != request->status && may_try_again(status, ++tries, play));
    progress->begun = number + 1;
    if (status == request->status) {
        progress->acknowledged = number + 1;
    } else {
        progress->status = status != POLARIS_ES_OK ? status : POLARIS_ES_INTERNAL;
    }
}

static void play_reopen(const struct script *script, int number, struct es *es, const struct play *play,
                        struct progress *progress) {
    int tries = 0;
    progress->settled =
        script_shut_down(es, script->requests[number].how == HOW_REOPEN_WITH_LOG) ? number + 1 : progress->settled;
    progress->begun = progress->acknowledged = number + 1;
    do {
        progress->status = es_init(es, script_config(script, play->durability));
    } while (may_try_again(progress->status, ++tries, play));
}

void script_play(const struct script *script, struct es *es, const struct play *play, struct progress *progress) {
    progress->status = POLARIS_ES_OK;
    for (int i = progress->begun; i < SCRIPT_REQUESTS && progress->status == POLARIS_ES_OK;) {
        const struct request *request = &script->requests[i];
        atomic_store(&es->now_us, request->now_us);
        if (request->how == HOW_SUBMIT && play->tries == 1) {
            i += submit_all(script, i, es, progress);
        } else if (request->how == HOW_CALL || request->how == HOW_SUBMIT) {
            play_call(request, i++, es, play, progress);
        } else {
            play_reopen(script, i++, es, play, progress);
        }
    }
}
