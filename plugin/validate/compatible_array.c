/* compatible_array.c: the elements of arrays: which schemas they have on either side, and how many there are. */
#include "validate/compatible_proof.h"

#include "validate/value.h"

/* How one node sees elements: a prefix, each with a schema, and the rest. */
struct elements {
    struct wire_value prefix; /* index NO_INDEX: none */
    uint32_t length;
    enum keyword rest; /* KEYWORD_NONE: anything */
};

static struct elements elements_of(const struct prover *prover, uint32_t number) {
    const struct node *node = NODE(prover, number);
    struct elements elements = {.prefix = {NULL, NO_INDEX}};
    bool has_items = node_has(node, KEYWORD_ITEMS);
    if (has_items && wire_value_kind(node_member(prover, number, KEYWORD_ITEMS)) == WIRE_ARRAY) {
        elements.prefix = node_member(prover, number, KEYWORD_ITEMS);
        elements.rest = node_has(node, KEYWORD_ADDITIONAL_ITEMS) ? KEYWORD_ADDITIONAL_ITEMS : KEYWORD_NONE;
    } else {
        if (node_has(node, KEYWORD_PREFIX_ITEMS)) {
            elements.prefix = node_member(prover, number, KEYWORD_PREFIX_ITEMS);
        }
        elements.rest = has_items ? KEYWORD_ITEMS : KEYWORD_NONE;
    }
    elements.length = elements.prefix.index != NO_INDEX ? value_item(elements.prefix)->size : 0;
    return elements;
}

static struct wire_value element_at(struct wire_value array, uint32_t index) {
    struct wire_value element = {array.document, array.index + 1};
    for (; index > 0; index--) {
        element = wire_value_next(element);
    }
    return element;
}

void facts_of_index(struct prover *prover, const struct facts *facts, uint32_t index, struct set *ret) {
    set_init(prover, ret);
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t part = PART(prover, facts, i);
        struct elements elements = elements_of(prover, part);
        if (index < elements.length) {
            if (prover_spend(prover, 1 + index / 8)) {
                set_add(ret, node_child(prover, part, element_at(elements.prefix, index).index), HOLDS);
            }
        } else if (elements.rest != KEYWORD_NONE) {
            set_add(ret, node_child(prover, part, NODE(prover, part)->members[elements.rest]), HOLDS);
        }
    }
}

uint32_t prefix_of_node(const struct prover *prover, uint32_t node) {
    return elements_of(prover, node).length;
}

uint32_t facts_prefix(struct prover *prover, const struct facts *facts) {
    uint32_t longest = 0;
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t length = prefix_of_node(prover, PART(prover, facts, i));
        longest = longest > length ? longest : length;
    }
    return longest;
}

uint32_t prefix_of_set(struct prover *prover, const struct set *set) {
    uint32_t first;
    uint32_t count;
    uint32_t longest = 0;
    (void)facts_closure(prover, set, &first, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length = prefix_of_node(prover, *VECTOR_AT(prover->parts, uint32_t, first + i));
        longest = longest > length ? longest : length;
    }
    prover->parts.count = first;
    return longest;
}

/* ---- contains ---- */

static void read_contains(const struct prover *prover, uint32_t number, uint32_t *least, uint32_t *most) {
    const struct node *node = NODE(prover, number);
    *least = node_has(node, KEYWORD_MIN_CONTAINS) ? count_of(node_member(prover, number, KEYWORD_MIN_CONTAINS)) : 1;
    *most =
        node_has(node, KEYWORD_MAX_CONTAINS) ? count_of(node_member(prover, number, KEYWORD_MAX_CONTAINS)) : UINT32_MAX;
}

/* Does each element match, or none? */
static enum turn each_element(struct prover *prover, struct argument *argument, uint32_t schema, bool matches,
                              enum turn turn) {
    const struct facts *facts = argument->facts;
    uint32_t prefix = facts_prefix(prover, facts);
    if (turn == TURN_OPEN) {
        argument->index = 0;
        turn = TURN_PROVED;
    }
    while (turn == TURN_PROVED && argument->index <= prefix && argument->index < facts->items_max) {
        facts_of_index(prover, facts, argument->index++, &argument->set);
        if (!matches) {
            set_add(&argument->set, schema, HOLDS);
        }
        turn = ask_of_member(argument, matches ? schema : NODE_FALSE);
    }
    return turn;
}

enum { ENOUGH, FEW };

