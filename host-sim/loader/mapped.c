/* mapped.c: the process-wide list behind the check that a load gave new code. */
#include "loader/mapped.h"

#include <pthread.h>
#include <stdlib.h>

struct mapped {
    const void *base;
    struct mapped *next;
};

/* Of the process, as the mappings are. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mapped *list;

static struct mapped **find(const void *base) {
    struct mapped **place = &list;
    while (*place != NULL && (*place)->base != base) {
        place = &(*place)->next;
    }
    return place;
}

bool mapped_add(const void *base) {
    struct mapped *mapped = malloc(sizeof *mapped);
    if (mapped == NULL) {
        return false;
    }
    (void)pthread_mutex_lock(&lock);
    bool is_new = *find(base) == NULL;
    if (is_new) {
        *mapped = (struct mapped){.base = base, .next = list};
        list = mapped;
    }
    (void)pthread_mutex_unlock(&lock);
    if (!is_new) {
        free(mapped);
    }
    return is_new;
}

void mapped_remove(const void *base) {
    (void)pthread_mutex_lock(&lock);
    struct mapped **place = find(base);
    struct mapped *mapped = *place;
    if (mapped != NULL) {
        *place = mapped->next;
    }
    (void)pthread_mutex_unlock(&lock);
    free(mapped);
}
