/* sync.c: a sync of the file fails after a part of the log was copied, somebody has the store open all the while, and
 * then the power is cut: what was acknowledged is there.
 *
 * What the part wrote is on the disk or not, as a seed says, and no later sync writes it: only the log has it. Whoever
 * goes on copying behind that part, and then lets the log begin again, has lost it. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "es.h"
#include "store_dump.h"
#include "torture/disk.h"
#include "torture/random.h"

/* As in power.c. */
#ifdef __SANITIZE_ADDRESS__
enum { SEEDS = 3 };
#else
enum { SEEDS = 12 };
#endif
enum {
    PART_EVENTS = 60, /* some two pages each, so that the checkpointer's thread is at work as well */
    EVENTS_MAX = 3000
};
#define CONFIG "{'checkpoint_pages': 100, 'cache_kib': 64, 'busy_timeout_ms': 1000}"

static struct es *es;

static void set_up(void) {
    es = es_new();
}

static void tear_down(void) {
    es_close(es);
}

TestSuite(sync, .init = set_up, .fini = tear_down, .timeout = 0);

/* ---- what happens ---- */

static int acknowledged;

/* Of the event after so many others: another one than that of those around it. */
static const char *text_of(int number) {
    static char text[3000];
    int size = snprintf(text, sizeof text, "%d ", number);
    memset(text + size, 'a' + number % 26, sizeof text - 1 - (size_t)size);
    return text;
}

static void append(int count) {
    for (int i = 0; i < count; i++) {
        int64_t id = es_int(es_ok(es, "store", "{'op': 'append', 'event': {'type': 't', 'data': {'text': '%s'}}}",
                                  text_of(acknowledged)),
                            "last_id");
        cr_assert_eq(id, ++acknowledged);
    }
}

static void start(void) {
    cr_assert_eq(es_init(es, CONFIG), POLARIS_ES_OK, "%s", es->log);
}

static void shut_down(bool keep_log) {
    size_t size = 0;
    void *request = es_pack(keep_log ? "{'keep_log': true}" : "{}", &size);
    (void)es->table->shutdown(es->self, (polaris_bytes){request, size}, NULL);
    es->self = NULL;
    free(request);
}

