/* work_batches.c: threads that fill batches, complete some, give up some and leave some open; those
 * that were left open in the rounds before are closed first. */
#include <stdio.h>
#include <stdlib.h>

#include "torture/work.h"

static void tell_batch(const struct batch *batch, enum record_kind kind, enum batch_state state, int drafts,
                       int64_t first_id) {
    struct record record = {.kind = (uint8_t)kind,
                            .thread = (uint8_t)batch->thread,
                            .round = batch->round,
                            .n = batch->n,
                            .a = state,
                            .b = drafts,
                            .c = first_id};
    tell_record(&record);
}

static void close_batch(const struct batch *batch, bool complete) {
    enum batch_state state = complete ? BATCH_COMPLETED : BATCH_ABORTED;
    int drafts = complete ? batch->drafts : 0;
    tell_batch(batch, RECORD_BATCH_BEGIN, state, drafts, 0);
    json_t *reply = ask(STORE, MAY(OK), "{\"op\":\"batch.%s\",\"id\":\"%d/%d/%d\"}", complete ? "complete" : "abort",
                        batch->round, batch->thread, batch->n);
    tell_batch(batch, RECORD_BATCH, state, drafts, number(json_object_get(reply, "batch"), "first_id"));
    json_decref(reply);
}

static void append_to_batch(struct batch *batch, uint64_t seed, int count) {
    size_t size = 256 + (size_t)count * EVENT_TEXT_SIZE_MAX;
    char *text = malloc(size);
    if (text == NULL) {
        abort();
    }
    size_t used = (size_t)snprintf(text, size, "{\"op\":\"batch.append\",\"id\":\"%d/%d/%d\",\"events\":[",
                                   batch->round, batch->thread, batch->n);
    for (int i = 0; i < count; i++) {
        used += (size_t)snprintf(text + used, size - used, i > 0 ? "," : "");
        used += put_event(text + used, size - used, seed, batch->round, batch->thread, batch->n, batch->drafts + i);
    }
    (void)snprintf(text + used, size - used, "]}");
    tell_batch(batch, RECORD_BATCH_BEGIN, BATCH_OPEN, batch->drafts + count, 0);
    json_decref(ask_text(STORE, MAY(OK), text));
    batch->drafts += count;
    tell_batch(batch, RECORD_BATCH, BATCH_OPEN, batch->drafts, 0);
    free(text);
}

/* Those that were left open. */
static void close_some(struct worker *worker) {
    const struct ledger *ledger = worker->ledger;
    for (int i = (int)worker->thread - THREAD_BATCH_1; i < ledger->batch_count; i += 2) {
        if (ledger->batches[i].state == BATCH_OPEN && draw_below(&worker->draws, 2) == 0) {
            close_batch(&ledger->batches[i], draw_below(&worker->draws, 3) > 0);
        }
    }
}

void work_on_batches(struct worker *worker) {
    const struct ledger *ledger = worker->ledger;
    if (worker->step++ == 0) {
        close_some(worker);
    }
    struct batch batch = {.round = ledger->round, .thread = (int)worker->thread, .n = worker->n++};
    tell_batch(&batch, RECORD_BATCH_BEGIN, BATCH_OPEN, 0, 0);
    json_decref(
        ask(STORE, MAY(OK), "{\"op\":\"batch.create\",\"id\":\"%d/%d/%d\"}", batch.round, batch.thread, batch.n));
    tell_batch(&batch, RECORD_BATCH, BATCH_OPEN, 0, 0);
    for (int appends = draw_below(&worker->draws, 5); appends > 0; appends--) {
        append_to_batch(&batch, ledger->seed, 1 + draw_below(&worker->draws, BATCH_DRAFTS_MAX / 4));
    }
    int fate = draw_below(&worker->draws, 8);
    if (fate > 0) {
        close_batch(&batch, fate > 2);
    }
}
