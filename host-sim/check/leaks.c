/* leaks.c: what is left in the process when instances are gone: threads, descriptors, memory, mappings. */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/orphans.h"
#include "check/trial.h"

enum { ROUNDS = 20, WARM = 4 };

static size_t threads(void) {
    return trial_entries("/proc/self/task");
}

static size_t descriptors(void) {
    return trial_entries("/proc/self/fd");
}

/* Mappings of files: those of a library that was unloaded must be gone. */
static size_t mappings(void) {
    size_t count = 0;
    char line[4500];
    FILE *maps = fopen("/proc/self/maps", "re");
    REQUIRE(maps != NULL, "the check cannot read its mappings");
    while (fgets(line, sizeof line, maps) != NULL) {
        const char *path = strchr(line, '/');
        count += path != NULL ? 1 : 0;
    }
    (void)fclose(maps);
    return count;
}

/* Some work of each kind that the build has. */
static void work(struct trial *trial) {
    uint64_t has = trial->table->capabilities;
    if ((has & POLARIS_ES_CAN_APPEND) != 0) {
        (void)trial_append(trial, 1);
        (void)trial_call(trial, "store", "{'op': 'append', 'event': {'type': 'a', 'data': 7}}");
    }
    if ((has & POLARIS_ES_CAN_QUERY) != 0) {
        (void)trial_ok(trial, "query", "{'op': 'events', 'order': 'desc', 'limit': 3}");
        (void)trial_call(trial, "query", "{'op': 'get', 'id': 0}");
    }
    if ((has & POLARIS_ES_CAN_SCHEMAS) != 0) {
        (void)trial_ok(trial, "schema", "{'op': 'put', 'type': 's', 'schema': {'pattern': '^a+$'}}");
    }
    (void)trial_call(trial, "dlq", "{'op': 'count'}");
}

static void one_life(struct trial *trial) {
    polaris_es *other = NULL;
    trial_open(trial, NULL);
    work(trial);
    (void)trial_try_open(trial, "{'no such key': 1}", &other); /* refused, unless the build reads no configuration */
    if (other != NULL) {
        (void)trial->table->shutdown(other, (polaris_bytes){0}, NULL);
    }
    trial_shutdown(trial);
}

static void leaks_threads(struct trial *trial) {
    size_t before = threads();
    for (int i = 0; i < ROUNDS; i++) {
        one_life(trial);
        size_t now = threads();
        for (int wait = 0; wait < 1000 && now > before; wait++) { /* the kernel's list lags behind a join */
            (void)usleep(1000);
            now = threads();
        }
        REQUIRE(now == before, "after shutdown %zu threads of the plugin are left", now - before);
    }
}

/* Whatever session it went to, and whoever of it has ended. */
static void leaks_processes(struct trial *trial) {
    orphans_adopt();
    for (int i = 0; i < WARM; i++) {
        one_life(trial);
    }
    pid_t ended = 0;
    for (int wait = 0; wait < 1000 && ended >= 0; wait++) { /* 0: there is one, and it runs; < 0: there is none */
        ended = waitpid(-1, NULL, WNOHANG);
        (void)(ended == 0 ? usleep(1000) : 0);
    }
    REQUIRE(ended < 0, "after shutdown a process that the plugin started goes on");
}

static void leaks_descriptors(struct trial *trial) {
    one_life(trial);
    size_t before = descriptors();
    for (int i = 0; i < ROUNDS; i++) {
        one_life(trial);
    }
    size_t now = descriptors();
    REQUIRE(now <= before, "in %d rounds of init and shutdown %zu descriptors were left open", ROUNDS, now - before);
}

static void leaks_descriptors_refused(struct trial *trial) {
    static const char *const CONFIGS[] = {"{'mode': 'read'}", "{'create': false}", "{'path': '/no/such/folder/x.db'}",
                                          "{'no such key': 1}"};
    size_t before = 0;
    for (int i = 0; i < ROUNDS; i++) {
        for (size_t j = 0; j < sizeof CONFIGS / sizeof CONFIGS[0]; j++) {
            polaris_es *self = NULL;
            int32_t status = trial_try_open(trial, CONFIGS[j], &self);
            REQUIRE(status != POLARIS_ES_OK, "init with %s answered OK", CONFIGS[j]);
        }
        before = i == 0 ? descriptors() : before;
    }
    size_t now = descriptors();
    REQUIRE(now <= before, "in %d rounds of init that failed %zu descriptors were left open", ROUNDS, now - before);
}

