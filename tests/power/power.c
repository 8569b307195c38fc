/* power.c: the power is cut at every moment of a script, and what was acknowledged is there when it is back.
 *
 * A trial is up to three stretches of a script, each ended by a cut, and cuts while the store recovers. Its number
 * alone determines it, as far as threads allow: POLARIS_POWER_FIRST and POLARIS_POWER_TRIALS (in the environment) say
 * which ones are made instead of the usual; with --verbose it is told how many cuts they had. */
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "script.h"
#include "store_dump.h"
#include "torture/disk.h"
#include "torture/random.h"

/* Under the sanitizers, which are some ten times slower, a tenth of the trials is made, of one script: the release
 * build does the rest. */
#ifdef __SANITIZE_ADDRESS__
enum { TRIALS_PART = 10, SCRIPTS = 1 };
#else
enum { TRIALS_PART = 1, SCRIPTS = 4 };
#endif
enum { FINDING_SIZE = 2 * PROBLEM_SIZE, RECOVERY_CUTS_MAX = 2, RECOVERY_CHANGES_MAX = 40, ROUNDS_MAX = 3 };

/* ---- one cut ---- */

struct trial {
    const struct script *script;
    struct play play;
    enum disk_syncs syncs;
    uint32_t failing_syncs; /* one in so many */
    uint64_t random;
    struct es *es;
    char store_id[64]; /* of the store that was acknowledged, or empty */
    int round;
    int cuts;                   /* that were made */
    char finding[FINDING_SIZE]; /* empty: nothing was found */
};

__attribute__((format(printf, 2, 3))) static bool found(struct trial *trial, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int size = snprintf(trial->finding, sizeof trial->finding, "round %d: ", trial->round);
    vsnprintf(trial->finding + size, sizeof trial->finding - (size_t)size, format, args);
    va_end(args);
    return false;
}

static bool is_full(const struct trial *trial) {
    return strcmp(trial->play.durability, "full") == 0;
}

static int32_t start(struct trial *trial) {
    return es_init(trial->es, script_config(trial->script, trial->play.durability));
}

static void note_store_id(const json_t *reply, char id[64]) {
    char *text = json_dumps(json_object_get(reply, "store_id"), JSON_ENCODE_ANY);
    snprintf(id, 64, "%s", text);
    free(text);
}

/* If it is not cut yet. */
static void cut(struct trial *trial) {
    disk_cut();
    disk_restore(random_next(&trial->random));
    trial->cuts++;
}

/* Plays until the power is gone, which it is at the latest when the store was shut down. */
static bool play_until_cut(struct trial *trial, struct progress *progress) {
    uint32_t changes = (uint32_t)trial->script->changes;
    uint32_t rest = changes - changes / SCRIPT_REQUESTS * (uint32_t)progress->begun;
    disk_cut_at(1 + random_below(&trial->random, rest > 0 ? rest : 1));
    uint64_t seed = random_next(&trial->random);
    int32_t status = start(trial);
    if (status == POLARIS_ES_OK) {
        disk_fail_syncs(trial->failing_syncs, seed);
        note_store_id(trial->es->reply, trial->store_id);
        script_play(trial->script, trial->es, &trial->play, progress);
        status = progress->status;
        bool is_settled = script_shut_down(trial->es, false);
        progress->settled = status == POLARIS_ES_OK && is_settled ? SCRIPT_REQUESTS : progress->settled;
    }
    if (status != POLARIS_ES_OK && !disk_is_cut()) {
        return found(trial, "status %d before the cut, request %d: %s", status, progress->begun - 1, trial->es->log);
    }
    if (status != POLARIS_ES_OK && status != POLARIS_ES_IO && status != POLARIS_ES_BUSY && status != POLARIS_ES_FULL) {
        return found(trial, "status %d of a cut, request %d: %s", status, progress->begun - 1, trial->es->log);
    }
    cut(trial);
    return true;
}

