/* checkpoint.c: the file is synced while the log is copied into it, not only at the end. */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "es.h"
#include "store_dump.h"
#include "torture/shim_vfs.h"

enum {
    PAYLOAD_SIZE = 3000,
    EVENTS = 100,
    REQUESTS_MAX = 2000,
    MIB = 1048576,
    CHECKPOINT_PAGES = 4000,
    PAGE_SIZE = 4096
};

static struct es *es;
static char payload[PAYLOAD_SIZE];
static atomic_int_least64_t written, unsynced, unsynced_max;
static atomic_int syncs;
static int refused; /* the one sync that fails; 0: none does */
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
}

static int watch_file(struct vfs_access *access) {
    if (access->kind == VFS_DATABASE && access->call == VFS_WRITE) {
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

static void open_watched(const char *config) {
    memset(payload, 'x', sizeof payload - 1);
    shim_vfs_install(watch_file);
    es = es_open(config);
    refused = 0; /* to make a store is no checkpoint */
    written = unsynced = unsynced_max = syncs = 0;
    first_place = next_place = -1;
}

static void append(void) {
    json_t *list = json_array();
    for (int i = 0; i < EVENTS; i++) {
        json_array_append_new(list, json_pack("{s:s, s:{s:s}}", "type", "t", "data", "text", payload));
    }
    json_t *request = json_pack("{s:s, s:o}", "op", "append", "events", list);
    char *text = json_dumps(request, 0);
    (void)es_ok(es, "store", "%s", text);
    free(text);
    json_decref(request);
}

/* What the writer copies itself, a quarter of checkpoint_pages, is synced at once: nobody else writes meanwhile. */
Test(checkpoint, of_many_pages_syncs_the_file_every_now_and_then) {
    open_watched("{'checkpoint_pages': 4000, 'page_size': 4096}");

    for (int i = 0; i < REQUESTS_MAX && written < 2 * CHECKPOINT_PAGES * PAGE_SIZE; i++) {
        append();
    }

    cr_expect_geq(written, 2 * CHECKPOINT_PAGES * PAGE_SIZE);
    cr_expect_leq(unsynced_max, CHECKPOINT_PAGES / 4 * PAGE_SIZE + MIB + PAGE_SIZE, "%lld bytes were not synced",
                  (long long)unsynced_max);
    es_close(es);
}

Test(checkpoint, ends_when_a_sync_within_it_fails_and_the_next_one_copies_all_of_it_again) {
    char problem[PROBLEM_SIZE] = "";
    open_watched("{'checkpoint_pages': 4000, 'page_size': 4096}");
    refused = 1;

    int requests = 0;
    for (; requests < REQUESTS_MAX && next_place < 0; requests++) {
        append();
    }

    cr_expect_geq(written_when_refused, MIB);
    cr_expect_leq(written_when_refused, MIB + PAGE_SIZE, "a pass has sixteen times as much");
    cr_expect_eq(next_place, first_place);
    cr_expect_eq(es_event_count(es), (int64_t)requests * EVENTS);
    es_shutdown(es);
    cr_expect(store_is_sound(es->path, problem), "%s", problem);
    es_close(es);
}
