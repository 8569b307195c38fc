/* pattern_run.c: searches by backtracking, on a stack of its own, with every step counted.
 *
 * The steps are the contract: the same pattern and text take the same number on every machine, and no work goes
 * uncounted. That is why no library does this: what PCRE2's match limit counts leaves out the characters that a repeat
 * runs over, and a search with a limit of a million may take minutes. */
#include "validate/pattern_program.h"
#include "validate/pattern_utf8.h"

#include <stdlib.h>

enum { ARENA_SIZE = 16384 }; /* on the thread's stack; memory is allocated only by a search that outgrows it */

enum entry_kind {
    ENTRY_BRANCH, /* go on at pc, from position */
    ENTRY_UNDO,   /* slot pc was position */
    ENTRY_RUN,    /* a run may give back one character after the other, down to `extra` */
    ENTRY_LAZY,   /* a run may take `extra` more */
    ENTRY_LOOK    /* a look began here; the one around it is at `extra` */
};

struct entry {
    uint32_t kind;
    uint32_t pc;
    uint32_t position;
    uint32_t extra;
};

struct run {
    const struct pattern_program *program;
    const uint8_t *text;
    uint32_t size;
    uint32_t pc;
    uint32_t position;
    uint32_t look; /* the entry of the look we are in, or PATTERN_NONE */
    uint32_t *slots;
    struct entry *stack;
    uint32_t count;
    uint32_t capacity;
    size_t heap_max;
    struct entry *heap; /* the stack, once it is there */
    uint64_t steps;     /* left */
};

static void run_done(struct run *run) {
    free(run->heap);
}

static bool grow(struct run *run) {
    uint32_t capacity = run->capacity < 1024 ? 2048 : run->capacity * 2;
    if (capacity < run->capacity || capacity * sizeof(*run->stack) > run->heap_max) {
        return false;
    }
    struct entry *heap = realloc(run->heap, capacity * sizeof(*heap));
    if (heap == NULL) {
        return false;
    }
    if (run->heap == NULL && run->count > 0) {
        memcpy(heap, run->stack, run->count * sizeof(*heap));
    }
    run->heap = heap;
    run->stack = heap;
    run->capacity = capacity;
    return true;
}

static inline bool push(struct run *run, enum entry_kind kind, uint32_t pc, uint32_t position, uint32_t extra) {
    if (run->count == run->capacity && !grow(run)) {
        return false;
    }
    run->stack[run->count++] = (struct entry){kind, pc, position, extra};
    return true;
}

static inline bool set_slot(struct run *run, uint32_t slot, uint32_t position) {
    if (!push(run, ENTRY_UNDO, slot, run->slots[slot], 0)) {
        return false;
    }
    run->slots[slot] = position;
    return true;
}

/* Charges a step. False: none is left. */
static inline bool step(struct run *run) {
    if (run->steps == 0) {
        return false;
    }
    run->steps--;
    return true;
}

/* Moves over one character, whatever it is. The caller knows that there is one. */
static inline uint32_t after(const struct run *run, uint32_t position) {
    do {
        position++;
    } while (position < run->size && (run->text[position] & 0xC0) == 0x80);
    return position;
}

static inline uint32_t before(const struct run *run, uint32_t position) {
    do {
        position--;
    } while (position > 0 && (run->text[position] & 0xC0) == 0x80);
    return position;
}

/* Moves over one character of the set, if there is one. */
static inline bool consume(const struct run *run, uint32_t set, bool back, uint32_t *position) {
    if (*position == (back ? 0 : run->size)) {
        return false;
    }
    uint32_t first = back ? before(run, *position) : *position;
    uint32_t code_point = run->text[first];
    uint32_t size = 1;
    if (code_point >= 128) {
        size = utf8_decode(run->text + first, run->text + run->size, &code_point);
    }
    if (!pattern_set_contains(&run->program->sets[set], run->program->ranges, code_point)) {
        return false;
    }
    *position = back ? first : first + size;
    return true;
}

enum outcome { GOES_ON, FAILS, IS_LIMITED };

static enum outcome run_run(struct run *run, const struct pattern_instruction *at) {
    uint32_t position = run->position;
    uint32_t position_min = position;
    uint32_t wanted = at->lazy ? at->b : at->c;
    uint32_t taken = 0;
    for (; taken < wanted && consume(run, at->a, at->back, &position); taken++) {
        if (!step(run)) {
            return IS_LIMITED;
        }
        position_min = taken < at->b ? position : position_min;
    }
    if (taken < at->b) {
        return FAILS;
    }
    bool pushed = true;
    if (at->lazy && at->c > at->b) {
        pushed = push(run, ENTRY_LAZY, run->pc, position, at->c - at->b);
    } else if (!at->lazy && taken > at->b) {
        pushed = push(run, ENTRY_RUN, run->pc, position, position_min);
    }
    run->position = position;
    run->pc++;
    return pushed ? GOES_ON : IS_LIMITED;
}

