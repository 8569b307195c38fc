/* ledger.c: what is asked for, drawn from the seed; and what was told, as the reports say. */
#include "torture/ledger.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "torture/random.h"

/* ---- draws ---- */

uint64_t draw(struct draws *draws) {
    return random_next(&draws->state);
}

int draw_below(struct draws *draws, int below) {
    return (int)(draw(draws) % (uint64_t)below);
}

struct draws draws_of(uint64_t seed, int round, int thread, int n, int what) {
    const int parts[] = {round, thread, n, what};
    struct draws draws = {seed};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        draws.state = draw(&draws) ^ (uint64_t)(unsigned)parts[i];
    }
    return draws;
}

/* ---- what is asked for ---- */

/* 2025-12-01T00:00:00Z, behind which events happened. */
#define TIME_US INT64_C(1764547200000000)

struct event_shape event_shape(uint64_t seed, int round, int thread, int n, int index) {
    struct draws draws = draws_of(seed, round, thread, n, 100 + index);
    struct event_shape shape = {.type = (char)('a' + draw_below(&draws, 3)), .number = draw_below(&draws, 1 << 30)};
    shape.pad = draw_below(&draws, 20) == 0 ? draw_below(&draws, PAD_SIZE_MAX) : draw_below(&draws, 100);
    shape.stream = draw_below(&draws, STREAMS + 2) - 2;
    shape.tags = (unsigned)draw_below(&draws, 1 << TAGS);
    shape.tags &= (unsigned)draw_below(&draws, 1 << TAGS); /* a quarter of them, mostly */
    shape.letters = draw(&draws);
    /* Drafts have times of their own: it is not said whether theirs is that of the draft or of the completion. */
    bool is_draft = thread == THREAD_BATCH_1 || thread == THREAD_BATCH_2;
    shape.time_us = draw_below(&draws, 3) == 0 && !is_draft ? 0 : TIME_US + draw_below(&draws, 1 << 30) * INT64_C(1000);
    shape.metadata = draw_below(&draws, 2) == 0 ? -1 : draw_below(&draws, 1 << 30);
    shape.correlation = draw_below(&draws, 3) == 0 ? -1 : draw_below(&draws, 1000);
    shape.causation = draw_below(&draws, 3) == 0 ? -1 : draw_below(&draws, 1000);
    return shape;
}

void event_pad(const struct event_shape *shape, char text[PAD_SIZE_MAX + 1]) {
    static const char LETTERS[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    struct draws draws = {shape->letters};
    uint64_t drawn = 0;
    for (int i = 0; i <= shape->pad; i++) {
        drawn = i % 10 == 0 ? draw(&draws) : drawn >> 6;
        text[i] = LETTERS[drawn % 64];
    }
    text[shape->pad + 1] = '\0';
}

struct text {
    char *data;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text->data + text->used, text->size - text->used, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= text->size - text->used) {
        abort();
    }
    text->used += (size_t)length;
}

size_t put_event(char *data, size_t size, uint64_t seed, int round, int thread, int n, int index) {
    struct event_shape shape = event_shape(seed, round, thread, n, index);
    struct text text = {.data = data, .size = size};
    char pad[PAD_SIZE_MAX + 1];
    event_pad(&shape, pad);
    put(&text, "{\"type\":\"%c\",\"key\":\"%d/%d/%d/%d\",\"data\":{\"number\":%lld,\"pad\":\"%s\"}", shape.type, round,
        thread, n, index, (long long)shape.number, pad);
    if (shape.time_us > 0) {
        put(&text, ",\"time\":%lld", (long long)shape.time_us);
    }
    if (shape.metadata >= 0) {
        put(&text, ",\"metadata\":{\"m\":%lld}", (long long)shape.metadata);
    }
    if (shape.correlation >= 0) {
        put(&text, ",\"correlation\":\"c%d\"", shape.correlation);
    }
    if (shape.causation >= 0) {
        put(&text, ",\"causation\":\"r%d\"", shape.causation);
    }
    if (shape.stream >= 0) {
        put(&text, ",\"stream\":\"s%d\"", shape.stream);
    }
    const char *before = ",\"tags\":[";
    for (int i = 0; i < TAGS; i++) {
        if ((shape.tags & 1u << i) != 0) {
            put(&text, "%s\"t%d\"", before, i);
            before = ",";
        }
    }
    put(&text, shape.tags != 0 ? "]}" : "}");
    return text.used;
}

