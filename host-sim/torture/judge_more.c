/* judge_more.c: holds batches, dead letters, schemas and rejected entries against what was told. */
#include <string.h>

#include "torture/judge.h"

/* ---- batches ---- */

static enum batch_state batch_state_of(const json_t *batch) {
    static const char *const NAMES[] = {
        [BATCH_OPEN] = "open", [BATCH_COMPLETED] = "completed", [BATCH_ABORTED] = "aborted"};
    const char *name = json_string_value(json_object_get(batch, "state"));
    for (int i = BATCH_OPEN; name != NULL && i <= BATCH_ABORTED; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            return (enum batch_state)i;
        }
    }
    return BATCH_NONE;
}

void judge_batches(struct ledger *ledger, const struct opened *store) {
    for (int i = 0; i < ledger->batch_count; i++) {
        struct batch *batch = &ledger->batches[i];
        json_t *reply = call(store->self, store->table->store, MAY(OK) | MAY(NOT_FOUND),
                             "{\"op\":\"batch.get\",\"id\":\"%d/%d/%d\"}", batch->round, batch->thread, batch->n);
        const json_t *found = json_object_get(reply, "batch");
        enum batch_state state = batch_state_of(found);
        int drafts = (int)number(found, "count");
        bool as_told = state == batch->state && drafts == batch->drafts;
        bool as_begun = batch->begun && state == batch->next_state && drafts == batch->next_drafts;
        EXPECT(as_told || as_begun, "batch %d/%d/%d: told %d with %d, found %d with %d", batch->round, batch->thread,
               batch->n, (int)batch->state, batch->drafts, (int)state, drafts);
        unsigned wanted = state == BATCH_COMPLETED ? (1u << drafts) - 1 : 0;
        EXPECT(batch->found == wanted, "batch %d/%d/%d has the events %x, not %x", batch->round, batch->thread,
               batch->n, batch->found, wanted);
        EXPECT(wanted == 0 || number(found, "first_id") == batch->found_id, "batch %d/%d/%d does not begin at %lld",
               batch->round, batch->thread, batch->n, (long long)batch->found_id);
        EXPECT(batch->first_id == 0 || batch->found == 0 || batch->first_id == batch->found_id,
               "batch %d/%d/%d was told to begin at %lld", batch->round, batch->thread, batch->n,
               (long long)batch->first_id);
        batch->state = state;
        batch->drafts = drafts;
        batch->first_id = batch->found_id;
        batch->begun = false;
        batch->found = 0;
        json_decref(reply);
    }
}

/* ---- dead letters ---- */

/* May the op that was in progress have brought the letter from `from` to `to`? */
static bool may_have_become(const struct consumer *consumer, const struct letter *from, const struct letter *to) {
    bool named = consumer->op == LETTER_PUT ? consumer->op_event_id == from->event_id : consumer->op_id == from->id;
    bool once_more = (to->state == LETTER_PENDING || to->state == LETTER_PARKED) && to->attempts == from->attempts + 1;
    bool ended = from->state == LETTER_RESOLVED || from->state == LETTER_DISCARDED;
    switch (consumer->op) {
    case LETTER_PUT:
        return named && (ended ? to->state == LETTER_PENDING && to->attempts == 0
                               : from->state != LETTER_CLAIMED &&
                                     (once_more || (to->state == LETTER_PARKED && from->state == LETTER_PARKED)));
    case LETTER_CLAIM:
        return from->state == LETTER_PENDING && to->state == LETTER_CLAIMED && to->attempts == from->attempts;
    case LETTER_RESOLVE:
        return named && from->state == LETTER_CLAIMED && to->state == LETTER_RESOLVED;
    case LETTER_FAIL:
        return named && from->state == LETTER_CLAIMED && once_more;
    case LETTER_DISCARD:
        return named && !ended && to->state == LETTER_DISCARDED;
    case LETTER_REDRIVE:
        return named && to->state == LETTER_PENDING && to->attempts == 0;
    case LETTER_PURGE:
    case LETTER_OP_COUNT:
        break;
    }
    return false;
}

static bool same_letter(const struct letter *a, const struct letter *b) {
    return a->id == b->id && a->state == b->state && a->attempts == b->attempts && a->token == b->token;
}

static struct letter *letter_of_event(struct consumer *consumer, int64_t event_id) {
    for (int i = 0; i < consumer->count; i++) {
        if (consumer->letters[i].event_id == event_id) {
            return &consumer->letters[i];
        }
    }
    return NULL;
}

/* Returns whether it is other than told. */
static bool check_letter(struct consumer *consumer, int number_of_consumer, const struct letter *found) {
    struct letter *told = letter_of_event(consumer, found->event_id);
    EXPECT(found->state >= 0, "a dead letter of event %lld has no state", (long long)found->event_id);
    if (told == NULL) {
        EXPECT(consumer->begun && consumer->op == LETTER_PUT && consumer->op_event_id == found->event_id &&
                   found->state == LETTER_PENDING && found->attempts == 0,
               "c%d: a dead letter of event %lld that nobody put", number_of_consumer, (long long)found->event_id);
        return true;
    }
    told->found = true;
    bool same = same_letter(told, found);
    EXPECT(same || (consumer->begun && may_have_become(consumer, told, found)),
           "c%d: the dead letter %lld: told state %d, attempts %d, token %lld; found %d, %d, %lld", number_of_consumer,
           (long long)found->id, told->state, told->attempts, (long long)told->token, found->state, found->attempts,
           (long long)found->token);
    return !same;
}

