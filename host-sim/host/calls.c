/* calls.c: which calls into plugins are in progress. */
#include "host/calls.h"

#include <stdio.h>

#include "host/host_internal.h"
#include "monotonic.h"

void calls_begin(struct calls_now *calls, struct calls_entry *entry, const char *verb, const char *build) {
    if (calls == NULL) {
        return;
    }
    *entry = (struct calls_entry){.verb = verb, .began_us = monotonic_us()};
    (void)snprintf(entry->build, sizeof entry->build, "%s", build);
    (void)pthread_mutex_lock(&calls->mutex);
    entry->next = calls->newest;
    if (entry->next != NULL) {
        entry->next->previous = entry;
    }
    calls->newest = entry;
    (void)pthread_mutex_unlock(&calls->mutex);
}

void calls_end(struct calls_now *calls, struct calls_entry *entry) {
    if (calls == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&calls->mutex);
    if (entry->previous != NULL) {
        entry->previous->next = entry->next;
    } else {
        calls->newest = entry->next;
    }
    if (entry->next != NULL) {
        entry->next->previous = entry->previous;
    }
    (void)pthread_mutex_unlock(&calls->mutex);
}

bool calls_oldest(struct calls_now *calls, struct calls_entry *ret_entry) {
    const struct calls_entry *oldest = NULL;
    (void)pthread_mutex_lock(&calls->mutex);
    for (const struct calls_entry *entry = calls->newest; entry != NULL; entry = entry->next) {
        oldest = oldest == NULL || entry->began_us < oldest->began_us ? entry : oldest;
    }
    if (oldest != NULL) {
        *ret_entry = *oldest;
    }
    (void)pthread_mutex_unlock(&calls->mutex);
    return oldest != NULL;
}