static sqlite3 *open_beside(void) {
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(es->path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
    return db;
}

/* Copies what a reader's snapshot lets through, which is not synced then. Returns how many pages. */
static int copy_beside(sqlite3 *db, sqlite3 *reader) {
    int log_pages = 0;
    int copied_pages = 0;
    append(PART_EVENTS);
    cr_assert_eq(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM event", NULL, NULL, NULL), SQLITE_OK);
    append(PART_EVENTS);
    cr_assert_eq(sqlite3_exec(db, "SELECT count(*) FROM event", NULL, NULL, NULL), SQLITE_OK); /* it finds the log */
    int code = SQLITE_BUSY; /* as long as the checkpointer is at it */
    while (code == SQLITE_BUSY) {
        code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &log_pages, &copied_pages);
    }
    cr_assert_eq(code, SQLITE_OK);
    cr_assert_lt(copied_pages, log_pages);
    return copied_pages;
}

/* A part of the log is copied; the sync that follows the rest will fail. */
static void copy_a_part(uint64_t seed) {
    sqlite3 *reader = open_beside();
    sqlite3 *db = open_beside();
    while (copy_beside(db, reader) == 0) { /* all was copied when the snapshot was taken, and it lets nothing through */
        cr_assert_eq(sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    }
    disk_fail_next_file_sync(seed);
    (void)sqlite3_close(db);
    (void)sqlite3_close(reader);
}

static void append_until_a_sync_fails(void) {
    while (disk_failed_syncs() == 0 && acknowledged < EVENTS_MAX) {
        append(1);
    }
    cr_assert_gt(disk_failed_syncs(), 0);
}

/* Another one each time the log begins again (sqlite.org/walformat.html). */
static uint64_t log_salt(void) {
    char path[128];
    uint64_t salt = 0;
    snprintf(path, sizeof path, "%s-wal", es->path);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    cr_assert_eq(fseek(file, 16, SEEK_SET), 0);
    cr_assert_eq(fread(&salt, sizeof salt, 1, file), 1);
    (void)fclose(file);
    return salt;
}

static void append_until_the_log_begins_again(void) {
    uint64_t salt = log_salt();
    while (log_salt() == salt && acknowledged < EVENTS_MAX) {
        append(1);
    }
    cr_expect_neq(log_salt(), salt, "%d events are in the log", acknowledged);
}

/* How many events there are, each with its id and its text; less than there are if one is not as it was. */
static int64_t count_true_events(void) {
    int64_t id = 0;
    bool is_true = true;
    size_t count = 1;
    while (is_true && count > 0) {
        const json_t *reply =
            es_ok(es, "query", "{'op': 'events', 'filter': {'after_id': %lld}, 'limit': 500}", (long long)id);
        const json_t *events = json_object_get(reply, "events");
        count = json_array_size(events);
        for (size_t i = 0; is_true && i < count; i++) {
            const json_t *event = json_array_get(events, i);
            is_true = es_int(event, "id") == id + 1 &&
                      strcmp(es_text(json_object_get(event, "data"), "text"), text_of((int)id)) == 0;
            id += is_true;
        }
    }
    return id;
}

static void expect_nothing_is_lost(uint64_t seed) {
    char problem[PROBLEM_SIZE] = "";
    start();
    char *dump = store_dump(es->path, problem);
    int64_t count = dump != NULL ? count_true_events() : -1;
    bool is_whole = dump != NULL && strncmp(dump, "integrity", 9) != 0 && store_is_sound(es->path, problem) &&
                    es_event_count(es) == acknowledged;
    cr_expect(is_whole && count == acknowledged, "seed %llu: %lld events are there, %d were acknowledged; %s%.200s",
              (unsigned long long)seed, (long long)count, acknowledged, problem, dump != NULL && !is_whole ? dump : "");
    free(dump);
    es_shutdown(es);
}

/* ---- trials ---- */

/* `keep_log`: as at a swap. The reader is the instance that a host keeps open across. */
static void try_swap(uint64_t seed, bool keep_log) {
    uint64_t random = random_mix(seed);
    polaris_es *reader = NULL;
    json_t *reply = NULL;
    acknowledged = 0;
    disk_begin(DISK_SYNCS_ALL);
    atomic_store(&es->now_us, ES_START_US);
    start();
    copy_a_part(random_next(&random));
    append_until_a_sync_fails();
    cr_assert_eq(es_init_second(es, "{'mode': 'read'}", &reader, &reply), POLARIS_ES_OK);
    json_decref(reply);
    shut_down(keep_log);
    start();
    append(PART_EVENTS);
    shut_down(false); /* all of the log is copied, so that the next one lets it begin again */
    start();
    append(PART_EVENTS);
    disk_cut();
    es_shutdown(es);
    (void)es->table->shutdown(reader, (polaris_bytes){0}, NULL);
    disk_restore(random_next(&random));
    expect_nothing_is_lost(seed);
    disk_end();
}

Test(sync, that_failed_before_a_swap_takes_nothing_though_a_reader_stays) {
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        try_swap(seed, true);
    }
}

Test(sync, that_failed_before_a_restart_takes_nothing_though_a_reader_stays) {
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        try_swap(seed, false);
    }
}

/* The failure is told once to each of their connections: two tries may fail. */
Test(sync, that_failed_takes_nothing_from_those_who_go_on_and_their_log_begins_again) {
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint64_t random = random_mix(seed);
        acknowledged = 0;
        disk_begin(DISK_SYNCS_ALL);
        atomic_store(&es->now_us, ES_START_US);
        start();
        copy_a_part(random_next(&random));
        append_until_a_sync_fails();
        append_until_the_log_begins_again();
        append(PART_EVENTS);
        disk_cut();
        es_shutdown(es);
        disk_restore(random_next(&random));
        expect_nothing_is_lost(seed);
        disk_end();
    }
}