int request_events(uint64_t seed, int round, int thread, int n) {
    struct draws draws = draws_of(seed, round, thread, n, 1);
    switch (thread) {
    case THREAD_MANY:
        return 2 + draw_below(&draws, REQUEST_EVENTS_MAX - 1);
    case THREAD_SUBMIT:
        return 1 + draw_below(&draws, 3);
    default:
        return 1;
    }
}

char *request_text(uint64_t seed, int round, int thread, int n) {
    int count = request_events(seed, round, thread, n);
    size_t size = 64 + (size_t)count * EVENT_TEXT_SIZE_MAX;
    char *text = malloc(size);
    if (text == NULL) {
        abort();
    }
    size_t used = (size_t)snprintf(text, size, "{\"op\":\"append\",\"events\":[");
    for (int i = 0; i < count; i++) {
        used += (size_t)snprintf(text + used, size - used, i > 0 ? "," : "");
        used += put_event(text + used, size - used, seed, round, thread, n, i);
    }
    (void)snprintf(text + used, size - used, "]}");
    return text;
}

enum schema_step schema_step(uint64_t seed, int round, int n) {
    struct draws draws = draws_of(seed, round, THREAD_SCHEMA, n, 2);
    static const enum schema_step STEPS[] = {SCHEMA_APPEND,       SCHEMA_APPEND, SCHEMA_APPEND,
                                             SCHEMA_KEEP,         SCHEMA_PUT,    SCHEMA_PUT,
                                             SCHEMA_APPEND_WRONG, SCHEMA_KEEP,   SCHEMA_RESUBMIT};
    return STEPS[draw_below(&draws, (int)(sizeof STEPS / sizeof STEPS[0]))];
}

void store_config(char *text, size_t size, uint64_t seed, int round, const char *durability) {
    struct draws draws = draws_of(seed, round / STORE_ROUNDS, 0, 0, 3);
    int page_size = 512 << draw_below(&draws, 4);
    int queue_max = 1 << draw_below(&draws, 6);
    int group_max = 1 << draw_below(&draws, 6);
    (void)snprintf(text, size,
                   "{\"path\": \"" STORE_FILE "\", \"durability\": \"%s\", \"page_size\": %d, \"queue_max\": %d,"
                   " \"group_max\": %d, \"checkpoint_pages\": %d, \"submit_max\": 24, \"cache_kib\": 256,"
                   " \"readers\": 2, \"lease_us\": 86400000000, \"retry_attempts_max\": 2}",
                   durability, page_size, queue_max, group_max, 100 + draw_below(&draws, 300));
}

/* ---- the ledger ---- */

static void *must(void *memory) {
    if (memory == NULL) {
        abort();
    }
    return memory;
}

/* An array of `count` items, of which the first `before` are those of `items`. */
static void *grown(const struct ledger *ledger, void *items, size_t before, size_t count, size_t size) {
    struct arena *arena = ledger->arena;
    if (arena == NULL) {
        return must(realloc(items, count * size));
    }
    size_t begin = (arena->used + 15) / 16 * 16;
    if (count * size > arena->size - begin) {
        abort();
    }
    arena->used = begin + count * size;
    if (before > 0) {
        memcpy(arena->memory + begin, items, before * size);
    }
    return arena->memory + begin;
}

void ledger_init(struct ledger *ledger, uint64_t seed) {
    *ledger = (struct ledger){.seed = seed, .threads = (1u << THREAD_COUNT) - 1, .keeps_log = true};
}

void ledger_init_in(struct ledger *ledger, uint64_t seed, struct arena *arena) {
    ledger_init(ledger, seed);
    ledger->arena = arena;
    arena->used = 0;
}

static void *copied(const void *items, int count, size_t size) {
    return count > 0 ? memcpy(must(malloc((size_t)count * size)), items, (size_t)count * size) : NULL;
}

