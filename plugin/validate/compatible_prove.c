/* compatible_prove.c: sequents: what is known, what is open, and the cases that are made of alternatives. */
#include "validate/compatible_proof.h"

#include "validate/hash.h"
#include "validate/value.h"

enum { CASES_MAX = 64 };

/* ---- goals that were met before ---- */

static uint64_t goal_hash(const struct set *set, uint32_t reader) {
    struct bytes literals = {(const uint8_t *)set->literals, set->count * sizeof set->literals[0]};
    return hash_bytes(literals, hash_number((uint64_t)reader << 32 | set->kinds, HASH_SEED));
}

uint32_t prove_goal_number(struct prover *prover, const struct set *set, uint32_t reader) {
    uint64_t hash = goal_hash(set, reader);
    uint32_t cursor = 0;
    uint32_t found;
    while ((found = index_next(&prover->goal_index, hash, &cursor)) != NO_INDEX) {
        const struct goal *goal = VECTOR_AT(prover->goals, struct goal, found);
        size_t size = set->count * sizeof set->literals[0];
        if (goal->reader == reader && goal->kinds == set->kinds && goal->count == set->count &&
            (size == 0 || memcmp(VECTOR_AT(prover->goal_literals, uint32_t, goal->first), set->literals, size) == 0)) {
            return found;
        }
    }
    struct goal goal = {.kinds = set->kinds,
                        .first = prover->goal_literals.count,
                        .count = set->count,
                        .reader = reader,
                        .state = GOAL_UNDECIDED};
    uint32_t number = prover->goals.count;
    uint64_t memory = ((uint64_t)number + 1) * sizeof goal + prover->goal_literals.count * sizeof(uint32_t);
    if (memory > prover->work.scratch_max) {
        prover->work.limit = WORK_MEMORY;
        return NO_INDEX;
    }
    if (!vector_append(&prover->goal_literals, sizeof(uint32_t), set->literals, set->count) ||
        !vector_append(&prover->goals, sizeof goal, &goal, 1) || !index_add(&prover->goal_index, hash, number)) {
        prover_no_memory(prover);
        return NO_INDEX;
    }
    return number;
}

#define GOAL(prover, i) VECTOR_AT((prover)->goals, struct goal, i)

/* What a keyword is about; values of other kinds pass it. */
static uint32_t kinds_of_keyword(enum keyword keyword) {
    switch ((int)keyword) {
    case KEYWORD_MULTIPLE_OF:
    case KEYWORD_MAXIMUM:
    case KEYWORD_EXCLUSIVE_MAXIMUM:
    case KEYWORD_MINIMUM:
    case KEYWORD_EXCLUSIVE_MINIMUM:
        return KIND_NUMBER;
    case KEYWORD_MAX_LENGTH:
    case KEYWORD_MIN_LENGTH:
    case KEYWORD_PATTERN:
    case KEYWORD_FORMAT:
        return KIND_STRING;
    case KEYWORD_MAX_ITEMS:
    case KEYWORD_MIN_ITEMS:
    case KEYWORD_UNIQUE_ITEMS:
    case KEYWORD_CONTAINS:
    case KEYWORD_PREFIX_ITEMS:
    case KEYWORD_ITEMS:
    case KEYWORD_ADDITIONAL_ITEMS:
    case KEYWORD_UNEVALUATED_ITEMS:
        return KIND_ARRAY;
    case KEYWORD_MAX_PROPERTIES:
    case KEYWORD_MIN_PROPERTIES:
    case KEYWORD_REQUIRED:
    case KEYWORD_PROPERTIES:
    case KEYWORD_PATTERN_PROPERTIES:
    case KEYWORD_ADDITIONAL_PROPERTIES:
    case KEYWORD_UNEVALUATED_PROPERTIES:
    case KEYWORD_PROPERTY_NAMES:
    case KEYWORD_DEPENDENT_REQUIRED:
    case KEYWORD_DEPENDENT_SCHEMAS:
    case KEYWORD_DEPENDENCIES:
        return KIND_OBJECT;
    default:
        return UINT32_MAX;
    }
}