static void check_missing(struct consumer *consumer, int number_of_consumer) {
    bool purging = consumer->begun && consumer->op == LETTER_PURGE;
    int ended = 0, missing = 0;
    for (int i = 0; i < consumer->count; i++) {
        const struct letter *letter = &consumer->letters[i];
        bool has_ended = letter->state == LETTER_RESOLVED || letter->state == LETTER_DISCARDED;
        EXPECT(letter->found || (purging && has_ended), "c%d: the dead letter %lld is lost", number_of_consumer,
               (long long)letter->id);
        ended += has_ended;
        missing += !letter->found;
    }
    EXPECT(missing == 0 || missing == ended, "c%d: a purge took %d of %d", number_of_consumer, missing, ended);
}

static void check_consumer(struct consumer *consumer, int number_of_consumer, const json_t *entries) {
    struct consumer settled = {0};
    int changed = 0;
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        struct letter found = {.id = number(entry, "id"),
                               .event_id = number(entry, "event_id"),
                               .token = number(entry, "token"),
                               .state = letter_state_of(json_string_value(json_object_get(entry, "state"))),
                               .attempts = (int)number(entry, "attempts")};
        changed += check_letter(consumer, number_of_consumer, &found);
        consumer_note(&settled, &found);
    }
    check_missing(consumer, number_of_consumer);
    EXPECT(changed <= CLAIM_MAX, "c%d: one op changed %d dead letters", number_of_consumer, changed);
    *consumer = settled;
}

void judge_letters(struct ledger *ledger, const struct opened *store) {
    for (int i = 0; i < CONSUMERS; i++) {
        json_t *reply =
            call(store->self, store->table->dlq, MAY(OK), "{\"op\":\"list\",\"consumer\":\"c%d\",\"limit\":100000}", i);
        check_consumer(&ledger->consumers[i], i, json_object_get(reply, "entries"));
        json_decref(reply);
    }
}

/* ---- schemas and rejected entries ---- */

static void check_kept(struct ledger *ledger, const struct opened *store) {
    json_t *reply = call(store->self, store->table->dlq, MAY(OK), "{\"op\":\"rejected.list\",\"limit\":100000}");
    const json_t *entries = json_object_get(reply, "entries");
    int count = (int)json_array_size(entries);
    EXPECT(count == ledger->kept_count || count == ledger->kept_count + 1, "%d rejected entries, %d were told of",
           count, ledger->kept_count);
    for (int i = 0; i < count; i++) {
        const json_t *entry = json_array_get(entries, (size_t)i);
        int64_t id = number(entry, "id");
        if (i == ledger->kept_count) { /* made by the last request, which nobody was told of */
            struct record record = {.kind = RECORD_KEPT,
                                    .thread = THREAD_SCHEMA,
                                    .round = ledger->round,
                                    .n = ledger->requests[ledger->round % STORE_ROUNDS][THREAD_SCHEMA].count,
                                    .a = id};
            ledger_note(ledger, &record);
        }
        struct kept *kept = &ledger->kept[i];
        int64_t event_id = number(entry, "event_id");
        EXPECT(kept->id == id, "rejected entry %lld is %lld", (long long)kept->id, (long long)id);
        EXPECT(event_id == kept->event_id || (kept->event_id == 0 && ledger->resubmitting == id),
               "rejected entry %lld became event %lld, not %lld", (long long)id, (long long)event_id,
               (long long)kept->event_id);
        EXPECT(event_id == kept->found_id, "rejected entry %lld says that it became %lld, but %lld is it",
               (long long)id, (long long)event_id, (long long)kept->found_id);
        kept->event_id = event_id;
        kept->found_id = 0;
    }
    ledger->resubmitting = 0;
    json_decref(reply);
}

void judge_schemas(struct ledger *ledger, const struct census *census, const struct opened *store) {
    json_t *reply =
        call(store->self, store->table->schema, MAY(OK) | MAY(NOT_FOUND), "{\"op\":\"versions\",\"type\":\"s\"}");
    int64_t latest = number(reply, "latest");
    EXPECT(latest == ledger->schema_version || (latest == ledger->schema_begun && latest > 0),
           "the schema has %lld versions, %lld were told", (long long)latest, (long long)ledger->schema_version);
    EXPECT(number(reply, "current") == latest, "the current version is %lld of %lld",
           (long long)number(reply, "current"), (long long)latest);
    EXPECT(census->last_version <= latest, "an event has version %lld of %lld", (long long)census->last_version,
           (long long)latest);
    json_decref(reply);
    for (int64_t version = 1; version <= latest; version++) {
        reply = call(store->self, store->table->schema, MAY(OK), "{\"op\":\"get\",\"type\":\"s\",\"version\":%lld}",
                     (long long)version);
        const json_t *schema = json_object_get(reply, "schema");
        const json_t *property = json_object_get(json_object_get(schema, "properties"), "v");
        EXPECT(number(property, "const") == version, "version %lld of the schema is another one", (long long)version);
        json_decref(reply);
    }
    ledger->schema_version = latest;
    ledger->schema_begun = 0;
    check_kept(ledger, store);
}