/* The power goes again while the store is opened, or closed after that. */
static void cut_recovery(struct trial *trial) {
    uint32_t times = random_below(&trial->random, 3) == 0 ? 1 + random_below(&trial->random, RECOVERY_CUTS_MAX) : 0;
    for (uint32_t i = 0; i < times; i++) {
        disk_cut_at(1 + random_below(&trial->random, RECOVERY_CHANGES_MAX));
        if (start(trial) == POLARIS_ES_OK) {
            es_shutdown(trial->es);
        }
        cut(trial);
    }
}

/* The number of requests whose effect is there, or -1. */
static int recognise(struct trial *trial, const struct progress *progress, const char *dump) {
    char problem[PROBLEM_SIZE];
    int least = is_full(trial) ? progress->acknowledged : progress->settled;
    for (int i = progress->begun; i >= 0; i--) {
        if (strcmp(dump, trial->script->states[i]) == 0) {
            if (i >= least) {
                return i;
            }
            (void)found(trial, "%d requests of %d acknowledged, %d settled ones are there", i, progress->acknowledged,
                        progress->settled);
            return -1;
        }
    }
    store_dump_compare(dump, trial->script->states[progress->acknowledged], problem);
    (void)found(trial, "it is in no state of the script; compared with the one after %d requests, of %d, %s",
                progress->acknowledged, progress->begun, problem);
    return -1;
}

static bool check_store(struct trial *trial, struct progress *progress) {
    char problem[PROBLEM_SIZE];
    char store_id[64];
    int32_t status = start(trial);
    if (status != POLARIS_ES_OK) {
        return found(trial, "it cannot be opened: status %d, %s; %s", status, es_text(trial->es->reply, "message"),
                     trial->es->log);
    }
    note_store_id(trial->es->reply, store_id);
    if (is_full(trial) && trial->store_id[0] != '\0' && strcmp(store_id, trial->store_id) != 0) {
        return found(trial, "it is another store: %s, not %s", store_id, trial->store_id);
    }
    char *dump = store_dump(trial->es->path, problem);
    if (dump == NULL) {
        return found(trial, "%s", problem);
    }
    int there = recognise(trial, progress, dump);
    free(dump);
    *progress = (struct progress){there, there, there, POLARIS_ES_OK};
    return there >= 0;
}

/* That it goes on: with an id that no event had that was acknowledged and is there, and with batches of a true count.
 */
static bool check_use(struct trial *trial, const struct progress *progress) {
    struct es *es = trial->es;
    int64_t last_id = trial->script->last_ids[progress->acknowledged];
    json_t *batches = json_incref(json_object_get(es_ok(es, "query", "{'op': 'batches', 'state': 'open'}"), "batches"));
    int64_t id = es_append(es, "{'type': 'after', 'data': {}}");
    for (size_t i = 0; i < json_array_size(batches); i++) {
        const json_t *batch = json_array_get(batches, i);
        int32_t status = es_call(es, "store", "{'op': 'batch.complete', 'id': '%s'}", es_text(batch, "id"));
        int64_t count = es_int(batch, "count") - (status == POLARIS_ES_OK ? es_int(es->reply, "duplicates") : 0);
        if (status != POLARIS_ES_OK || es_int(json_object_get(es->reply, "batch"), "count") != count) {
            json_decref(batches);
            return found(trial, "batch %zu does not complete with its %lld events", i, (long long)count);
        }
    }
    json_decref(batches);
    if (id <= last_id) {
        return found(trial, "id %lld was given again, %lld had been", (long long)id, (long long)last_id);
    }
    es_shutdown(es);
    char problem[PROBLEM_SIZE];
    return store_is_sound(es->path, problem) || found(trial, "after use: %s", problem);
}

/* True: nothing was found. After a cut the script goes on from where the store is, up to the next one. */
static bool try_cut(struct trial *trial) {
    struct progress progress = {.status = POLARIS_ES_OK};
    int rounds = 1 + (int)random_below(&trial->random, ROUNDS_MAX);
    bool is_good = true;
    disk_begin(trial->syncs);
    atomic_store(&trial->es->now_us, ES_START_US);
    for (trial->round = 1; is_good && trial->round <= rounds; trial->round++) {
        is_good = play_until_cut(trial, &progress);
        if (is_good) {
            cut_recovery(trial);
            is_good = check_store(trial, &progress);
        }
        if (is_good && trial->round < rounds) {
            es_shutdown(trial->es);
        }
    }
    is_good = is_good && check_use(trial, &progress);
    es_shutdown(trial->es);
    disk_end();
    return is_good;
}

