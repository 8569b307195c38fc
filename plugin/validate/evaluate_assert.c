/* evaluate_assert.c: assertions that are worth a call: by value, by text, by the keys of a map. */
#include "validate/evaluate_assert.h"

#include "validate/format.h"
#include "validate/hash.h"

enum { PAIRWISE_MAX = 6 }; /* elements of so short an array are compared with each other */

/* Is the value, of that hash, among the constants? */
static enum verdict find_constant(struct machine *machine, const struct enumeration *set, struct wire_value value,
                                  uint64_t hash) {
    for (uint32_t at = (uint32_t)hash & set->mask;; at = (at + 1) & set->mask) {
        const struct enum_slot *slot = &machine->view.enum_slots[set->slots + at];
        if (slot->item == NO_INDEX) {
            return VERDICT_NO;
        }
        if (!work_spend(machine->work, 1)) {
            return VERDICT_LIMIT;
        }
        if (slot->hash == hash) {
            struct wire_value constant = {&machine->view.constant_document, slot->item};
            enum verdict verdict = value_equal(value, constant, machine->work);
            if (verdict != VERDICT_NO) {
                return verdict;
            }
        }
    }
}

enum verdict assert_enum(struct machine *machine, const struct enumeration *set, uint32_t index) {
    if (machine->items[index].kind == WIRE_STR && set->texts != NO_INDEX) {
        if (!work_spend(machine->work, value_hash_steps(machine_value(machine, index)))) {
            return VERDICT_LIMIT;
        }
        return ASSERT(machine_find_key(machine, &machine->view.tables[set->texts], index) != NULL);
    }
    struct wire_value value = machine_value(machine, index);
    /* Values that JSON lacks have no type, and may be among the constants of no schema. */
    if (!assert_type(machine, set->types, &machine->items[index]) ||
        !work_spend(machine->work, value_hash_steps(value))) {
        return machine->work->limit == WORK_FINE ? VERDICT_NO : VERDICT_LIMIT;
    }
    return find_constant(machine, set, value, value_hash(value, machine->program->seed));
}

enum verdict assert_length_exactly(struct machine *machine, uint32_t least, uint32_t most, uint32_t value) {
    struct bytes text = machine_text(machine, value);
    if (!work_spend(machine->work, text.size / 64)) {
        return VERDICT_LIMIT;
    }
    size_t length = text_length(text);
    return length >= least && length <= most ? VERDICT_YES : VERDICT_NO;
}

/* OP_MAXIMUM and so on, where they are not fused. */
static bool assert_bound(const struct machine *machine, const struct instruction *in, uint32_t value) {
    if (!kind_is_number((enum wire_kind)machine->items[value].kind)) {
        return true;
    }
    int order = assert_compare(machine, in->a, value);
    bool is_maximum = in->op == OP_MAXIMUM || in->op == OP_EXCLUSIVE_MAXIMUM;
    bool is_exclusive = in->op == OP_EXCLUSIVE_MAXIMUM || in->op == OP_EXCLUSIVE_MINIMUM;
    return order == (is_maximum ? -1 : 1) || (order == 0 && !is_exclusive);
}

bool assert_range_exactly(const struct machine *machine, const struct range *range, uint32_t value) {
    if (range->minimum != NO_INDEX) {
        int order = assert_compare(machine, range->minimum, value);
        if (order == -1 || (order == 0 && range->minimum_exclusive) || order == 2) {
            return false;
        }
    }
    if (range->maximum != NO_INDEX) {
        int order = assert_compare(machine, range->maximum, value);
        return order == -1 || (order == 0 && !range->maximum_exclusive);
    }
    return true;
}

/* ---- uniqueItems ---- */

struct seen_item {
    uint64_t hash;
    uint32_t item; /* 0: empty, as no element is a tape's first */
};

static enum verdict check_unique_pairwise(struct machine *machine, uint32_t array) {
    uint32_t end = machine->items[array].next;
    for (uint32_t a = array + 1; a < end; a = machine->items[a].next) {
        for (uint32_t b = machine->items[a].next; b < end; b = machine->items[b].next) {
            enum verdict equal = value_equal(machine_value(machine, a), machine_value(machine, b), machine->work);
            if (equal != VERDICT_NO) {
                return equal == VERDICT_LIMIT ? VERDICT_LIMIT : VERDICT_NO;
            }
        }
    }
    return VERDICT_YES;
}

static enum verdict check_unique(struct machine *machine, uint32_t array) {
    struct work *work = machine->work;
    uint32_t count = machine->items[array].size;
    uint32_t end = machine->items[array].next;
    if (count <= PAIRWISE_MAX) {
        return check_unique_pairwise(machine, array);
    }
    uint64_t capacity = 16;
    while (capacity < 2 * (uint64_t)count) {
        capacity *= 2;
    }
    uint32_t mark = work->scratch_size;
    uint32_t table = work_reserve(work, capacity * sizeof(struct seen_item));
    enum verdict verdict = table != WORK_NONE && work_spend(work, value_hash_steps(machine_value(machine, array)))
                               ? VERDICT_YES
                               : VERDICT_LIMIT;
    for (uint32_t item = array + 1; item < end && verdict == VERDICT_YES; item = machine->items[item].next) {
        uint64_t hash = value_hash(machine_value(machine, item), machine->context->seed);
        uint64_t slot = hash & (capacity - 1);
        for (;; slot = (slot + 1) & (capacity - 1)) {
            struct seen_item *seen = (struct seen_item *)work_at(work, table) + slot;
            if (seen->item == 0) {
                *seen = (struct seen_item){.hash = hash, .item = item};
                break;
            }
            enum verdict equal = VERDICT_NO;
            if (!work_spend(work, 1)) {
                equal = VERDICT_LIMIT;
            } else if (seen->hash == hash) {
                equal = value_equal(machine_value(machine, item), machine_value(machine, seen->item), work);
            }
            if (equal != VERDICT_NO) {
                verdict = equal == VERDICT_LIMIT ? VERDICT_LIMIT : VERDICT_NO;
                break;
            }
        }
    }
    work->scratch_size = mark;
    return verdict;
}

