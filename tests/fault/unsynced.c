/* unsynced.c: what was written to the log, and could not be synced or was not yet: nobody builds on it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "es.h"
#include "torture/shim_vfs.h"

enum { PAGE_SIZE = 4096 };

static struct es *es;
static atomic_bool kills;        /* a sync of the log kills the process */
static atomic_int failing_syncs; /* so many of the log's fail from now on, */
static atomic_bool fails_writes; /* and with the first of them each write to it */
static atomic_bool is_broken;
static atomic_int reason = EIO;               /* of syncs that fail */
static atomic_int syncs;                      /* of the log, that were good */
static atomic_int_least64_t unsynced, synced; /* bytes of it; what a sync could not bring to the disk is neither */

static int on_sync(void) {
    if (kills) {
        (void)raise(SIGKILL);
    }
    if (failing_syncs > 0) {
        failing_syncs--;
        is_broken = fails_writes;
        unsynced = 0;
        errno = reason;
        return SQLITE_IOERR_FSYNC;
    }
    synced += unsynced;
    unsynced = 0;
    syncs++;
    return SQLITE_OK;
}

static int watch_log(struct vfs_access *access) {
    if (access->kind != VFS_LOG) {
        return SQLITE_OK;
    }
    if (access->call == VFS_WRITE && is_broken) {
        return SQLITE_IOERR_WRITE;
    }
    if (access->call == VFS_WRITE) {
        unsynced += access->size;
    }
    return access->call == VFS_SYNC ? on_sync() : SQLITE_OK;
}

static void set_up(void) {
    shim_vfs_install(watch_log);
    es = es_new();
}

static void tear_down(void) {
    es_close(es);
}

TestSuite(unsynced, .init = set_up, .fini = tear_down, .timeout = 60);

#define EVENT "{'type': 't', 'data': {}, 'key': '%s'}"

static int32_t append(const char *key) {
    return es_call(es, "store", "{'op': 'append', 'event': " EVENT "}", key);
}

/* In a process that is killed when it has written b to the log, and not synced it. */
static void append_a_and_be_killed_at_b(void) {
    pid_t child = fork();
    if (child == 0) {
        cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
        cr_assert_eq(append("a"), POLARIS_ES_OK);
        kills = true;
        (void)append("b");
        _exit(1);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

Test(unsynced, of_a_killed_process_is_synced_before_anybody_can_be_told_of_it) {
    append_a_and_be_killed_at_b();

    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);

    cr_expect_eq(es_event_count(es), 2, "it was written");
    cr_expect_geq(syncs, 1);
}

Test(unsynced, of_a_killed_process_that_cannot_be_synced_keeps_the_store_closed) {
    append_a_and_be_killed_at_b();
    failing_syncs = 1;

    cr_expect_eq(es_init(es, NULL), POLARIS_ES_IO);

    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    cr_expect_eq(es_event_count(es), 2);
    cr_expect_gt(synced, 2 * PAGE_SIZE, "the system gives it up with the sync that fails: it was written again");
}

static void shut_down_and_keep_the_log(void) {
    size_t size = 0;
    void *request = es_pack("{'keep_log': true}", &size);
    cr_assert_eq(es->table->shutdown(es->self, (polaris_bytes){request, size}, NULL), POLARIS_ES_OK);
    es->self = NULL;
    free(request);
}

/* Neither the commit nor what is written over it gets to the disk, which is well again then. */
static void fail_to_append(const char *key) {
    failing_syncs = 1;
    fails_writes = true;
    cr_assert_eq(append(key), POLARIS_ES_IO);
    cr_assert(is_broken);
    is_broken = false;
}

Test(unsynced, of_a_call_that_failed_does_not_come_back_with_the_log) {
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    cr_assert_eq(append("a"), POLARIS_ES_OK);
    fail_to_append("b");

    shut_down_and_keep_the_log();

    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    cr_expect_eq(es_event_count(es), 1);
}

Test(unsynced, of_a_call_that_failed_does_not_come_back_though_a_reader_stays) {
    polaris_es *reader = NULL;
    json_t *reply = NULL;
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    cr_assert_eq(append("a"), POLARIS_ES_OK);
    fail_to_append("b");
    cr_assert_eq(es_init_second(es, "{'mode': 'read'}", &reader, &reply), POLARIS_ES_OK);

    es_shutdown(es);
    (void)es->table->shutdown(reader, (polaris_bytes){0}, NULL);

    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    cr_expect_eq(es_event_count(es), 1);
    json_decref(reply);
}

Test(unsynced, of_a_call_that_failed_is_told_of_when_it_cannot_be_taken_back) {
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    cr_assert_eq(append("a"), POLARIS_ES_OK);
    fail_to_append("b");
    is_broken = true;

    shut_down_and_keep_the_log();

    cr_expect_not_null(strstr(es->log, "may come back"), "%s", es->log);
}

/* Some systems look for space only when a file is synced. */
Test(unsynced, for_want_of_space_is_told_as_that) {
    reason = ENOSPC;
    append_a_and_be_killed_at_b();
    failing_syncs = 1;
    cr_expect_eq(es_init(es, NULL), POLARIS_ES_FULL);
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    failing_syncs = 1;
    cr_expect_eq(append("c"), POLARIS_ES_FULL);
    reason = EDQUOT;
    failing_syncs = 1;
    cr_expect_eq(append("d"), POLARIS_ES_FULL);
    reason = EIO;
    failing_syncs = 1;
    cr_expect_eq(append("e"), POLARIS_ES_IO, "what went before is not remembered");
    cr_expect_eq(append("e"), POLARIS_ES_OK);
}
