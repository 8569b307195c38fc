/* compatible_build_object.c: the smallest objects that a set describes: what is required, and what that calls for. */
#include "validate/compatible_witness.h"

#include "validate/value.h"

enum { MEMBERS_MAX = 1024, ROUNDS_MAX = 4 };

static bool has_name(const struct prover *prover, uint32_t first, struct bytes name) {
    for (uint32_t i = first; i < prover->names.count; i++) {
        if (bytes_equal(*VECTOR_AT(prover->names, struct bytes, i), name)) {
            return true;
        }
    }
    return false;
}

static bool want_name(struct prover *prover, uint32_t first, struct bytes name) {
    if (has_name(prover, first, name)) {
        return true;
    }
    if (prover->names.count - first >= MEMBERS_MAX || !prover_spend(prover, 1) ||
        !vector_append(&prover->names, sizeof name, &name, 1)) {
        return false;
    }
    return true;
}

static bool want_array(struct prover *prover, uint32_t first, struct wire_value array) {
    struct wire_value name = {array.document, array.index + 1};
    bool fine = true;
    for (uint32_t left = value_item(array)->size; left > 0 && fine; left--) {
        fine = wire_value_kind(name) != WIRE_STR || want_name(prover, first, value_text(name));
        name = wire_value_next(name);
    }
    return fine;
}

/* What a node demands once some names are there. Schemas that hold then are added to the set. */
static bool want_of_part(struct prover *prover, uint32_t part, uint32_t first, struct set *set) {
    static const enum keyword DEPENDENT[] = {KEYWORD_DEPENDENT_REQUIRED, KEYWORD_DEPENDENT_SCHEMAS,
                                             KEYWORD_DEPENDENCIES};
    bool fine = !node_has(NODE(prover, part), KEYWORD_REQUIRED) ||
                want_array(prover, first, node_member(prover, part, KEYWORD_REQUIRED));
    for (int i = 0; i < 3 && fine; i++) {
        if (!node_has(NODE(prover, part), DEPENDENT[i])) {
            continue;
        }
        struct wire_value map = node_member(prover, part, DEPENDENT[i]);
        struct wire_value name = {map.document, map.index + 1};
        for (uint32_t left = value_item(map)->size; left > 0 && fine; left--) {
            struct wire_value value = wire_value_next(name);
            bool present = has_name(prover, first, value_text(name));
            if (present && wire_value_kind(value) == WIRE_ARRAY) {
                fine = want_array(prover, first, value);
            } else if (present) {
                set_add(set, node_child(prover, part, value.index), HOLDS);
            }
            name = wire_value_next(value);
        }
    }
    return fine;
}

/* Names, until nothing more is called for; the set that then holds. */
static bool want_names(struct prover *prover, uint32_t first, struct set *set) {
    for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
        struct facts facts;
        uint32_t names = prover->names.count;
        uint32_t literals = set->count;
        facts_read(prover, set, &facts);
        bool fine = true;
        for (uint32_t i = 0; i < facts.count && fine; i++) {
            fine = want_of_part(prover, PART(prover, &facts, i), first, set);
        }
        facts_done(prover, &facts);
        if (!fine) {
            return false;
        }
        if (names == prover->names.count && literals == set->count) {
            return true;
        }
    }
    return true;
}

static bool may_be_there(struct prover *prover, const struct facts *facts, struct bytes name) {
    struct set member;
    struct facts own;
    facts_of_name(prover, facts, name, &member);
    facts_read(prover, &member, &own);
    facts_done(prover, &own);
    return own.kinds != 0;
}

/* More members than are called for: those that are declared, then others. */
static bool want_more(struct prover *prover, const struct facts *facts, uint32_t first, uint32_t count) {
    static const char *const OTHERS[] = {"x",  "y",  "z",  "x1", "x2", "x3", "x4", "x5", "x6", "x7",
                                         "x8", "x9", "y1", "y2", "y3", "y4", "y5", "y6", "y7", "y8"};
    for (uint32_t i = 0; i < facts->count && prover->names.count - first < count; i++) {
        uint32_t part = PART(prover, facts, i);
        if (!node_has(NODE(prover, part), KEYWORD_PROPERTIES)) {
            continue;
        }
        struct wire_value map = node_member(prover, part, KEYWORD_PROPERTIES);
        struct wire_value name = {map.document, map.index + 1};
        for (uint32_t left = value_item(map)->size; left > 0 && prover->names.count - first < count; left--) {
            if (may_be_there(prover, facts, value_text(name)) && !want_name(prover, first, value_text(name))) {
                return false;
            }
            name = wire_value_next(wire_value_next(name));
        }
    }
    bool others = !facts_lenient(prover, facts->set);
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0] && others && prover->names.count - first < count; i++) {
        struct bytes name = bytes_from_string(OTHERS[i]);
        if (may_be_there(prover, facts, name) && !want_name(prover, first, name)) {
            return false;
        }
    }
    return prover->names.count - first >= count;
}

bool open_object(struct prover *prover, struct making *making, struct buffer *ret) {
    const struct plan *plan = &making->plan;
    uint32_t first = making->names;
    if ((plan->has_member && !want_name(prover, first, plan->name)) || !want_names(prover, first, &making->set)) {
        return false;
    }
    facts_read(prover, &making->set, &making->facts); /* there may be more in the set by now */
    uint32_t count = making->facts.properties_min;
    count = plan->has_count && plan->count > count ? plan->count : count;
    count = count == 0 && plan->salt > 0 ? 1 : count;
    if (prover->names.count - first < count && !want_more(prover, &making->facts, first, count)) {
        return false;
    }
    making->is_object = true;
    making->count = prover->names.count - first;
    return put_head(0x80, 0xDF, making->count, ret);
}

bool next_member(struct prover *prover, struct making *making, struct buffer *buffer, bool *ret_given,
                 struct set *ret) {
    const struct plan *plan = &making->plan;
    struct bytes name = *VECTOR_AT(prover->names, struct bytes, making->names + making->index);
    if (!put_text(name, buffer)) {
        return false;
    }
    *ret_given = plan->has_member && bytes_equal(name, plan->name) && bytes_present(plan->value);
    if (!*ret_given) {
        facts_of_name(prover, &making->facts, name, ret);
    }
    return true;
}
