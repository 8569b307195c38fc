/* checkpoint.c: the file is synced while the log is copied into it, not only at the end. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "es.h"
#include "store_dump.h"
#include "torture/shim_vfs.h"

enum { TEXT_SIZE = 3000, EVENTS = 50, REQUESTS_MAX = 5000, MIB = 1048576, PAGE_SIZE = 4096 };
/* A pass copies a thousand pages, and has some three syncs before its end. */
#define CONFIG "{'checkpoint_pages': 1000, 'page_size': 4096}"
enum { CHECKPOINT_PAGES = 1000 };

static struct es *es;
static int requests;
/* Of the file: bytes, and syncs. */
static atomic_int_least64_t written, unsynced, unsynced_max, log_written;
static atomic_int syncs;
static int refused;      /* the one sync that fails; 0: none does */
static atomic_bool held; /* the first write waits */
static atomic_bool slow; /* the thread writes a page when two more were written to the log */
static pthread_t main_thread;
static atomic_int log_begins; /* how often the log's own header was written */
static atomic_int_least64_t written_when_refused;
static atomic_int_least64_t first_place, next_place; /* of the first write, and of the first after that sync; or -1 */

static void note_write(const struct vfs_access *access) {
    int_least64_t none = -1;
    written += access->size;
    unsynced += access->size;
    unsynced_max = unsynced > unsynced_max ? unsynced : unsynced_max;
    (void)atomic_compare_exchange_strong(&first_place, &none, access->offset);
    none = -1;
    if (refused > 0 && syncs >= refused) {
        (void)atomic_compare_exchange_strong(&next_place, &none, access->offset);
    }
    while (held || (slow && !pthread_equal(pthread_self(), main_thread) && log_written < 2 * written)) {
        (void)sched_yield();
    }
}

static int watch_file(struct vfs_access *access) {
    if (access->call == VFS_WRITE && access->kind == VFS_LOG) {
        log_written += access->size;
        log_begins += access->offset == 0;
    }
    if (access->call == VFS_WRITE && access->kind == VFS_DATABASE) {
        note_write(access);
    }
    if (access->kind != VFS_DATABASE || access->call != VFS_SYNC) {
        return SQLITE_OK;
    }
    unsynced = 0;
    if (++syncs != refused) {
        return SQLITE_OK;
    }
    written_when_refused = written;
    return SQLITE_IOERR_FSYNC;
}

static void set_up(void) {
    main_thread = pthread_self();
    shim_vfs_install(watch_file);
    es = es_open(CONFIG);
    written = unsynced = unsynced_max = log_written = 0; /* to make a store is no checkpoint */
    syncs = log_begins = 0;
    first_place = next_place = -1;
}

static void tear_down(void) {
    es_close(es);
}

TestSuite(checkpoint, .init = set_up, .fini = tear_down, .timeout = 120);

static void append(void) {
    cr_assert_eq(es_append_large(es, EVENTS, TEXT_SIZE), POLARIS_ES_OK);
    requests++;
}

static void append_to_log(int pages) {
    while (log_written < (int64_t)pages * PAGE_SIZE) {
        append();
    }
}

static void wait_for_written(int64_t bytes) {
    while (written < bytes) {
        (void)sched_yield();
    }
}

/* Until the thread copies, and has not fallen behind, however late it comes. */
static void begin_pass(void) {
    append_to_log(CHECKPOINT_PAGES * 3 / 2);
    wait_for_written(1);
}

static void wait_for_syncs(int count) {
    while (syncs < count) {
        (void)sched_yield();
    }
}

Test(checkpoint, of_many_pages_syncs_the_file_every_now_and_then) {
    begin_pass();
    wait_for_written(3 * MIB);

    wait_for_syncs(3);

    /* The writer may have copied the rest, a quarter of checkpoint_pages. */
    int64_t most = MIB + (CHECKPOINT_PAGES / 4 + 1) * PAGE_SIZE;
    cr_expect_leq(unsynced_max, most, "%lld bytes were not synced", (long long)unsynced_max);
}

Test(checkpoint, that_falls_behind_does_not_wait_for_the_disk_before_its_end) {
    held = true;
    begin_pass();
    append_to_log(4 * CHECKPOINT_PAGES);
    cr_assert_eq(syncs, 0);

    held = false;
    wait_for_written(3 * MIB);

    cr_expect_geq(unsynced_max, 3 * MIB);
}

/* The writer copies the rest itself when that has gone on for long. */
Test(checkpoint, lets_the_log_begin_again_though_writing_is_always_faster) {
    append();
    int begins = log_begins;
    slow = true;

    while (log_begins == begins && log_written < (int64_t)40 * CHECKPOINT_PAGES * PAGE_SIZE) {
        append();
    }
    slow = false;

    cr_expect_leq(log_written, (int64_t)16 * CHECKPOINT_PAGES * PAGE_SIZE, "the log has %lld bytes",
                  (long long)log_written);
}

Test(checkpoint, ends_when_a_sync_within_it_fails_and_the_next_one_copies_all_of_it_again) {
    char problem[PROBLEM_SIZE] = "";
    refused = 1;
    begin_pass();
    wait_for_syncs(1);

    while (next_place < 0 && requests < REQUESTS_MAX) {
        append();
    }

    cr_expect_geq(written_when_refused, MIB);
    cr_expect_leq(written_when_refused, MIB + PAGE_SIZE, "a pass has four times as much");
    cr_expect_eq(next_place, first_place);
    cr_expect_eq(es_event_count(es), (int64_t)requests * EVENTS);
    es_shutdown(es);
    cr_expect(store_is_sound(es->path, problem), "%s", problem);
}
