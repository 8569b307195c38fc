/* compatible_logic.c: what keywords that combine schemas hang on, and whether a set describes nothing at all. */
#include "validate/compatible_proof.h"

#include "validate/value.h"

uint32_t kinds_of_keyword(enum keyword keyword) {
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

/* ---- schemas in place ---- */

/* The subschema of the reader's keyword. */
static uint32_t own_child(struct prover *prover, const struct argument *argument, enum keyword keyword) {
    uint32_t reader = argument->obligation->reader;
    return node_child(prover, reader, NODE(prover, reader)->members[keyword]);
}

/* With a node that is taken to hold or not. If no literal fits into the set any more, the question is harder. */
static enum turn ask_given(struct argument *argument, uint32_t node, enum literal literal, uint32_t goal) {
    (void)ask(argument, argument->facts->set, goal);
    set_add(&argument->set, node, literal);
    return TURN_OPEN;
}

static enum turn prove_reference(struct prover *prover, struct argument *argument, enum turn turn) {
    const struct obligation *obligation = argument->obligation;
    if (turn != TURN_OPEN) {
        return turn;
    }
    uint32_t target = node_target(prover, obligation->reader, obligation->keyword);
    if (obligation->keyword == KEYWORD_DYNAMIC_REF && NODE(prover, obligation->reader)->is_opaque) {
        return TURN_FAILED;
    }
    return ask(argument, argument->facts->set, target);
}

static void walk_branches(const struct prover *prover, struct argument *argument) {
    argument->walk = walk_into(node_member(prover, argument->obligation->reader, argument->obligation->keyword));
    argument->index = 0;
}

static uint32_t next_branch(struct prover *prover, struct argument *argument) {
    argument->index++;
    return node_child(prover, argument->obligation->reader, walk_element(&argument->walk).index);
}

static enum turn prove_any_of(struct prover *prover, struct argument *argument, enum turn turn) {
    if (turn == TURN_PROVED) {
        return TURN_PROVED;
    }
    if (turn == TURN_OPEN) {
        walk_branches(prover, argument);
    }
    if (argument->walk.left == 0 || !prover_spend(prover, 1)) {
        return TURN_FAILED;
    }
    return ask(argument, argument->facts->set, next_branch(prover, argument));
}

/* One branch holds; given any other, nothing does. */
static enum turn prove_one_of(struct prover *prover, struct argument *argument, enum turn turn) {
    enum { CHOOSES, EXCLUDES };
    if (argument->phase == CHOOSES) {
        turn = prove_any_of(prover, argument, turn);
        if (turn != TURN_PROVED) {
            return turn;
        }
        argument->phase = EXCLUDES;
        argument->chosen = argument->index;
        walk_branches(prover, argument);
    }
    while (turn == TURN_PROVED && argument->walk.left > 0) {
        uint32_t node = next_branch(prover, argument);
        if (argument->index != argument->chosen) {
            turn = ask_given(argument, node, HOLDS, NODE_FALSE);
        }
    }
    return turn;
}

static enum turn prove_if(struct prover *prover, struct argument *argument, enum turn turn) {
    static const enum keyword BRANCHES[] = {KEYWORD_THEN, KEYWORD_ELSE};
    uint32_t condition = own_child(prover, argument, KEYWORD_IF);
    turn = turn == TURN_OPEN ? TURN_PROVED : turn;
    while (turn == TURN_PROVED && argument->index < 2) {
        uint32_t number = argument->index++;
        if (node_has(NODE(prover, argument->obligation->reader), BRANCHES[number])) {
            turn = ask_given(argument, condition, number == 0 ? HOLDS : FAILS,
                             own_child(prover, argument, BRANCHES[number]));
        }
    }
    return turn;
}

/* ---- nothing at all ---- */

static bool next_required(const struct prover *prover, struct argument *argument, struct bytes *ret_name) {
    while (argument->walk.left == 0) {
        if (argument->index == argument->facts->count) {
            return false;
        }
        uint32_t part = PART(prover, argument->facts, argument->index++);
        if (node_has(NODE(prover, part), KEYWORD_REQUIRED)) {
            argument->walk = walk_into(node_member(prover, part, KEYWORD_REQUIRED));
        }
    }
    *ret_name = value_text(walk_element(&argument->walk));
    return true;
}

/* Is a name required that no member can have? */
static enum turn find_forbidden_name(struct prover *prover, struct argument *argument, enum turn turn) {
    struct bytes name;
    while (turn == TURN_FAILED && next_required(prover, argument, &name)) {
        turn = forbid_name(prover, argument, name);
    }
    return turn;
}

/* Is there an element that nothing can be? */
static enum turn find_forbidden_element(struct prover *prover, struct argument *argument, enum turn turn) {
    const struct facts *facts = argument->facts;
    uint32_t prefix = facts_prefix(prover, facts);
    while (turn == TURN_FAILED && argument->index < facts->items_min && argument->index <= prefix) {
        facts_of_index(prover, facts, argument->index++, &argument->set);
        turn = argument->set.count > 0 ? ask_of_member(argument, NODE_FALSE) : TURN_FAILED;
    }
    return turn;
}

/* Does something hold in any case that must not? */
static enum turn find_failing(struct argument *argument, enum turn turn) {
    const struct facts *facts = argument->facts;
    while (turn == TURN_FAILED && argument->index < facts->set->count) {
        uint32_t literal = facts->set->literals[argument->index++];
        if ((literal & ((1u << LITERAL_BITS) - 1)) == FAILS) {
            turn = ask(argument, facts->set, literal >> LITERAL_BITS);
        }
    }
    return turn;
}

static enum turn find_negated(struct prover *prover, struct argument *argument, enum turn turn) {
    const struct facts *facts = argument->facts;
    while (turn == TURN_FAILED && argument->index < facts->count) {
        uint32_t part = PART(prover, facts, argument->index++);
        if (node_has(NODE(prover, part), KEYWORD_NOT)) {
            turn = ask(argument, facts->set, node_child(prover, part, NODE(prover, part)->members[KEYWORD_NOT]));
        }
    }
    return turn;
}

/* Is there no value in the set, by what its members must be, or by what must not hold? */
static enum turn prove_never(struct prover *prover, struct argument *argument, enum turn turn) {
    enum { FORBIDDEN_NAME, FORBIDDEN_ELEMENT, FAILING, NEGATED, REASONS };
    /* What each of them rules out. */
    static const uint32_t KINDS[REASONS] = {KIND_OBJECT, KIND_ARRAY, UINT32_MAX, UINT32_MAX};
    if (turn == TURN_OPEN) {
        argument->kinds = argument->facts->kinds;
        turn = TURN_FAILED;
    }
    for (; argument->phase < REASONS; argument->phase++, argument->index = 0, turn = TURN_FAILED) {
        uint32_t kinds = KINDS[argument->phase];
        if ((argument->kinds & kinds) == 0) {
            continue;
        }
        turn = argument->phase == FORBIDDEN_NAME      ? find_forbidden_name(prover, argument, turn)
               : argument->phase == FORBIDDEN_ELEMENT ? find_forbidden_element(prover, argument, turn)
               : argument->phase == FAILING           ? find_failing(argument, turn)
                                                      : find_negated(prover, argument, turn);
        if (turn == TURN_OPEN) {
            return TURN_OPEN;
        }
        argument->kinds &= turn == TURN_PROVED ? ~kinds : UINT32_MAX;
    }
    return turn_of(argument->kinds == 0);
}

enum turn prove_logic(struct prover *prover, struct argument *argument, enum turn turn) {
    const struct obligation *obligation = argument->obligation;
    switch ((int)obligation->keyword) {
    case KEYWORD_NONE:
        return prove_never(prover, argument, turn);
    case KEYWORD_REF:
    case KEYWORD_DYNAMIC_REF:
        return prove_reference(prover, argument, turn);
    case KEYWORD_ALL_OF:
        return turn == TURN_OPEN ? ask(argument, argument->facts->set, obligation->schema) : turn;
    case KEYWORD_ANY_OF:
        return prove_any_of(prover, argument, turn);
    case KEYWORD_ONE_OF:
        return prove_one_of(prover, argument, turn);
    case KEYWORD_NOT:
        return turn == TURN_OPEN ? ask_given(argument, own_child(prover, argument, KEYWORD_NOT), HOLDS, NODE_FALSE)
                                 : turn;
    case KEYWORD_IF:
        return prove_if(prover, argument, turn);
    default:
        return turn_of(prove_assertion(prover, argument->facts, obligation));
    }
}
