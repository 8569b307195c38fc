/* evaluate_frame.c: the machine's memory: frames, sets of elements, and what subschemas said of values before. */
#include "validate/evaluate.h"

#include "validate/hash.h"

#include <stdlib.h>

enum { FRAMES_MIN = 64, MEMO_CAPACITY_MIN = 1024, SET_WORDS_MIN = 64 };

bool machine_grow(struct machine *machine) {
    struct validate_context *context = machine->context;
    uint32_t validation_frames_max = machine->program->limits.validation_frames_max;
    if (machine->depth >= validation_frames_max) {
        machine->work->limit = WORK_FRAMES;
        return false;
    }
    uint32_t capacity = context->frame_capacity < FRAMES_MIN ? FRAMES_MIN : 2 * context->frame_capacity;
    struct frame *frames = realloc(context->frames, capacity * sizeof *frames);
    if (frames == NULL) {
        machine->work->limit = WORK_NO_MEMORY;
        return false;
    }
    context->frames = frames;
    context->frame_capacity = capacity;
    machine->frames = frames;
    machine->depth_max = capacity < validation_frames_max ? capacity : validation_frames_max;
    return true;
}

uint32_t machine_new_set(struct machine *machine, uint32_t count) {
    uint64_t words = ((uint64_t)count + 63) / 64;
    return work_spend(machine->work, words) ? work_reserve(machine->work, words * sizeof(uint64_t)) : WORK_NONE;
}

/* ---- memo ---- */

static uint32_t memo_slot(const struct validate_context *context, uint32_t capacity, uint32_t schema, uint32_t value) {
    return (uint32_t)hash_number((uint64_t)schema << 32 | value, context->seed) & (capacity - 1);
}

const struct memo_entry *memo_find(const struct validate_context *context, uint32_t schema, uint32_t value) {
    if (context->memo_count == 0) {
        return NULL;
    }
    uint32_t slot = memo_slot(context, context->memo_capacity, schema, value);
    for (;; slot = (slot + 1) & (context->memo_capacity - 1)) {
        const struct memo_entry *entry = &context->memo[slot];
        if (entry->run != context->run) {
            return NULL;
        }
        if (entry->schema == schema && entry->value == value) {
            return entry;
        }
    }
}

static void memo_place(const struct validate_context *context, struct memo_entry *entries, uint32_t capacity,
                       struct memo_entry entry) {
    uint32_t slot = memo_slot(context, capacity, entry.schema, entry.value);
    while (entries[slot].run == entry.run) {
        slot = (slot + 1) & (capacity - 1);
    }
    entries[slot] = entry;
}

static bool memo_grow(struct machine *machine) {
    struct validate_context *context = machine->context;
    uint64_t capacity = context->memo_capacity == 0 ? MEMO_CAPACITY_MIN : 2 * (uint64_t)context->memo_capacity;
    struct memo_entry *entries = calloc(capacity, sizeof *entries);
    if (entries == NULL) {
        machine->work->limit = WORK_NO_MEMORY;
        return false;
    }
    for (uint32_t i = 0; i < context->memo_capacity; i++) {
        if (context->memo[i].run == context->run) {
            memo_place(context, entries, (uint32_t)capacity, context->memo[i]);
        }
    }
    free(context->memo);
    context->memo = entries;
    context->memo_capacity = (uint32_t)capacity;
    return true;
}

/* Keeps a set beyond its frame. */
static bool keep_set(struct machine *machine, uint32_t set, uint32_t words, uint32_t *ret_kept) {
    struct validate_context *context = machine->context;
    uint64_t wanted = (uint64_t)context->memo_set_count + words;
    if (2 * wanted * sizeof(uint64_t) > machine->program->limits.validation_memory_max) {
        machine->work->limit = WORK_MEMORY;
        return false;
    }
    if (wanted > context->memo_set_capacity || context->memo_sets == NULL) {
        uint64_t capacity = wanted < SET_WORDS_MIN ? SET_WORDS_MIN : 2 * wanted;
        uint64_t *sets = realloc(context->memo_sets, capacity * sizeof *sets);
        if (sets == NULL) {
            machine->work->limit = WORK_NO_MEMORY;
            return false;
        }
        context->memo_sets = sets;
        context->memo_set_capacity = (uint32_t)capacity;
    }
    memcpy(context->memo_sets + context->memo_set_count, work_at(machine->work, set), words * sizeof(uint64_t));
    *ret_kept = context->memo_set_count;
    context->memo_set_count = (uint32_t)wanted;
    return true;
}

bool memo_add(struct machine *machine, struct memo_entry entry, uint32_t set, uint32_t words) {
    struct validate_context *context = machine->context;
    entry.run = context->run;
    entry.set = WORK_NONE;
    if (memo_find(context, entry.schema, entry.value) != NULL) {
        return true;
    }
    /* What is remembered counts, not the room that earlier runs left. */
    if (2 * ((uint64_t)context->memo_count + 1) * sizeof entry > machine->program->limits.validation_memory_max) {
        machine->work->limit = WORK_MEMORY;
        return false;
    }
    if (2 * (context->memo_count + 1) > context->memo_capacity && !memo_grow(machine)) {
        return false;
    }
    if (set != WORK_NONE && entry.valid && !keep_set(machine, set, words, &entry.set)) {
        return false;
    }
    memo_place(context, context->memo, context->memo_capacity, entry);
    context->memo_count++;
    return true;
}
