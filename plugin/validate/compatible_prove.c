/* compatible_prove.c: sequents: what is known, what is open, and the cases that are made of alternatives. */
#include "validate/compatible_proof.h"

#include "validate/hash.h"
#include "validate/value.h"

#include <assert.h>
#include <stdlib.h>

enum { CASES_MAX = 64 };

/* ---- frames ---- */

/* A goal: each of its obligations is met, or nothing is in the set at all. */
struct goal_proof {
    const struct set *set;
    uint32_t reader;
    uint32_t number;        /* among the goals that were met */
    uint32_t dependency;    /* of what was going on before */
    uint32_t depth_hits;    /* before it */
    uint32_t level, splits; /* to go back to */
    bool asks_empty;
    struct obligations obligations;
};

/* An obligation: argued for; or nothing is in the set at all; or it is met in each case. */
struct obligation_proof {
    const struct set *set;
    const struct obligation *obligation;
    struct facts facts; /* of the set */
    enum { BY_ARGUMENT, BY_EMPTINESS, BY_CASES } phase;
    struct argument argument; /* by cases, its set is the case's */
    struct split split;       /* of no branches: by kinds */
    uint32_t next_case;
};

/* A frame never moves: those above it point into it. */
struct proof {
    bool is_goal;
    union {
        struct goal_proof goal;
        struct obligation_proof obligation;
    };
};

bool prover_open_proofs(struct prover *prover) {
    prover->proofs = malloc(PROOF_DEPTH_MAX * sizeof *prover->proofs);
    return prover->proofs != NULL;
}

/* Each proof is one deeper than what asks for it: the depth, which the caller has looked at, bounds them. */
static struct proof *push_proof(struct prover *prover) {
    assert(prover->proof_count < PROOF_DEPTH_MAX);
    return &prover->proofs[prover->proof_count++];
}

/* Once a limit is reached or something failed nothing is proved any more. */
static bool may_prove(const struct prover *prover) {
    return prover->status == OK && prover->work.limit == WORK_FINE;
}

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

/* Decided at once, or OPEN: it is on the stack then. The set stays where it is until it is decided. */
static enum turn open_goal(struct prover *prover, const struct set *set, uint32_t reader, bool is_member) {
    if (!may_prove(prover)) {
        return TURN_FAILED;
    }
    if (NODE(prover, reader)->is_true) {
        return TURN_PROVED;
    }
    reader = NODE(prover, reader)->is_false ? NODE_FALSE : reader;
    uint32_t number = prove_goal_number(prover, set, reader);
    if (number == NO_INDEX) {
        return TURN_FAILED;
    }
    struct goal *goal = GOAL(prover, number);
    switch (goal->state) {
    case GOAL_PROVED:
        return TURN_PROVED;
    case GOAL_FAILED:
        return TURN_FAILED;
    case GOAL_OPEN:
        /* By induction over the size of the value, if it is a smaller one by now. */
        if (goal->level >= prover->level + is_member) {
            return TURN_FAILED;
        }
        prover->dependency = prover->dependency < goal->depth ? prover->dependency : goal->depth;
        return TURN_PROVED;
    case GOAL_UNDECIDED:
        break;
    }
    if (prover->depth >= PROOF_DEPTH_MAX) {
        prover->depth_hits++;
        return TURN_FAILED;
    }
    struct proof *proof = push_proof(prover);
    proof->is_goal = true;
    proof->goal = (struct goal_proof){.set = set,
                                      .reader = reader,
                                      .number = number,
                                      .dependency = prover->dependency,
                                      .depth_hits = prover->depth_hits,
                                      .level = prover->level,
                                      .splits = prover->splits};
    obligations_open(prover, set, reader, &proof->goal.obligations);
    prover->dependency = UINT32_MAX;
    prover->level += is_member;
    prover->splits = is_member ? 0 : prover->splits;
    goal->state = GOAL_OPEN;
    goal->depth = prover->depth++;
    goal->level = prover->level;
    return TURN_OPEN;
}

static enum turn close_goal(struct prover *prover, const struct goal_proof *proof, enum turn turn) {
    bool proved = turn == TURN_PROVED && may_prove(prover);
    prover->proof_count--;
    prover->depth--;
    prover->level = proof->level;
    prover->splits = proof->splits;
    /* What hangs on an open goal is not known for good; nor is what was given up. */
    bool hangs = prover->dependency < prover->depth;
    struct goal *goal = GOAL(prover, proof->number);
    if (proved) {
        goal->state = hangs ? GOAL_UNDECIDED : GOAL_PROVED;
    } else {
        goal->state = proof->depth_hits != prover->depth_hits ? GOAL_UNDECIDED : GOAL_FAILED;
    }
    if (!hangs) {
        prover->dependency = UINT32_MAX;
    }
    prover->dependency = prover->dependency < proof->dependency ? prover->dependency : proof->dependency;
    return turn_of(proved);
}

/* ---- obligations ---- */

/* As open_goal(). */
static enum turn open_obligation(struct prover *prover, const struct set *set, const struct obligation *obligation) {
    if (prover->depth >= PROOF_DEPTH_MAX || !prover_spend(prover, 2)) {
        prover->depth_hits++;
        return TURN_FAILED;
    }
    struct proof *proof = push_proof(prover);
    struct obligation_proof *opened = &proof->obligation;
    proof->is_goal = false;
    *opened = (struct obligation_proof){.set = set, .obligation = obligation};
    opened->argument.facts = &opened->facts;
    opened->argument.obligation = obligation;
    prover->depth++;
    facts_read(prover, set, &opened->facts);
    return TURN_OPEN;
}