/* ---- logic ---- */

static bool prove_any_of(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    struct wire_value array = node_member(prover, obligation->reader, obligation->keyword);
    struct wire_value branch = {array.document, array.index + 1};
    for (uint32_t left = value_item(array)->size; left > 0 && prover_spend(prover, 1); left--) {
        if (prove(prover, facts->set, node_child(prover, obligation->reader, branch.index))) {
            return true;
        }
        branch = wire_value_next(branch);
    }
    return false;
}

/* The set, and a node that is taken to hold or not: does nothing satisfy it, or all of it the goal? */
static bool prove_given(struct prover *prover, const struct set *set, uint32_t node, enum literal literal,
                        uint32_t reader) {
    struct set with = *set;
    uint32_t before = with.count;
    set_add(&with, node, literal);
    if (with.count == before && node != NODE_TRUE && !set_has(set, node, literal)) {
        return prove(prover, set, reader);
    }
    return prove(prover, &with, reader);
}

static bool prove_one_of(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    struct wire_value array = node_member(prover, obligation->reader, obligation->keyword);
    uint32_t count = value_item(array)->size;
    struct wire_value branch = {array.document, array.index + 1};
    uint32_t chosen = NO_INDEX;
    for (uint32_t i = 0; i < count && chosen == NO_INDEX && prover_spend(prover, 1); i++) {
        uint32_t node = node_child(prover, obligation->reader, branch.index);
        chosen = prove(prover, facts->set, node) ? i : NO_INDEX;
        branch = wire_value_next(branch);
    }
    branch.index = array.index + 1;
    for (uint32_t i = 0; i < count && chosen != NO_INDEX; i++) {
        uint32_t node = node_child(prover, obligation->reader, branch.index);
        if (i != chosen && !prove_given(prover, facts->set, node, HOLDS, NODE_FALSE)) {
            return false;
        }
        branch = wire_value_next(branch);
    }
    return chosen != NO_INDEX;
}

static bool prove_if(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    const struct node node = *NODE(prover, obligation->reader);
    uint32_t condition = node_child(prover, obligation->reader, node.members[KEYWORD_IF]);
    static const enum keyword BRANCHES[] = {KEYWORD_THEN, KEYWORD_ELSE};
    for (int i = 0; i < 2; i++) {
        if (node_has(&node, BRANCHES[i]) &&
            !prove_given(prover, facts->set, condition, i == 0 ? HOLDS : FAILS,
                         node_child(prover, obligation->reader, node.members[BRANCHES[i]]))) {
            return false;
        }
    }
    return true;
}