/* ---- many ---- */

static struct script scripts[SCRIPTS]; /* made when they are needed */
static struct es *es;

static const struct script *script_of(long number) {
    struct script *script = &scripts[number % SCRIPTS];
    if (script->states[0] == NULL) {
        script_make(script, (uint64_t)(number % SCRIPTS), es);
    }
    return script;
}

static void set_up(void) {
    es = es_new();
}

static void tear_down(void) {
    for (int i = 0; i < SCRIPTS; i++) {
        script_done(&scripts[i]);
    }
    es_close(es);
}

TestSuite(power, .init = set_up, .fini = tear_down, .timeout = 0);

static long number_of(const char *name, long usual) {
    const char *text = getenv(name);
    return text != NULL ? strtol(text, NULL, 10) : usual;
}

/* True: nothing was found. */
static bool try_number(long number, struct trial *trial) {
    trial->script = script_of(number);
    trial->random = random_mix((uint64_t)number);
    trial->es = es;
    trial->store_id[0] = trial->finding[0] = '\0';
    return try_cut(trial);
}

static void try_numbers(long count, struct trial trial) {
    long first = number_of("POLARIS_POWER_FIRST", 0);
    long end = first + number_of("POLARIS_POWER_TRIALS", count / TRIALS_PART);
    for (long number = first; number < end; number++) {
        cr_expect(try_number(number, &trial), "trial %ld, script %ld, %s", number, number % SCRIPTS, trial.finding);
    }
    cr_log_info("%d cuts in the trials %ld to %ld\n", trial.cuts, first, end - 1);
}

Test(power, a_cut_takes_nothing_that_was_acknowledged) {
    try_numbers(250, (struct trial){.play = {"full", 1}});
}

Test(power, with_durability_normal_a_cut_takes_the_last_requests_at_most) {
    try_numbers(120, (struct trial){.play = {"normal", 1}});
}

/* A request that failed for it is made again. */
Test(power, a_cut_after_syncs_that_failed_takes_nothing_that_was_acknowledged) {
    try_numbers(100, (struct trial){.play = {"full", 20}, .failing_syncs = 8});
}

/* There only checkpoints sync the log, before they change the file. */
Test(power, with_durability_normal_a_cut_after_syncs_that_failed_takes_the_last_requests_at_most) {
    try_numbers(80, (struct trial){.play = {"normal", 20}, .failing_syncs = 4});
}

/* ---- that it would be found ---- */

/* How many trials it takes to find a loss, or -1. */
static long trials_to_a_finding(const char *durability, enum disk_syncs syncs) {
    enum { ENOUGH = 300 };
    struct trial trial = {.play = {durability, 1}, .syncs = syncs};
    for (long number = 0; number < ENOUGH; number++) {
        if (!try_number(number, &trial)) {
            cr_log_info("trial %ld: %s\n", number, trial.finding);
            return number;
        }
    }
    return -1;
}

Test(power, without_syncs_a_loss_is_found) {
    cr_expect_geq(trials_to_a_finding("full", DISK_SYNCS_NONE), 0);
}

Test(power, without_syncs_of_the_log_a_loss_is_found) {
    cr_expect_geq(trials_to_a_finding("full", DISK_SYNCS_NO_LOG), 0);
}

Test(power, without_syncs_of_the_database_a_loss_is_found) {
    cr_expect_geq(trials_to_a_finding("full", DISK_SYNCS_NO_DATABASE), 0);
}

Test(power, with_durability_normal_and_no_syncs_damage_is_found) {
    cr_expect_geq(trials_to_a_finding("normal", DISK_SYNCS_NONE), 0);
}