/* In use, and not given back: of the C library's heap, which a plugin shares with its host. */
static size_t memory(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* In a thread of its own, with which goes what the C library keeps ready for a thread. */
static void *live(void *context) {
    one_life(context);
    return NULL;
}

/* Caches grow once, in one window or another; what leaks grows in all of them. */
static void leaks_memory(struct trial *trial) {
    enum { WINDOWS = 3, EACH = 12, LOST_MAX = 32 };
    size_t least = SIZE_MAX;
    (void)mallopt(M_ARENA_MAX, 1); /* which of many a thread gets is chance, and so what stays in it */
    for (int window = 0; window <= WINDOWS; window++) {
        size_t before = memory();
        for (int i = 0; i < EACH; i++) {
            pthread_t thread;
            REQUIRE(pthread_create(&thread, NULL, live, trial) == 0, "the check has no thread");
            (void)pthread_join(thread, NULL);
        }
        size_t now = memory();
        size_t grown = now > before ? (now - before) / EACH : 0;
        least = window > 0 && grown < least ? grown : least;
    }
    REQUIRE(least < LOST_MAX, "each round of init and shutdown leaves %zu bytes of memory behind", least);
}

static void unloads(struct trial *trial) {
    size_t before = 0, files = 0;
    for (int i = 0; i < WARM + ROUNDS; i++) {
        one_life(trial);
        doing("dlclose after every instance was shut down");
        loader_unload(trial->plugin);
        trial->plugin = NULL;
        (void)usleep(1000);
        before = i == WARM - 1 ? mappings() : before;
        files = i == WARM - 1 ? descriptors() : files;
        if (i < WARM + ROUNDS - 1) {
            trial_load(trial);
        }
    }
    size_t now = mappings();
    REQUIRE(now <= before, "in %d rounds of load, use and unload %zu mappings were left", ROUNDS, now - before);
    now = descriptors();
    REQUIRE(now <= files, "in %d rounds of load, use and unload %zu descriptors were left", ROUNDS, now - files);
}

static void unloads_unused(struct trial *trial) {
    for (int i = 0; i < ROUNDS; i++) {
        char name[128];
        bool found = false;
        (void)snprintf(name, sizeof name, "polaris-plugin:%.80s", strrchr(trial->plugin->path, '/') + 1);
        doing("dlclose of a build that was greeted only");
        loader_unload(trial->plugin);
        trial->plugin = NULL;
        char line[4500];
        FILE *maps = fopen("/proc/self/maps", "re");
        while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
            found = found || strstr(line, name) != NULL;
        }
        (void)(maps != NULL ? fclose(maps) : 0);
        REQUIRE(!found, "after dlclose the build is still mapped: a destructor, a thread or a flag keeps it");
        trial_load(trial);
    }
}

static const struct check CHECKS[] = {
    CHECK("leaks/threads", "after shutdown none of the plugin's runs", 0, leaks_threads),
    CHECK("leaks/processes", "after shutdown none that the plugin started runs", 0, leaks_processes),
    CHECK("leaks/descriptors", "20 rounds of init, work and shutdown", 0, leaks_descriptors),
    CHECK("leaks/descriptors-of-init-that-fails", "nothing is held", NEEDS_FILE | POLARIS_ES_CAN_READ_MODE,
          leaks_descriptors_refused),
    CHECK("leaks/memory", "48 rounds leave the heap as it was", 0, leaks_memory),
    CHECK("leaks/mappings", "20 rounds of load, use and dlclose leave no trace", 0, unloads),
    CHECK("leaks/dlclose-unmaps", "a build that was greeted only is gone", 0, unloads_unused),
};
const struct check_group CHECK_LEAKS = CHECK_GROUP(CHECKS);
