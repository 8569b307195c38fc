/* checkpoint.c: the file is synced while the log is copied into it, not only at the end. */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "es.h"
#include "torture/shim_vfs.h"

enum { PAYLOAD_SIZE = 3000, EVENTS = 100, REQUESTS_MAX = 2000, MIB = 1048576 };

static struct es *es;
static char payload[PAYLOAD_SIZE];
static atomic_int_least64_t written, unsynced, unsynced_max;

static int watch_file(struct vfs_access *access) {
    if (access->kind == VFS_DATABASE && access->call == VFS_WRITE) {
        written += access->size;
        unsynced += access->size;
        unsynced_max = unsynced > unsynced_max ? unsynced : unsynced_max;
    }
    if (access->kind == VFS_DATABASE && access->call == VFS_SYNC) {
        unsynced = 0;
    }
    return SQLITE_OK;
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
    enum { CHECKPOINT_PAGES = 4000, PAGE_SIZE = 4096 };
    memset(payload, 'x', sizeof payload - 1);
    shim_vfs_install(watch_file);
    es = es_open("{'checkpoint_pages': 4000, 'page_size': 4096}");

    for (int i = 0; i < REQUESTS_MAX && written < 2 * CHECKPOINT_PAGES * PAGE_SIZE; i++) {
        append();
    }

    cr_expect_geq(written, 2 * CHECKPOINT_PAGES * PAGE_SIZE);
    cr_expect_leq(unsynced_max, CHECKPOINT_PAGES / 4 * PAGE_SIZE + MIB + PAGE_SIZE, "%lld bytes were not synced",
                  (long long)unsynced_max);
    es_close(es);
}
