/* broken.c: the real plugin with one fault, which FAULT names: what only a kill, a swap, a power cut or a failing disk
 * shows. Each is compiled into a shared object of its own, with the real entry under another name (tests/check). */
#include <polaris/event_store.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/captured.h"

enum fault {
    FORGETS = 1,           /* each fiftieth append, which it acknowledges */
    FORGETS_AFTER_A_SWAP,  /* the first append after the store was opened again in this process */
    CRASHES,               /* in each two-hundredth call of store */
    ACKNOWLEDGES_UNSYNCED, /* durability normal, whatever was asked for */
    DENIES_FAILURES,       /* of the disk, in an append of several: it is OK */
    SAYS_ANOTHER_FAILURE,  /* INTERNAL when the disk failed */
    SAYS_BUSY,             /* the same, and in the status only */
    HANGS,                 /* in the two-hundredth call of store, and all others with it */
    HIDES_TAGS,            /* lists none */
    HIDES_STREAMS,         /* lists none */
    INTERRUPTS,            /* whatever SQLite does for long in this process once the store is shut down */
    SPOILS_THE_COPY,       /* forgets as the first one does, and is in the way of what is kept of the files */
    SERVES_UNSYNCED,       /* what a killed process had written to the log: no sync while the store is opened */
    HIDES_ITS_CALLS,       /* of the file system: as with an SQLite of its own, though it says that it shares it */
    STEERS_TERMINALS,      /* in what it says of itself */
    FORKS                  /* in each fiftieth call of store, which is no fault: the child stays as long as it may */
};
#define HAS(fault) (FAULT == (fault))

int32_t real_entry(const polaris_es_hello *in, polaris_es_welcome *out);

static const polaris_es_table *real; /* set when this object is loaded, and its table with it */
static polaris_es_table table;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int opened, stores;
static bool is_first;
/* The last reply to an append. */
static uint8_t last[65536];
static size_t last_size;

static bool contains(polaris_bytes bytes, const char *text) {
    return bytes.data != NULL && memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
}

static int32_t answer_as_before(const polaris_sink *reply) {
    (void)reply->write(reply->context, (polaris_bytes){last, last_size});
    return POLARIS_ES_OK;
}

/* Is this append one that is forgotten? */
static bool is_forgotten(void) {
    bool first = is_first;
    is_first = false;
    return last_size > 0 &&
           (((HAS(FORGETS) || HAS(SPOILS_THE_COPY)) && stores % 50 == 0) || (HAS(FORGETS_AFTER_A_SWAP) && first));
}

static int32_t append(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    struct captured captured;
    const polaris_sink sink = capture(&captured);
    int32_t status = real->store(self, request, &sink);
    (void)pthread_mutex_lock(&lock);
    bool failed = status == POLARIS_ES_IO || status == POLARIS_ES_FULL;
    if (HAS(DENIES_FAILURES) && failed && last_size > 0 && contains(request, "events")) {
        status = answer_as_before(reply);
    } else {
        (void)reply->write(reply->context, (polaris_bytes){captured.data, captured.size});
        if (status == POLARIS_ES_OK) {
            memcpy(last, captured.data, captured.size);
            last_size = captured.size;
        }
        status = HAS(SAYS_ANOTHER_FAILURE) && failed ? POLARIS_ES_INTERNAL
                 : HAS(SAYS_BUSY) && failed          ? POLARIS_ES_BUSY
                                                     : status;
    }
    (void)pthread_mutex_unlock(&lock);
    return status;
}

static int32_t broken_store(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    bool is_append = contains(request, "\xa2op\xa6"
                                       "append");
    (void)pthread_mutex_lock(&lock);
    if (HAS(CRASHES) && stores % 200 == 199) {
        abort();
    }
    if ((HAS(HANGS) && stores % 200 == 199) || (HAS(FORKS) && stores % 50 == 49 && fork() == 0)) {
        for (;;) {
            (void)pause();
        }
    }
    stores++;
    bool forgotten = is_append && is_forgotten();
    int32_t status = forgotten ? answer_as_before(reply) : POLARIS_ES_OK;
    (void)pthread_mutex_unlock(&lock);
    if (forgotten) {
        return status;
    }
    return is_append ? append(self, request, reply) : real->store(self, request, reply);
}

static int32_t broken_query(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    static const char TAGS[] = "\x81\xa4tags\x90";
    static const char STREAMS[] = "\x81\xa7streams\x90";
    const char *none = HAS(HIDES_TAGS) && contains(request, "\xa2op\xa4tags")         ? TAGS
                       : HAS(HIDES_STREAMS) && contains(request, "\xa2op\xa7streams") ? STREAMS
                                                                                      : NULL;
    if (none == NULL) {
        return real->query(self, request, reply);
    }
    (void)reply->write(reply->context, (polaris_bytes){(const uint8_t *)none, strlen(none)});
    return POLARIS_ES_OK;
}

