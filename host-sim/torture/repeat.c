/* repeat.c: requests that were in progress, once more; and then new ones. */
#include "torture/repeat.h"

#include <stdlib.h>
#include <unistd.h>

#include "torture/work.h"

enum { TURNS = 12, APPENDING = THREAD_SUBMIT + 1 }; /* the threads before it append */

static void report(const struct repeat *repeat, enum record_kind kind, int thread, int n, int64_t id) {
    struct record record = {
        .kind = (uint8_t)kind, .thread = (uint8_t)thread, .round = repeat->ledger->round, .n = n, .a = id};
    if (write(repeat->reports, &record, sizeof record) != (ssize_t)sizeof record) {
        _exit(WORK_NO_PIPE);
    }
}

/* The first one that nobody was told of, or that was never made. -1: one behind it was told of or given up, and would
 * come before it. */
static int first_untold(const struct ledger *ledger, int thread) {
    const struct requests *requests = &ledger->requests[ledger->round % STORE_ROUNDS][thread];
    int first = 0;
    while (first < requests->count && requests->items[first].state != REQUEST_UNTOLD) {
        first++;
    }
    for (int n = first; n < requests->count; n++) {
        if (requests->items[n].state != REQUEST_UNTOLD) {
            return -1;
        }
    }
    return first;
}

/* The last event is shown to whoever asks. */
static void look(const struct repeat *repeat) {
    json_t *reply = call(repeat->self, repeat->table->query, MAY(OK), "{\"op\":\"head\"}");
    report(repeat, RECORD_SEEN, 0, 0, number(reply, "last_id"));
    json_decref(reply);
}

static void append(const struct repeat *repeat, int thread, int n, bool is_new) {
    const struct ledger *ledger = repeat->ledger;
    char *text = request_text(ledger->seed, ledger->round, thread, n);
    json_t *reply = call_text(repeat->self, repeat->table->store, MAY(OK), text);
    int64_t known = number(reply, "duplicates");
    bool may_be_known = !is_new || thread == THREAD_SUBMIT; /* of which many were in progress */
    EXPECT(known == 0 || (known == request_events(ledger->seed, ledger->round, thread, n) && may_be_known),
           "request %d/%d/%d again: %lld duplicates", ledger->round, thread, n, (long long)known);
    if (!complained()) {
        report(repeat, RECORD_TOLD, thread, n, json_integer_value(json_array_get(json_object_get(reply, "ids"), 0)));
    }
    json_decref(reply);
    free(text);
}

void repeat_requests(const struct repeat *repeat) {
    const struct ledger *ledger = repeat->ledger;
    struct draws draws = draws_of(ledger->seed, ledger->round, 0, 0, 13);
    int next[APPENDING];
    for (int thread = 0; thread < APPENDING; thread++) { /* before the first report changes it */
        next[thread] = first_untold(ledger, thread);
    }
    if (draw_below(&draws, 4) > 0) {
        look(repeat);
        if (repeat->is_once) {
            return;
        }
    }
    int first = draw_below(&draws, APPENDING);
    for (int i = 0; i < TURNS * APPENDING && !complained(); i++) {
        int thread = (first + i) % APPENDING;
        if ((ledger->threads & 1u << thread) != 0 && next[thread] >= 0) {
            append(repeat, thread, next[thread]++, i >= APPENDING);
            if (repeat->is_once) {
                return;
            }
        }
    }
}