void ledger_copy(struct ledger *copy, const struct ledger *ledger) {
    *copy = *ledger;
    copy->arena = NULL;
    memset(copy->requests, 0, sizeof copy->requests);
    copy->batches = copied(ledger->batches, ledger->batch_count, sizeof *ledger->batches);
    copy->batch_capacity = copy->batch_count;
    copy->kept = copied(ledger->kept, ledger->kept_count, sizeof *ledger->kept);
    copy->kept_capacity = copy->kept_count;
}

void ledger_done(struct ledger *ledger) {
    for (int i = 0; i < STORE_ROUNDS * THREAD_COUNT && ledger->arena == NULL; i++) {
        free(ledger->requests[i / THREAD_COUNT][i % THREAD_COUNT].items);
    }
    if (ledger->arena == NULL) {
        free(ledger->batches);
        free(ledger->kept);
    }
    *ledger = (struct ledger){0};
}

const char *ledger_shutdown(const struct ledger *ledger, struct draws *draws) {
    bool kept = draw_below(draws, 2) != 0;
    return !ledger->keeps_log ? "{}" : kept ? "{\"keep_log\": true}" : "{\"keep_log\": false}";
}

struct request *ledger_request(struct ledger *ledger, int round, int thread, int n) {
    struct requests *requests = &ledger->requests[round % STORE_ROUNDS][thread];
    if (n >= requests->capacity) {
        int capacity = 2 * n + 64;
        requests->items =
            grown(ledger, requests->items, (size_t)requests->capacity, (size_t)capacity, sizeof *requests->items);
        memset(requests->items + requests->capacity, 0,
               (size_t)(capacity - requests->capacity) * sizeof *requests->items);
        requests->capacity = capacity;
    }
    requests->count = n >= requests->count ? n + 1 : requests->count;
    return &requests->items[n];
}

struct batch *ledger_batch(struct ledger *ledger, int round, int thread, int n) {
    for (int i = ledger->batch_count - 1; i >= 0; i--) {
        struct batch *batch = &ledger->batches[i];
        if (batch->round == round && batch->thread == thread && batch->n == n) {
            return batch;
        }
    }
    if (ledger->batch_count == ledger->batch_capacity) {
        int capacity = 2 * ledger->batch_capacity + 64;
        ledger->batches =
            grown(ledger, ledger->batches, (size_t)ledger->batch_count, (size_t)capacity, sizeof *ledger->batches);
        ledger->batch_capacity = capacity;
    }
    struct batch *batch = &ledger->batches[ledger->batch_count++];
    *batch = (struct batch){.round = round, .thread = thread, .n = n};
    return batch;
}

int letter_state_of(const char *name) {
    static const char *const NAMES[LETTER_STATE_COUNT] = {"pending", "claimed", "resolved", "parked", "discarded"};
    for (int i = 0; i < LETTER_STATE_COUNT; i++) {
        if (name != NULL && strcmp(name, NAMES[i]) == 0) {
            return i;
        }
    }
    return -1;
}

int64_t letter_pack(int state, int attempts, int64_t token) {
    return state | (int64_t)attempts << 8 | token << 24;
}

void consumer_note(struct consumer *consumer, const struct letter *letter) {
    for (int i = 0; i < consumer->count; i++) {
        if (consumer->letters[i].event_id == letter->event_id) {
            consumer->letters[i] = *letter;
            return;
        }
    }
    if (consumer->count < LETTERS_MAX) {
        consumer->letters[consumer->count++] = *letter;
    }
}

void consumer_purge(struct consumer *consumer) {
    int kept = 0;
    for (int i = 0; i < consumer->count; i++) {
        int state = consumer->letters[i].state;
        if (state != LETTER_RESOLVED && state != LETTER_DISCARDED) {
            consumer->letters[kept++] = consumer->letters[i];
        }
    }
    consumer->count = kept;
}

static void note_request(struct ledger *ledger, const struct record *record) {
    static const enum request_state STATES[] = {[RECORD_TOLD] = REQUEST_TOLD,
                                                [RECORD_GIVING_UP] = REQUEST_GIVEN_UP,
                                                [RECORD_CANCELLED] = REQUEST_NEVER,
                                                [RECORD_REFUSED] = REQUEST_NEVER};
    struct request *request = ledger_request(ledger, record->round, record->thread, record->n);
    /* What is given up may have ended meanwhile, on another thread. */
    if (record->kind != RECORD_GIVING_UP || request->state == REQUEST_UNTOLD) {
        request->state = STATES[record->kind];
        request->first_id = record->a;
    }
    if (record->kind == RECORD_TOLD) {
        ledger->acknowledged += request_events(ledger->seed, record->round, record->thread, record->n);
    }
    if (record->a > ledger->last_id) {
        ledger->last_id = record->a;
    }
}