/* A part's own `contains` counts as many or more, of what matches; or as few or fewer, of all that does. */
static enum turn ask_of_part(struct prover *prover, struct argument *argument, uint32_t part, int what,
                             uint32_t schema) {
    if (!node_has(NODE(prover, part), KEYWORD_CONTAINS) || argument->met[what]) {
        return TURN_FAILED;
    }
    uint32_t own = node_child(prover, part, NODE(prover, part)->members[KEYWORD_CONTAINS]);
    uint32_t least;
    uint32_t most;
    uint32_t own_least;
    uint32_t own_most;
    read_contains(prover, argument->obligation->reader, &least, &most);
    read_contains(prover, part, &own_least, &own_most);
    if (what == ENOUGH ? own_least < least : own_most > most) {
        return TURN_FAILED;
    }
    set_init(prover, &argument->set);
    set_add(&argument->set, what == ENOUGH ? own : schema, HOLDS);
    return ask_of_member(argument, what == ENOUGH ? schema : own);
}

static enum turn by_parts(struct prover *prover, struct argument *argument, uint32_t schema, enum turn turn) {
    const struct facts *facts = argument->facts;
    bool *met = argument->met;
    if (turn == TURN_OPEN) {
        argument->index = 0;
    } else {
        met[(argument->index - 1) % 2] = turn == TURN_PROVED;
    }
    while (!(met[ENOUGH] && met[FEW]) && argument->index < 2 * facts->count) {
        uint32_t part = PART(prover, facts, argument->index / 2);
        if (ask_of_part(prover, argument, part, argument->index++ % 2 == 0 ? ENOUGH : FEW, schema) == TURN_OPEN) {
            return TURN_OPEN;
        }
    }
    return turn_of(met[ENOUGH] && met[FEW]);
}

static enum turn prove_contains(struct prover *prover, struct argument *argument, enum turn turn) {
    enum { EACH_MATCHES, NONE_DOES, BY_PARTS };
    const struct facts *facts = argument->facts;
    uint32_t reader = argument->obligation->reader;
    uint32_t schema = node_child(prover, reader, NODE(prover, reader)->members[KEYWORD_CONTAINS]);
    uint32_t least;
    uint32_t most;
    read_contains(prover, reader, &least, &most);
    if (argument->phase == EACH_MATCHES) {
        bool may_match = least > 0 && facts->items_min >= least;
        turn = may_match ? each_element(prover, argument, schema, true, turn) : turn_of(least == 0);
        if (turn == TURN_OPEN) {
            return TURN_OPEN;
        }
        argument->met[ENOUGH] = turn == TURN_PROVED;
        argument->phase = NONE_DOES;
        turn = TURN_OPEN;
    }
    if (argument->phase == NONE_DOES) {
        bool are_few = most == UINT32_MAX || facts->items_max <= most;
        turn = are_few ? TURN_PROVED : each_element(prover, argument, schema, false, turn);
        if (turn == TURN_OPEN) {
            return TURN_OPEN;
        }
        argument->met[FEW] = turn == TURN_PROVED; /* none is no more than any number */
        argument->phase = BY_PARTS;
        turn = TURN_OPEN;
    }
    return by_parts(prover, argument, schema, turn);
}

/* ---- elements ---- */

static enum turn prove_elements(struct prover *prover, struct argument *argument, enum turn turn) {
    const struct facts *facts = argument->facts;
    const struct obligation *obligation = argument->obligation;
    /* The rest begins where no set has elements of its own any more; a set of a case may have. */
    uint32_t prefix = obligation->demand == DEMAND_REST ? facts_prefix(prover, facts) : 0;
    uint32_t last = obligation->index > prefix ? obligation->index : prefix;
    if (turn == TURN_OPEN) {
        argument->index = obligation->index;
        turn = TURN_PROVED;
    }
    while (turn == TURN_PROVED && argument->index < facts->items_max && argument->index <= last) {
        facts_of_index(prover, facts, argument->index++, &argument->set);
        turn = ask_of_member(argument, obligation->schema);
    }
    return turn;
}

enum turn prove_array(struct prover *prover, struct argument *argument, enum turn turn) {
    const struct facts *facts = argument->facts;
    uint32_t reader = argument->obligation->reader;
    switch ((int)argument->obligation->keyword) {
    case KEYWORD_MIN_ITEMS:
        return turn_of(facts->items_min >= count_of(node_member(prover, reader, KEYWORD_MIN_ITEMS)));
    case KEYWORD_MAX_ITEMS:
        return turn_of(facts->items_max <= count_of(node_member(prover, reader, KEYWORD_MAX_ITEMS)));
    case KEYWORD_UNIQUE_ITEMS:
        return turn_of(facts->unique || facts->items_max <= 1);
    case KEYWORD_CONTAINS:
        return prove_contains(prover, argument, turn);
    case KEYWORD_PREFIX_ITEMS:
    case KEYWORD_ITEMS:
    case KEYWORD_ADDITIONAL_ITEMS:
        return prove_elements(prover, argument, turn);
    default:
        return TURN_FAILED;
    }
}