static enum turn close_obligation(struct prover *prover, const struct obligation_proof *proof, enum turn turn) {
    prover->proof_count--;
    prover->depth--;
    facts_done(prover, &proof->facts);
    return turn_of(turn == TURN_PROVED && may_prove(prover));
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

/* The set of the next case. False: that was the last. */
static bool next_case(struct prover *prover, struct obligation_proof *proof, struct set *ret) {
    if (proof->split.count > 0) {
        if (proof->next_case == proof->split.count) {
            return false;
        }
        split_case(prover, proof->set, &proof->split, proof->next_case++, ret);
        return true;
    }
    while (proof->next_case < KINDS_COUNT) {
        uint32_t kind = 1u << proof->next_case++;
        if ((proof->facts.kinds & kind) != 0) {
            *ret = *proof->set;
            ret->kinds = kind;
            return true;
        }
    }
    return false;
}

/* False: there are none to be made. */
static bool open_cases(struct prover *prover, struct obligation_proof *proof) {
    const struct facts *facts = &proof->facts;
    proof->split = facts_split(prover, facts);
    if (proof->split.count == 0) {
        return goes_by_kind(prover, facts, proof->obligation) && (facts->kinds & (facts->kinds - 1)) != 0;
    }
    if (prover->splits >= SPLIT_DEPTH_MAX) {
        prover->depth_hits++;
        return false;
    }
    prover->splits++;
    return true;
}

static enum turn prove_cases(struct prover *prover, struct obligation_proof *proof, enum turn turn) {
    struct set *set = &proof->argument.set;
    if (turn == TURN_OPEN) {
        if (!open_cases(prover, proof)) {
            return TURN_FAILED;
        }
        turn = TURN_PROVED;
    }
    while (turn == TURN_PROVED && next_case(prover, proof, set)) {
        bool fine = proof->split.count <= CASES_MAX && prover_spend(prover, 4);
        turn = fine ? open_obligation(prover, set, proof->obligation) : TURN_FAILED;
    }
    prover->splits -= turn != TURN_OPEN && proof->split.count > 0;
    return turn;
}

/* ---- steps ---- */

static enum turn argue(struct prover *prover, struct obligation_proof *proof, enum turn turn) {
    struct argument *argument = &proof->argument;
    uint32_t kinds = kinds_of_keyword(proof->obligation->keyword);
    if ((proof->facts.kinds & kinds) == 0) {
        return TURN_PROVED;
    }
    do {
        turn = kinds == KIND_ARRAY    ? prove_array(prover, argument, turn)
               : kinds == KIND_OBJECT ? prove_object(prover, argument, turn)
                                      : prove_logic(prover, argument, turn);
        if (turn != TURN_OPEN) {
            return turn;
        }
        turn = open_goal(prover, &argument->set, argument->goal, argument->is_member);
    } while (turn != TURN_OPEN);
    return TURN_OPEN;
}

/* Are all values known, and valid? */
static bool is_met_by_values(struct prover *prover, const struct obligation_proof *proof) {
    bool proved = false;
    return prover->status == OK && prove_finite(prover, &proof->facts, proof->obligation->reader, &proved) && proved;
}

static enum turn step_obligation(struct prover *prover, struct obligation_proof *proof, enum turn turn) {
    if (proof->phase == BY_ARGUMENT) {
        turn = argue(prover, proof, turn);
        if (turn == TURN_FAILED && is_met_by_values(prover, proof)) {
            turn = TURN_PROVED;
        }
        if (turn == TURN_FAILED) {
            bool is_emptiness = proof->obligation->keyword == KEYWORD_NONE;
            proof->phase = BY_EMPTINESS;
            turn = is_emptiness ? TURN_FAILED : open_goal(prover, proof->set, NODE_FALSE, false);
        }
    }
    if (proof->phase == BY_EMPTINESS && turn == TURN_FAILED) {
        proof->phase = BY_CASES;
        turn = TURN_OPEN;
    }
    if (proof->phase == BY_CASES) {
        turn = prove_cases(prover, proof, turn);
    }
    return turn == TURN_OPEN ? TURN_OPEN : close_obligation(prover, proof, turn);
}

static enum turn step_goal(struct prover *prover, struct goal_proof *proof, enum turn turn) {
    struct obligations *obligations = &proof->obligations;
    if (turn == TURN_OPEN && is_known(prover, proof->set, proof->reader)) {
        return close_goal(prover, proof, TURN_PROVED);
    }
    if (proof->asks_empty) {
        return close_goal(prover, proof, turn);
    }
    while (obligations_next(prover, obligations, turn != TURN_FAILED)) {
        turn = open_obligation(prover, proof->set, &obligations->now);
        if (turn == TURN_OPEN) {
            return TURN_OPEN;
        }
    }
    turn = turn_of(obligations->complete);
    if (turn == TURN_FAILED && proof->reader != NODE_FALSE) {
        proof->asks_empty = true;
        turn = open_goal(prover, proof->set, NODE_FALSE, false);
    }
    return turn == TURN_OPEN ? TURN_OPEN : close_goal(prover, proof, turn);
}

/* What was decided goes to the proof below, which asked for it. */
static bool decide(struct prover *prover, enum turn turn) {
    while (prover->proof_count > 0) {
        struct proof *top = &prover->proofs[prover->proof_count - 1];
        turn = top->is_goal ? step_goal(prover, &top->goal, turn) : step_obligation(prover, &top->obligation, turn);
    }
    return turn == TURN_PROVED;
}

bool prove(struct prover *prover, const struct set *set, uint32_t reader) {
    return decide(prover, open_goal(prover, set, reader, false));
}

bool prove_obligation(struct prover *prover, const struct set *set, const struct obligation *obligation) {
    return decide(prover, open_obligation(prover, set, obligation));
}