/* Is there no value in the set, by what its members must be, or by what must not hold? */
static bool prove_never(struct prover *prover, const struct facts *facts) {
    uint32_t kinds = facts->kinds;
    for (uint32_t i = 0; i < facts->count && (kinds & KIND_OBJECT) != 0; i++) {
        uint32_t part = PART(prover, facts, i);
        if (!node_has(NODE(prover, part), KEYWORD_REQUIRED)) {
            continue;
        }
        struct wire_value array = node_member(prover, part, KEYWORD_REQUIRED);
        struct wire_value name = {array.document, array.index + 1};
        for (uint32_t left = value_item(array)->size; left > 0 && (kinds & KIND_OBJECT) != 0; left--) {
            kinds &= facts_forbid_name(prover, facts, value_text(name)) ? ~(uint32_t)KIND_OBJECT : UINT32_MAX;
            name = wire_value_next(name);
        }
    }
    if ((kinds & KIND_ARRAY) != 0 && facts->items_min > 0) {
        uint32_t prefix = facts_prefix(prover, facts);
        for (uint32_t i = 0; i < facts->items_min && i <= prefix && (kinds & KIND_ARRAY) != 0; i++) {
            struct set element;
            facts_of_index(prover, facts, i, &element);
            kinds &=
                element.count > 0 && prove_member(prover, &element, NODE_FALSE) ? ~(uint32_t)KIND_ARRAY : UINT32_MAX;
        }
    }
    if (kinds == 0) {
        return true;
    }
    for (uint32_t i = 0; i < facts->set->count; i++) {
        uint32_t literal = facts->set->literals[i];
        if ((literal & ((1u << LITERAL_BITS) - 1)) == FAILS && prove(prover, facts->set, literal >> LITERAL_BITS)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t part = PART(prover, facts, i);
        if (node_has(NODE(prover, part), KEYWORD_NOT) &&
            prove(prover, facts->set, node_child(prover, part, NODE(prover, part)->members[KEYWORD_NOT]))) {
            return true;
        }
    }
    return false;
}

static bool prove_direct(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    uint32_t reader = obligation->reader;
    switch ((int)obligation->keyword) {
    case KEYWORD_NONE:
        return prove_never(prover, facts);
    case KEYWORD_REF:
    case KEYWORD_DYNAMIC_REF: {
        uint32_t target = node_target(prover, reader, obligation->keyword);
        return !(obligation->keyword == KEYWORD_DYNAMIC_REF && NODE(prover, reader)->is_opaque) &&
               prove(prover, facts->set, target);
    }
    case KEYWORD_ALL_OF:
        return prove(prover, facts->set, obligation->schema);
    case KEYWORD_ANY_OF:
        return prove_any_of(prover, facts, obligation);
    case KEYWORD_ONE_OF:
        return prove_one_of(prover, facts, obligation);
    case KEYWORD_NOT:
        return prove_given(prover, facts->set, node_child(prover, reader, NODE(prover, reader)->members[KEYWORD_NOT]),
                           HOLDS, NODE_FALSE);
    case KEYWORD_IF:
        return prove_if(prover, facts, obligation);
    default:
        break;
    }
    switch (kinds_of_keyword(obligation->keyword)) {
    case KIND_ARRAY:
        return prove_array(prover, facts, obligation);
    case KIND_OBJECT:
        return prove_object(prover, facts, obligation);
    default:
        return prove_assertion(prover, facts, obligation);
    }
}

/* ---- cases ---- */

static bool has_negative(const struct prover *prover, const struct facts *facts) {
    for (uint32_t i = 0; i < facts->set->count; i++) {
        if ((facts->set->literals[i] & ((1u << LITERAL_BITS) - 1)) == FAILS) {
            return true;
        }
    }
    for (uint32_t i = 0; i < facts->count; i++) {
        if (node_has(NODE(prover, PART(prover, facts, i)), KEYWORD_NOT)) {
            return true;
        }
    }
    return false;
}

/* Alternatives often go by the kind of the value. */
static bool goes_by_kind(const struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    switch ((int)obligation->keyword) {
    case KEYWORD_ANY_OF:
    case KEYWORD_ONE_OF:
    case KEYWORD_NOT:
    case KEYWORD_IF:
        return true;
    case KEYWORD_NONE:
        return has_negative(prover, facts);
    default:
        return false;
    }
}

static bool prove_cases(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    struct split split = facts_split(prover, facts);
    bool proved = true;
    if (split.count > 0) {
        if (prover->splits >= SPLIT_DEPTH_MAX) {
            prover->depth_hits++;
            return false;
        }
        prover->splits++;
        for (uint32_t i = 0; i < split.count && proved; i++) {
            struct set set;
            split_case(prover, facts->set, &split, i, &set);
            proved = split.count <= CASES_MAX && prover_spend(prover, 4) && prove_obligation(prover, &set, obligation);
        }
        prover->splits--;
        return proved;
    }
    bool by_kind = goes_by_kind(prover, facts, obligation) && (facts->kinds & (facts->kinds - 1)) != 0;
    for (uint32_t kind = 1; by_kind && kind <= KIND_OTHER && proved; kind <<= 1) {
        struct set set = *facts->set;
        set.kinds = facts->kinds & kind;
        proved = set.kinds == 0 || (prover_spend(prover, 4) && prove_obligation(prover, &set, obligation));
    }
    return by_kind && proved;
}

bool prove_obligation(struct prover *prover, const struct set *set, const struct obligation *obligation) {
    struct facts facts;
    if (prover->depth >= PROOF_DEPTH_MAX || !prover_spend(prover, 2)) {
        prover->depth_hits++;
        return false;
    }
    prover->depth++;
    facts_read(prover, set, &facts);
    bool proved =
        (facts.kinds & kinds_of_keyword(obligation->keyword)) == 0 || prove_direct(prover, &facts, obligation);
    bool decided = proved;
    if (!proved && prover->status == OK) {
        decided = prove_finite(prover, &facts, obligation->reader, &proved) && proved;
    }
    if (!decided) {
        proved = (obligation->keyword != KEYWORD_NONE && prove_empty(prover, set)) ||
                 prove_cases(prover, &facts, obligation);
    }
    facts_done(prover, &facts);
    prover->depth--;
    return proved && prover->status == OK && prover->work.limit == WORK_FINE;
}

/* All obligations of the goal. */
static bool prove_obligations(struct prover *prover, const struct set *set, uint32_t reader) {
    struct obligations obligations;
    bool proved = true;
    obligations_open(prover, set, reader, &obligations);
    while (obligations_next(prover, &obligations, proved)) {
        proved = prove_obligation(prover, set, &obligations.now);
    }
    return obligations.complete;
}

/* The goal is, by value or in truth, one of those that hold. */
static bool is_known(struct prover *prover, const struct set *set, uint32_t reader) {
    struct facts facts;
    facts_read(prover, set, &facts);
    bool known = facts.kinds == 0;
    for (uint32_t i = 0; i < facts.count && !known; i++) {
        known = PART(prover, &facts, i) == reader || node_same(prover, PART(prover, &facts, i), reader);
    }
    facts_done(prover, &facts);
    return known;
}

bool prove(struct prover *prover, const struct set *set, uint32_t reader) {
    if (prover->status != OK || prover->work.limit != WORK_FINE) {
        return false;
    }
    if (NODE(prover, reader)->is_true) {
        return true;
    }
    reader = NODE(prover, reader)->is_false ? NODE_FALSE : reader;
    uint32_t number = prove_goal_number(prover, set, reader);
    if (number == NO_INDEX) {
        return false;
    }
    struct goal *goal = GOAL(prover, number);
    switch (goal->state) {
    case GOAL_PROVED:
        return true;
    case GOAL_FAILED:
        return false;
    case GOAL_OPEN:
        /* By induction over the size of the value, if it is a smaller one by now. */
        if (goal->level >= prover->level) {
            return false;
        }
        prover->dependency = prover->dependency < goal->depth ? prover->dependency : goal->depth;
        return true;
    case GOAL_UNDECIDED:
        break;
    }
    if (prover->depth >= PROOF_DEPTH_MAX) {
        prover->depth_hits++;
        return false;
    }
    uint32_t outer = prover->dependency;
    uint32_t hits = prover->depth_hits;
    uint32_t splits = prover->splits;
    prover->dependency = UINT32_MAX;
    goal->state = GOAL_OPEN;
    goal->depth = prover->depth++;
    goal->level = prover->level;
    bool proved = is_known(prover, set, reader) || prove_obligations(prover, set, reader) ||
                  (reader != NODE_FALSE && prove_empty(prover, set));
    proved = proved && prover->status == OK && prover->work.limit == WORK_FINE;
    prover->depth--;
    prover->splits = splits;
    /* What hangs on an open goal is not known for good; nor is what was given up. */
    bool hangs = prover->dependency < prover->depth;
    goal = GOAL(prover, number);
    if (proved) {
        goal->state = hangs ? GOAL_UNDECIDED : GOAL_PROVED;
    } else {
        goal->state = hits != prover->depth_hits ? GOAL_UNDECIDED : GOAL_FAILED;
    }
    if (!hangs) {
        prover->dependency = UINT32_MAX;
    }
    prover->dependency = prover->dependency < outer ? prover->dependency : outer;
    return proved;
}

bool prove_member(struct prover *prover, const struct set *set, uint32_t reader) {
    uint32_t splits = prover->splits;
    prover->splits = 0;
    prover->level++;
    bool proved = prove(prover, set, reader);
    prover->level--;
    prover->splits = splits;
    return proved;
}
