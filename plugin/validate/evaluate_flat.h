/* evaluate_flat.h: subschemas that need no frame: assertions, and what applies them to elements or decides by them. */
#ifndef POLARIS_PLUGIN_VALIDATE_EVALUATE_FLAT_H
#define POLARIS_PLUGIN_VALIDATE_EVALUATE_FLAT_H

#include "validate/evaluate_assert.h"
#include "validate/hash.h"

/* What the kind of a value alone decides; STEP_CALL: nothing. To be asked before the fast code. */
ALWAYS_INLINE enum step judge_kind(const struct schema_run *run, uint8_t kind) {
    if ((run->undecided >> kind & 1) != 0) {
        return STEP_CALL;
    }
    return (run->accepts >> kind & 1) != 0 ? STEP_PASS : STEP_FAIL;
}

/* Whatever the kind. Calls of their own, as the many cases would take the registers of the walks around them; and two,
 * as most leaves are one assertion, which needs none of the registers that a loop would save. */
enum step run_assertion(struct machine *machine, const struct instruction *in, const struct wire_item *item);
enum step run_assertions(struct machine *machine, const struct schema_run *run, const struct wire_item *item);

ALWAYS_INLINE enum step run_leaf(struct machine *machine, const struct schema_run *run, const struct wire_item *item) {
    return (run->flags & SCHEMA_SINGLE) != 0 ? run_assertion(machine, &machine->view.code[run->fast], item)
                                             : run_assertions(machine, run, item);
}

/* Of a row. */
enum step run_row(struct machine *machine, const struct schema_run *run, const struct wire_item *item);
/* Of a flat one. Those that it applies wait on a stack of FLAT_LEVELS_MAX. */
enum step run_flat(struct machine *machine, const struct schema_run *run, const struct wire_item *item);

/* Of any; STEP_CALL: it is neither a leaf nor a row. */
ALWAYS_INLINE enum step run_small(struct machine *machine, const struct schema_run *run, const struct wire_item *item) {
    enum step step = judge_kind(run, item->kind);
    if (step == STEP_CALL && (run->flags & SCHEMA_LEAF) != 0) {
        return run_leaf(machine, run, item);
    }
    if (step == STEP_CALL && (run->flags & SCHEMA_ROW) != 0) {
        return run_row(machine, run, item);
    }
    return step;
}

/* A walk over the members of a map. */
struct member_walk {
    const struct wire_item *name; /* the key that it is at */
    const struct key *expected;   /* which it may well be, as most writers keep to the order of the schema */
    uint32_t left;
    uint32_t count; /* of required keys seen */
    /* Without frames, after STEP_CALL: what is to be asked of the member that it has passed. */
    const struct schema_run *run;
    const struct wire_item *value;
};

ALWAYS_INLINE void walk_begin(const struct machine *machine, const struct object_rule *rule, struct member_walk *walk,
                              const struct wire_item *map) {
    const struct program_view *view = &machine->view;
    walk->name = map + 1;
    walk->expected = rule->table != NO_INDEX ? view->keys + view->tables[rule->table].first : NULL;
    walk->left = map->size;
    walk->count = 0;
}

/* Goes on as long as members' subschemas are leaves or rows, or with frames flat ones. STEP_CALL: with frames, the walk
 * is at a member whose subschema needs one; without, it has passed one whose subschema is flat. */
ALWAYS_INLINE enum step walk_members(struct machine *machine, const struct object_rule *rule, struct member_walk *walk,
                                     bool has_frames) {
    static const struct schema_run ANY = {.flags = SCHEMA_LEAF, .accepts = UINT16_MAX};
    const struct wire_item *items = machine->items;
    const uint8_t *bytes = machine->bytes;
    const struct schema_run *additional =
        rule->additional != NO_INDEX ? &machine->view.schemas[rule->additional].run : &ANY;
    bool has_keys = rule->table != NO_INDEX;
    struct key_search search =
        has_keys ? key_search(&machine->view, &machine->view.tables[rule->table]) : (struct key_search){0};
    const struct key *last = has_keys ? search.keys + search.table->count - 1 : NULL;
    const struct key *expected = walk->expected;
    const struct wire_item *name = walk->name;
    uint32_t left = walk->left;
    uint32_t count = walk->count;
    enum step step = STEP_PASS;
    while (left > 0) {
        const struct wire_item *value = name + 1;
        const struct schema_run *run = additional;
        uint32_t required = 0;
        if (__builtin_expect(name->kind != WIRE_STR, 0)) {
            value = &items[name->next];
        } else if (has_keys) {
            struct bytes text = {bytes + name->offset + name->header_size, name->size};
            const struct key *key =
                key_is(&search, expected, text, name->mark) ? expected : key_search_find(&search, text, name->mark);
            if (key != NULL) {
                run = &key->run;
                required = key->required;
                expected = key < last ? key + 1 : key;
            }
        }
        step = run_small(machine, run, value);
        if (step == STEP_CALL && has_frames) {
            if ((run->flags & SCHEMA_FLAT) == 0) {
                break;
            }
            step = run_flat(machine, run, value);
        }
        if (step == STEP_FAIL || step == STEP_LIMIT) {
            break;
        }
        count += required;
        name = &items[value->next];
        left--;
        if (!has_frames && step == STEP_CALL) {
            walk->run = run;
            walk->value = value;
            break;
        }
    }
    walk->name = name;
    walk->expected = expected;
    walk->left = left;
    walk->count = count;
    return step;
}

#endif
