/* create_race.c: readers open a store while a writer makes it: they are told that it is not there yet, or they see it
 * whole. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "race.h"

enum {
    CREATIONS = 200,
    READERS = 1,
};

struct creation {
    atomic_int round; /* the store that is made now */
    atomic_int opened[CREATIONS];
};

/* BUSY: the file's lock, while it is switched to a log; whoever looks then may try again. */
static bool may_come(int32_t status) {
    return status == POLARIS_ES_OK || status == POLARIS_ES_NOT_FOUND || status == POLARIS_ES_BUSY;
}

static void *read_each(void *context) {
    struct creation *creation = context;
    for (int i = 0; i < CREATIONS; i = atomic_load(&creation->round)) {
        char config[96];
        polaris_es *self = NULL;
        json_t *reply = NULL;
        (void)snprintf(config, sizeof config, "{\"path\": \"created%d.db\", \"mode\": \"read\"}", i);
        int32_t status = call_init(table, NULL, config, &self, &reply);
        EXPECT(may_come(status), "store %d: status %d, %s", i, status,
               json_string_value(json_object_get(reply, "message")));
        json_decref(reply);
        if (status == POLARIS_ES_OK) {
            must_close(self);
            atomic_fetch_add(&creation->opened[i], 1);
        }
    }
    return NULL;
}

int main(void) {
    static struct creation creation;
    pthread_t readers[READERS];
    race_begin_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* a creation waits for no disk */
    for (int i = 0; i < READERS; i++) {
        start(&readers[i], read_each, &creation);
    }
    for (int i = 0; i < CREATIONS; i++) {
        char config[96];
        (void)snprintf(config, sizeof config, "{\"path\": \"created%d.db\", \"durability\": \"normal\"}", i);
        polaris_es *self = must_open(NULL, config);
        while (!complained() && atomic_load(&creation.opened[i]) == 0) { /* the readers have seen it */
        }
        atomic_store(&creation.round, i + 1);
        must_close(self);
    }
    for (int i = 0; i < READERS; i++) {
        (void)pthread_join(readers[i], NULL);
    }
    return race_end();
}
