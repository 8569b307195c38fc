/* calls.h: appends that are handed in without waiting, and run as one group. */
#ifndef POLARIS_TESTS_STORAGE_CALLS_H
#define POLARIS_TESTS_STORAGE_CALLS_H

#include "support.h"

enum { CALLS_MAX = 400, EVENTS_MAX = 4 };

/* An append that is not waited for, with all that it needs. */
struct call {
    struct append_later later; /* first: it is found by it */
    struct event events[EVENTS_MAX];
    struct append_result results[EVENTS_MAX];
    struct append_condition condition;
    struct event_filter filter;
    char texts[EVENTS_MAX][4][32];
    struct error error;
    bool given_up;
    size_t ended_as; /* the how manieth */
};

extern struct store store;
extern struct call calls[CALLS_MAX];

/* For TestSuite: a new store, and no calls. */
void calls_set_up(void);
void calls_tear_down(void);

/* One more event for calls[n]. */
struct call *call_with(size_t n, struct event event);

/* Runs them as one group, behind an append of its own, which gets id 1 in a new store. */
void run_as_group(struct call *group, size_t count);

/* The same by hand. The writer's thread stands still in an append of its own; it goes on, and it and so many others
 * end; so many end. */
void hold_writer(void);
void release_writer(size_t count);
void await_ends(size_t count);
bool call_begin(struct append_later *later);
void call_finished(struct append_later *later);

void expect_stored(size_t n, int64_t id, int64_t version);
void expect_failed(size_t n, enum status status);

/* The first column of the first row, asked of the file by another connection. */
int64_t ask_file(const char *sql);

#endif