/* ---- text ---- */

enum verdict assert_search(struct machine *machine, uint32_t pattern, uint32_t string) {
    struct work *work = machine->work;
    uint64_t steps = work->steps_left;
    enum pattern_verdict verdict =
        pattern_search_within(machine->view.patterns[pattern], machine_text(machine, string), &work->steps_left);
    if (__builtin_expect(verdict == PATTERN_LIMIT, 0)) {
        /* Less than its steps: then it was the memory for ways to go back. */
        bool is_memory = steps - work->steps_left < machine->program->limits.pattern_steps_max;
        work->limit = work->steps_left == 0 ? WORK_STEPS : is_memory ? WORK_PATTERN_MEMORY : WORK_PATTERN;
        return VERDICT_LIMIT;
    }
    return verdict == PATTERN_YES ? VERDICT_YES : VERDICT_NO;
}

static enum verdict check_format(struct machine *machine, uint32_t format, uint32_t value) {
    struct bytes text = machine_text(machine, value);
    if (!work_spend(machine->work, 1 + text.size / 16)) {
        return VERDICT_LIMIT;
    }
    enum format_verdict verdict = format_check((enum format_id)format, text);
    if (verdict == FORMAT_LIMIT) {
        machine->work->limit = WORK_FORMAT;
        return VERDICT_LIMIT;
    }
    return ASSERT(verdict == FORMAT_YES);
}

/* ---- keys ---- */

uint32_t assert_seen_keys(struct machine *machine, const struct key_table *table, uint32_t map) {
    uint32_t set = machine_new_set(machine, table->count);
    uint32_t key = map + 1;
    if (set == WORK_NONE || !work_spend(machine->work, machine->items[map].size)) {
        return WORK_NONE;
    }
    for (uint32_t left = machine->items[map].size; left > 0; left--) {
        if (machine->items[key].kind == WIRE_STR) {
            const struct key *found = machine_find_key(machine, table, key);
            if (found != NULL) {
                set_add(machine, set, (uint32_t)(found - &machine->view.keys[table->first]));
            }
        }
        key = machine->items[machine->items[key].next].next;
    }
    return set;
}

static enum verdict check_required(struct machine *machine, const struct key_table *table, uint32_t map) {
    uint32_t mark = machine->work->scratch_size;
    uint32_t seen = assert_seen_keys(machine, table, map);
    if (seen == WORK_NONE) {
        return VERDICT_LIMIT;
    }
    bool complete = true;
    for (uint32_t i = 0; i < table->count && complete; i++) {
        complete = set_has(machine, seen, i);
    }
    machine->work->scratch_size = mark;
    return ASSERT(complete);
}

static enum verdict check_dependent_required(struct machine *machine, const struct instruction *in, uint32_t map) {
    uint32_t mark = machine->work->scratch_size;
    uint32_t seen = assert_seen_keys(machine, &machine->view.tables[in->a], map);
    if (seen == WORK_NONE || !work_spend(machine->work, in->c)) {
        return VERDICT_LIMIT;
    }
    bool complete = true;
    for (uint32_t i = 0; i < in->c && complete;) {
        const uint32_t *link = &machine->view.links[in->b + i];
        for (uint32_t j = 0; j < link[1] && set_has(machine, seen, link[0]); j++) {
            complete = complete && set_has(machine, seen, link[2 + j]);
        }
        i += 2 + link[1];
    }
    machine->work->scratch_size = mark;
    return ASSERT(complete);
}

enum verdict assert_slow(struct machine *machine, const struct instruction *in, uint32_t value) {
    const struct wire_item *item = &machine->items[value];
    uint8_t kind = item->kind;
    switch (in->op) {
    case OP_CONST:
        return value_equal(machine_value(machine, value), (struct wire_value){&machine->view.constant_document, in->a},
                           machine->work);
    case OP_TYPE:
        return ASSERT(assert_type(machine, in->a, item));
    case OP_INTEGER_RANGE:
    case OP_NUMBER_RANGE:
        return ASSERT(assert_type(machine, in->op == OP_INTEGER_RANGE ? TYPE_INTEGER : TYPE_NUMBER, item) &&
                      assert_range(machine, &machine->view.ranges[in->a], item));
    case OP_MAXIMUM:
    case OP_EXCLUSIVE_MAXIMUM:
    case OP_MINIMUM:
    case OP_EXCLUSIVE_MINIMUM:
        return ASSERT(assert_bound(machine, in, value));
    case OP_MULTIPLE_OF:
        return ASSERT(!kind_is_number((enum wire_kind)kind) ||
                      decimal_is_multiple(decimal_from_number(number_of(machine_value(machine, value))),
                                          machine->view.bounds[in->a].decimal));
    case OP_FORMAT:
        return kind == WIRE_STR ? check_format(machine, in->a, value) : VERDICT_YES;
    case OP_UNIQUE_ITEMS:
        return kind == WIRE_ARRAY ? check_unique(machine, value) : VERDICT_YES;
    case OP_REQUIRED:
        return kind == WIRE_MAP ? check_required(machine, &machine->view.tables[in->a], value) : VERDICT_YES;
    case OP_DEPENDENT_REQUIRED:
        return kind == WIRE_MAP ? check_dependent_required(machine, in, value) : VERDICT_YES;
    default:
        return VERDICT_YES;
    }
}