static void note_batch(struct ledger *ledger, const struct record *record) {
    struct batch *batch = ledger_batch(ledger, record->round, record->thread, record->n);
    batch->begun = record->kind == RECORD_BATCH_BEGIN;
    if (batch->begun) {
        batch->next_state = (enum batch_state)record->a;
        batch->next_drafts = (int)record->b;
    } else {
        batch->state = (enum batch_state)record->a;
        batch->drafts = (int)record->b;
        batch->first_id = record->c;
        ledger->acknowledged += batch->state == BATCH_COMPLETED ? batch->drafts : 0;
    }
}

static void note_letter(struct ledger *ledger, const struct record *record) {
    struct consumer *consumer = &ledger->consumers[record->n];
    if (record->kind == RECORD_LETTER_BEGIN) {
        consumer->begun = true;
        consumer->op = (enum letter_op)record->a;
        consumer->op_id = record->b;
        consumer->op_event_id = record->c;
    } else if (record->kind == RECORD_LETTER_END) {
        consumer->begun = false;
        if (consumer->op == LETTER_PURGE) {
            consumer_purge(consumer);
        }
    } else {
        struct letter letter = {.id = record->a,
                                .event_id = record->b,
                                .state = (int)(record->c & 0xFF),
                                .attempts = (int)(record->c >> 8 & 0xFFFF),
                                .token = record->c >> 24};
        consumer_note(consumer, &letter);
    }
}

static void note_kept(struct ledger *ledger, const struct record *record) {
    ledger_request(ledger, record->round, record->thread, record->n)->state = REQUEST_NEVER;
    if (ledger->kept_count == ledger->kept_capacity) {
        int capacity = 2 * ledger->kept_capacity + 64;
        ledger->kept = grown(ledger, ledger->kept, (size_t)ledger->kept_count, (size_t)capacity, sizeof *ledger->kept);
        ledger->kept_capacity = capacity;
    }
    ledger->kept[ledger->kept_count++] = (struct kept){.round = record->round, .n = record->n, .id = record->a};
}

static void note_schema(struct ledger *ledger, const struct record *record) {
    if (record->kind == RECORD_SCHEMA_BEGIN) {
        ledger->schema_begun = record->a;
    } else if (record->kind == RECORD_SCHEMA) {
        ledger->schema_begun = 0;
        ledger->schema_version = record->a;
    } else if (record->kind == RECORD_KEPT) {
        note_kept(ledger, record);
    } else if (record->kind == RECORD_RESUBMITTING) {
        ledger->resubmitting = record->a;
    } else {
        ledger->resubmitting = 0;
        for (int i = 0; i < ledger->kept_count; i++) {
            if (ledger->kept[i].id == record->a) {
                ledger->kept[i].event_id = record->b;
            }
        }
    }
}

void ledger_note(struct ledger *ledger, const struct record *record) {
    ledger->records++;
    switch ((enum record_kind)record->kind) {
    case RECORD_TOLD:
    case RECORD_GIVING_UP:
    case RECORD_CANCELLED:
    case RECORD_REFUSED:
        note_request(ledger, record);
        break;
    case RECORD_BATCH_BEGIN:
    case RECORD_BATCH:
        note_batch(ledger, record);
        break;
    case RECORD_LETTER_BEGIN:
    case RECORD_LETTER:
    case RECORD_LETTER_END:
        note_letter(ledger, record);
        break;
    case RECORD_SCHEMA_BEGIN:
    case RECORD_SCHEMA:
    case RECORD_KEPT:
    case RECORD_RESUBMITTING:
    case RECORD_RESUBMITTED:
        note_schema(ledger, record);
        break;
    case RECORD_SEEN:
        ledger->last_id = record->a > ledger->last_id ? record->a : ledger->last_id;
        break;
    case RECORD_SWAPPED:
        ledger->swaps++;
        break;
    }
}
