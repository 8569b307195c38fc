/* support.h: a store in a folder of its own, on a clock that the test drives, and short ways to speak to it. */
#ifndef POLARIS_TESTS_STORAGE_SUPPORT_H
#define POLARIS_TESTS_STORAGE_SUPPORT_H

#include "storage/storage.h"

/* 2026-01-01T00:00:00Z */
#define START_US INT64_C(1767225600000000)

struct store {
    char folder[64];
    char path[96];
    _Atomic int64_t now_us;
    _Atomic int64_t woken_id;
    _Atomic int64_t wakes;
    struct config config;
    struct storage *storage;
    struct error error;
};

/* Opens a new store; the test fails if that fails. `adjust` (may be NULL) changes the configuration first. */
void store_open(struct store *store, void (*adjust)(struct config *config));
/* Closes and opens it again. */
void store_reopen(struct store *store);
void store_close(struct store *store);
/* Closes it and removes its folder. */
void store_done(struct store *store);
/* A second instance on the same file. */
enum status store_open_again(struct store *store, bool read_only, struct storage **ret_storage, struct error *error);
void storage_close(struct storage *storage);

struct bytes text(const char *text);
/* An event of the type with the data {} */
struct event event_of(const char *type);
struct event tagged(struct event event, const char *tag);
/* The id; the test fails if the append fails. */
int64_t append(struct store *store, struct event event);
enum status try_append(struct store *store, struct event event, struct append_result *ret_result);

/* Ids of a read, in its order. */
struct ids {
    size_t count;
    int64_t id[4096];
};
struct ids read_ids(struct store *store, struct event_query query);
struct ids all_ids(struct store *store);

#endif
