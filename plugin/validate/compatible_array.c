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

static bool one_of_them(struct prover *prover, uint32_t a, uint32_t b) {
    struct set set;
    set_init(prover, &set);
    set_add(&set, a, HOLDS);
    return prove_member(prover, &set, b);
}

/* Does each element match, or none? */
static bool each_element(struct prover *prover, const struct facts *facts, uint32_t schema, bool matches) {
    uint32_t prefix = facts_prefix(prover, facts);
    for (uint32_t i = 0; i <= prefix && i < facts->items_max; i++) {
        struct set element;
        facts_of_index(prover, facts, i, &element);
        if (!matches) {
            set_add(&element, schema, HOLDS);
        }
        if (!prove_member(prover, &element, matches ? schema : NODE_FALSE)) {
            return false;
        }
    }
    return true;
}

static bool prove_contains(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    uint32_t schema =
        node_child(prover, obligation->reader, NODE(prover, obligation->reader)->members[KEYWORD_CONTAINS]);
    uint32_t least;
    uint32_t most;
    read_contains(prover, obligation->reader, &least, &most);
    bool enough = least == 0 || (facts->items_min >= least && each_element(prover, facts, schema, true));
    bool few = most == UINT32_MAX || facts->items_max <= most ||
               each_element(prover, facts, schema, false); /* none: no more than any */
    for (uint32_t i = 0; i < facts->count && !(enough && few); i++) {
        uint32_t part = PART(prover, facts, i);
        if (!node_has(NODE(prover, part), KEYWORD_CONTAINS)) {
            continue;
        }
        uint32_t own = node_child(prover, part, NODE(prover, part)->members[KEYWORD_CONTAINS]);
        uint32_t own_least;
        uint32_t own_most;
        read_contains(prover, part, &own_least, &own_most);
        enough = enough || (own_least >= least && one_of_them(prover, own, schema));
        few = few || (own_most <= most && one_of_them(prover, schema, own));
    }
    return enough && few;
}

bool prove_array(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    struct set element;
    switch ((int)obligation->keyword) {
    case KEYWORD_MIN_ITEMS:
        return facts->items_min >= count_of(node_member(prover, obligation->reader, KEYWORD_MIN_ITEMS));
    case KEYWORD_MAX_ITEMS:
        return facts->items_max <= count_of(node_member(prover, obligation->reader, KEYWORD_MAX_ITEMS));
    case KEYWORD_UNIQUE_ITEMS:
        return facts->unique || facts->items_max <= 1;
    case KEYWORD_CONTAINS:
        return prove_contains(prover, facts, obligation);
    case KEYWORD_PREFIX_ITEMS:
    case KEYWORD_ITEMS:
    case KEYWORD_ADDITIONAL_ITEMS:
        break;
    default:
        return false;
    }
    /* The rest begins where no set has elements of its own any more; a set of a case may have. */
    uint32_t prefix = obligation->demand == DEMAND_REST ? facts_prefix(prover, facts) : 0;
    for (uint32_t i = obligation->index; i < facts->items_max; i++) {
        facts_of_index(prover, facts, i, &element);
        if (!prove_member(prover, &element, obligation->schema)) {
            return false;
        }
        if (obligation->demand == DEMAND_INDEX || i >= prefix) {
            break;
        }
    }
    return true;
}