static enum outcome run_reference(struct run *run, const struct pattern_instruction *at) {
    uint32_t first = run->slots[at->a + SLOT_FIRST];
    uint32_t last = run->slots[at->a + SLOT_LAST];
    run->pc++;
    if (first == PATTERN_NONE || first == last) {
        return GOES_ON; /* what captured nothing matches nothing */
    }
    uint32_t size = last - first;
    if (size > (at->back ? run->position : run->size - run->position)) {
        return FAILS;
    }
    uint64_t cost = size / 8;
    if (run->steps < cost) {
        run->steps = 0;
        return IS_LIMITED;
    }
    run->steps -= cost;
    uint32_t from = at->back ? run->position - size : run->position;
    if (memcmp(run->text + from, run->text + first, size) != 0) {
        return FAILS;
    }
    run->position = at->back ? from : from + size;
    return GOES_ON;
}

static bool is_word(const struct run *run, uint32_t position) {
    uint8_t byte = position < run->size ? run->text[position] : 0;
    uint8_t lower = byte | 32;
    return (byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'z') || byte == '_';
}

static bool is_boundary(const struct run *run) {
    bool word_before = run->position > 0 && is_word(run, run->position - 1);
    return word_before != is_word(run, run->position);
}

/* A look matched: what it could have tried else is forgotten; what its groups captured stays, and can be undone. */
static enum outcome finish_look(struct run *run, bool negative) {
    uint32_t look = run->look;
    struct entry entry = run->stack[look];
    if (negative) {
        while (run->count > look + 1) {
            const struct entry *top = &run->stack[--run->count];
            if (top->kind == ENTRY_UNDO) {
                run->slots[top->pc] = top->position;
            }
        }
        run->count = look;
        run->look = entry.extra;
        return FAILS;
    }
    uint32_t kept = look;
    for (uint32_t i = look + 1; i < run->count; i++) {
        if (run->stack[i].kind == ENTRY_UNDO) {
            run->stack[kept++] = run->stack[i];
        }
    }
    run->count = kept;
    run->look = entry.extra;
    run->position = entry.position;
    run->pc++;
    return GOES_ON;
}

static enum outcome close_group(struct run *run, const struct pattern_instruction *at) {
    uint32_t entered = run->slots[at->a + SLOT_ENTERED];
    bool pushed = set_slot(run, at->a + SLOT_FIRST, at->back ? run->position : entered) &&
                  set_slot(run, at->a + SLOT_LAST, at->back ? entered : run->position);
    run->pc++;
    return pushed ? GOES_ON : IS_LIMITED;
}

static enum outcome enter_look(struct run *run) {
    if (!push(run, ENTRY_LOOK, run->pc, run->position, run->look)) {
        return IS_LIMITED;
    }
    run->look = run->count - 1;
    run->pc++;
    return GOES_ON;
}

/* Steps on where `holds`. */
static inline enum outcome assert_that(struct run *run, bool holds) {
    run->pc++;
    return holds ? GOES_ON : FAILS;
}

static enum outcome execute(struct run *run, const struct pattern_instruction *at) {
    switch ((enum pattern_op)at->op) {
    case OP_SET:
        return assert_that(run, consume(run, at->a, at->back, &run->position));
    case OP_RUN:
        return run_run(run, at);
    case OP_SPLIT:
        run->pc = at->a;
        return push(run, ENTRY_BRANCH, at->b, run->position, 0) ? GOES_ON : IS_LIMITED;
    case OP_JUMP:
        run->pc = at->a;
        return GOES_ON;
    case OP_START:
        return assert_that(run, run->position == 0);
    case OP_END:
        return assert_that(run, run->position == run->size);
    case OP_BOUNDARY:
        return assert_that(run, is_boundary(run) != at->negative);
    case OP_MARK:
        run->pc++;
        return set_slot(run, at->a, run->position) ? GOES_ON : IS_LIMITED;
    case OP_CLOSE:
        return close_group(run, at);
    case OP_CLEAR:
        run->pc++;
        return run->slots[at->a + SLOT_FIRST] == PATTERN_NONE || set_slot(run, at->a + SLOT_FIRST, PATTERN_NONE)
                   ? GOES_ON
                   : IS_LIMITED;
    case OP_MOVED:
        return assert_that(run, run->position != run->slots[at->a]);
    case OP_REFERENCE:
        return run_reference(run, at);
    case OP_LOOK:
        return enter_look(run);
    case OP_LOOK_DONE:
        return finish_look(run, at->negative);
    case OP_MATCH:
        break; /* the caller's */
    }
    return FAILS;
}

