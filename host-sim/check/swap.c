/* swap.c: one instance after another on one file, and the build loaded twice. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/trial.h"

static int64_t log_size(const struct trial *trial) {
    char path[1300];
    struct stat status;
    (void)snprintf(path, sizeof path, "%s-wal", trial->path);
    return stat(path, &status) == 0 ? (int64_t)status.st_size : 0;
}

static void shut_down_with(struct trial *trial, const char *request) {
    CLEANUP(packed_done) struct packed bytes = packed("%s", request);
    doing("shutdown %s", request);
    int32_t status = trial->table->shutdown(trial->self, packed_bytes(&bytes), NULL);
    REQUIRE(status == POLARIS_ES_OK, "shutdown %s answered %s", request, answer_name(status));
}

static void again_and_again(struct trial *trial) {
    int64_t last = 0;
    for (int64_t round = 0; round < 10; round++) {
        trial_open(trial, NULL);
        for (int64_t i = 0; i < 5; i++) {
            int64_t id = trial_append(trial, 5 * round + i);
            REQUIRE(id > last, "an event got the id %" PRId64 " after another one had %" PRId64, id, last);
            last = id;
        }
        trial_shutdown(trial);
    }
    trial_open(trial, NULL);
    REQUIRE(trial_count(trial) == 50, "10 instances stored 50 events, %" PRId64 " are there", trial_count(trial));
    trial_shutdown(trial);
}

/* Two copies of the build, taking turns on one file. */
static void two_copies(struct trial *trial) {
    struct plugin *first = trial->plugin;
    trial_load(trial);
    struct plugin *second = trial->plugin;
    REQUIRE(first->table != second->table, "a second copy of the build gave the table of the first");
    int64_t last = 0;
    for (int64_t i = 0; i < 8; i++) {
        trial->plugin = i % 2 == 0 ? first : second;
        trial->table = trial->plugin->table;
        trial_open(trial, NULL);
        int64_t id = trial_append(trial, i);
        REQUIRE(id > last, "after a swap an event got the id %" PRId64 ", the one before it %" PRId64, id, last);
        last = id;
        trial_shutdown(trial);
    }
    loader_unload(first);
    trial->plugin = second;
    trial->table = second->table;
    trial_open(trial, NULL);
    REQUIRE(trial_count(trial) == 8, "8 instances stored 8 events, %" PRId64 " are there", trial_count(trial));
    trial_shutdown(trial);
}

/* The old instance still owns the file: the new one has to wait for its end. */
static void copies_exclude(struct trial *trial) {
    struct plugin *first = trial->plugin;
    polaris_es *other = NULL;
    if (first->descriptor.sqlite_linkage ==
        POLARIS_ES_SQLITE_PRIVATE) { /* closing a file drops the other one's locks */
        skipped("the build has a SQLite of its own: no host has two of it on one file in one process");
    }
    trial_open(trial, NULL);
    polaris_es *held = trial->self;
    trial_load(trial);
    int32_t status = trial_try_open(trial, "{'busy_timeout_ms': 0}", &other);
    REQUIRE(status == POLARIS_ES_BUSY, "a second copy of the build opened the file of the first: %s",
            answer_name(status));
    trial->table = first->table;
    trial->self = held;
    trial_shutdown(trial);
    trial->table = trial->plugin->table;
    trial_open(trial, NULL);
    trial_shutdown(trial);
}

static void keeps_log(struct trial *trial) {
    trial_open(trial, "{'durability': 'full'}");
    for (int64_t i = 0; i < 20; i++) {
        (void)trial_append(trial, i);
    }
    shut_down_with(trial, "{'keep_log': true}");
    REQUIRE(log_size(trial) > 0, "after a shutdown with keep_log there is no log, or an empty one");
    trial_open(trial, "{'durability': 'full'}");
    REQUIRE(trial_count(trial) == 20, "of 20 events in a log that was kept %" PRId64 " are there", trial_count(trial));
    (void)trial_append(trial, 20);
    shut_down_with(trial, "{'keep_log': false}");
    REQUIRE(log_size(trial) == 0, "after a shutdown without keep_log there is a log of %" PRId64 " bytes",
            log_size(trial));
    trial_open(trial, NULL);
    REQUIRE(trial_count(trial) == 21, "of 21 events %" PRId64 " are there", trial_count(trial));
    trial_shutdown(trial);
}

static void file_is_whole(struct trial *trial) {
    char copy[1300];
    trial_open(trial, "{'durability': 'full'}");
    for (int64_t i = 0; i < 20; i++) {
        (void)trial_append(trial, i);
    }
    trial_shutdown(trial);
    REQUIRE(log_size(trial) == 0, "after a shutdown there is a log of %" PRId64 " bytes", log_size(trial));
    (void)snprintf(copy, sizeof copy, "%s/moved.db", trial->folder);
    REQUIRE(rename(trial->path, copy) == 0, "after a shutdown the file is not there");
    (void)snprintf(trial->path, sizeof trial->path, "%.1219s", copy);
    trial_open(trial, "{'create': false}");
    REQUIRE(trial_count(trial) == 20, "of 20 events a file that was moved alone has %" PRId64, trial_count(trial));
    trial_shutdown(trial);
}

static const struct check CHECKS[] = {
    CHECK("swap/instances-follow-each-other", "ten on one file; ids go on", NEEDS_QUERY, again_and_again),
    CHECK("swap/copies-of-the-build-take-turns", "two, loaded at once, on one file", NEEDS_QUERY, two_copies),
    CHECK("swap/copies-of-the-build-exclude-each-other", "one writer, whichever copy opened it", NEEDS_FILE,
          copies_exclude),
    CHECK("swap/shutdown-leaves-one-whole-file", "which can be moved alone", NEEDS_QUERY, file_is_whole),
    CHECK("swap/keep-log-leaves-the-log", "and whoever opens the store next goes on from it",
          NEEDS_QUERY | NEEDS_MINOR_1, keeps_log),
};
const struct check_group CHECK_SWAP = CHECK_GROUP(CHECKS);