static int give_up(void *context) {
    (void)context;
    return 1;
}

static int interrupt_it(sqlite3 *db, char **ret_message, const struct sqlite3_api_routines *routines) {
    (void)ret_message;
    (void)routines;
    sqlite3_progress_handler(db, 3000, give_up, NULL); /* steps: more than the schema needs, and fewer than a check */
    return SQLITE_OK;
}

static int32_t broken_shutdown(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    int32_t status = real->shutdown(self, request, reply);
    if (HAS(INTERRUPTS)) {
        (void)sqlite3_auto_extension((void (*)(void))interrupt_it);
    }
    return status;
}

/* The same with the durability changed. */
static int32_t init_normal(const polaris_es_services *host, polaris_bytes config, const polaris_sink *reply,
                           polaris_es **ret_self) {
    static const char FULL[] = "\xaa"
                               "durability\xa4"
                               "full";
    static const char NORMAL[] = "\xaa"
                                 "durability\xa6"
                                 "normal";
    const uint8_t *at = memmem(config.data, config.size, FULL, sizeof FULL - 1);
    if (at == NULL) {
        return real->init(host, config, reply, ret_self);
    }
    size_t before = (size_t)(at - config.data);
    size_t behind = config.size - before - (sizeof FULL - 1);
    uint8_t *changed = malloc(config.size + 2);
    memcpy(changed, config.data, before);
    memcpy(changed + before, NORMAL, sizeof NORMAL - 1);
    memcpy(changed + before + sizeof NORMAL - 1, at + sizeof FULL - 1, behind);
    int32_t status = real->init(host, (polaris_bytes){changed, config.size + 2}, reply, ret_self);
    free(changed);
    return status;
}

/* ---- a file system that does not sync while a store is opened ---- */

static bool is_opening;
static sqlite3_vfs unsynced, *below;
static int (*sync_below)(sqlite3_file *file, int flags);

static int sync_unless_opening(sqlite3_file *file, int flags) {
    return is_opening ? SQLITE_OK : sync_below(file, flags);
}

static int open_unsynced(sqlite3_vfs *self, sqlite3_filename path, sqlite3_file *file, int flags, int *ret_flags) {
    static sqlite3_io_methods methods; /* those of a log are the same each time */
    (void)self;
    int code = below->xOpen(below, path, file, flags, ret_flags);
    if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
        sync_below = file->pMethods->xSync;
        methods = *file->pMethods;
        methods.xSync = sync_unless_opening;
        file->pMethods = &methods;
    }
    return code;
}

static void stop_syncing(void) {
    if (below == NULL) {
        below = sqlite3_vfs_find(NULL);
        unsynced = *below;
        unsynced.zName = "unsynced";
        unsynced.pNext = NULL;
        unsynced.xOpen = open_unsynced;
        (void)sqlite3_vfs_register(&unsynced, 1);
    }
    is_opening = true;
}

/* ---- init ---- */

static int32_t init_as_asked(const polaris_es_services *host, polaris_bytes config, const polaris_sink *reply,
                             polaris_es **ret_self) {
    return HAS(ACKNOWLEDGES_UNSYNCED) ? init_normal(host, config, reply, ret_self)
                                      : real->init(host, config, reply, ret_self);
}

static int32_t broken_init(const polaris_es_services *host, polaris_bytes config, const polaris_sink *reply,
                           polaris_es **ret_self) {
    is_first = opened++ > 0;
    if (HAS(SPOILS_THE_COPY)) {
        (void)mkdir("found", 0700);
        (void)mkdir("found/events.db", 0700);
    }
    if (HAS(HIDES_ITS_CALLS)) {
        (void)sqlite3_vfs_register(sqlite3_vfs_find("unix"), 1);
    }
    if (HAS(SERVES_UNSYNCED)) {
        stop_syncing();
    }
    int32_t status = init_as_asked(host, config, reply, ret_self);
    is_opening = false;
    return status;
}

__attribute__((constructor)) static void make_table(void) {
    const polaris_es_hello in = {.size = sizeof in, .major_min = 1, .major_max = 1, .minor = POLARIS_ES_ABI_MINOR};
    polaris_es_welcome out = {.size = sizeof out};
    if (real_entry(&in, &out) == POLARIS_ES_OK) {
        real = out.table;
        memcpy(&table, real, sizeof table);
        table.init = broken_init;
        table.store = broken_store;
        table.query = broken_query;
        table.shutdown = broken_shutdown;
        if (HAS(STEERS_TERMINALS)) {
            table.name = table.version = table.build_id = "a\033[2Jb\r";
        }
    }
}

__attribute__((visibility("default"))) int32_t polaris_event_store_entry(const polaris_es_hello *in,
                                                                         polaris_es_welcome *out) {
    int32_t status = real_entry(in, out);
    if (status == POLARIS_ES_OK) {
        out->table = &table;
    }
    return status;
}