/* Takes up the last thing that was left to try. FAILS: nothing is left. */
static enum outcome backtrack(struct run *run) {
    while (run->count > 0) {
        struct entry *top = &run->stack[run->count - 1];
        const struct pattern_instruction *at = /* but of an undo, where pc is a slot */
            &run->program->instructions[top->kind == ENTRY_UNDO ? 0 : top->pc];
        if (!step(run)) {
            return IS_LIMITED;
        }
        switch ((enum entry_kind)top->kind) {
        case ENTRY_BRANCH:
            run->pc = top->pc;
            run->position = top->position;
            run->count--;
            return GOES_ON;
        case ENTRY_UNDO:
            run->slots[top->pc] = top->position;
            run->count--;
            break;
        case ENTRY_RUN:
            top->position = at->back ? after(run, top->position) : before(run, top->position);
            run->pc = top->pc + 1;
            run->position = top->position;
            run->count -= top->position == top->extra ? 1 : 0;
            return GOES_ON;
        case ENTRY_LAZY:
            if (!consume(run, at->a, at->back, &top->position)) {
                run->count--;
                break;
            }
            run->pc = top->pc + 1;
            run->position = top->position;
            top->extra--;
            run->count -= top->extra == 0 ? 1 : 0;
            return GOES_ON;
        case ENTRY_LOOK:
            run->look = top->extra;
            run->count--;
            if (at->negative) {
                run->position = top->position;
                run->pc = at->a;
                return GOES_ON;
            }
            break;
        }
    }
    return FAILS;
}

/* Does a match begin at this position? */
static enum pattern_verdict attempt(struct run *run, uint32_t position) {
    run->pc = 0;
    run->position = position;
    run->count = 0;
    run->look = PATTERN_NONE;
    for (;;) {
        const struct pattern_instruction *at = &run->program->instructions[run->pc];
        if (at->op == OP_MATCH) {
            return PATTERN_YES;
        }
        enum outcome outcome = step(run) ? execute(run, at) : IS_LIMITED;
        if (outcome == FAILS) {
            outcome = backtrack(run);
        }
        if (outcome != GOES_ON) {
            return outcome == FAILS ? PATTERN_NO : PATTERN_LIMIT;
        }
    }
}

static enum pattern_verdict search(struct run *run) {
    /* Once: an attempt that fails leaves the slots as they were. */
    if (run->program->slot_count > 0) {
        memset(run->slots, 0xFF, run->program->slot_count * sizeof(*run->slots));
    }
    for (uint32_t position = 0;; position = after(run, position)) {
        enum pattern_verdict verdict = attempt(run, position);
        if (verdict != PATTERN_NO || run->program->anchored || position == run->size) {
            return verdict;
        }
    }
}

enum pattern_verdict pattern_program_search(const struct pattern_program *program, struct bytes text,
                                            uint32_t heap_kib_max, uint64_t *steps_left) {
    struct entry arena[ARENA_SIZE / sizeof(struct entry)];
    if (text.size >= PATTERN_NONE || utf8_span(text) != text.size) {
        return PATTERN_LIMIT;
    }
    CLEANUP(run_done)
    struct run run = {.program = program,
                      .text = text.data,
                      .size = (uint32_t)text.size,
                      .stack = arena,
                      .capacity = sizeof(arena) / sizeof(*arena),
                      .heap_max = (size_t)heap_kib_max * 1024,
                      .steps = *steps_left};
    /* The slots stand before the stack; there are thousands at most, as groups are limited. */
    size_t slot_entries = (program->slot_count * sizeof(*run.slots) + sizeof(struct entry) - 1) / sizeof(struct entry);
    uint32_t *slots = NULL;
    if (slot_entries > run.capacity / 2) {
        slots = malloc(program->slot_count * sizeof(*slots));
        if (slots == NULL) {
            return PATTERN_LIMIT;
        }
        run.slots = slots;
    } else {
        run.slots = (uint32_t *)(void *)arena;
        run.stack += slot_entries;
        run.capacity -= (uint32_t)slot_entries;
    }
    enum pattern_verdict verdict = search(&run);
    free(slots);
    *steps_left = run.steps;
    return verdict;
}
