/* compatible_names.c: the members whose names no side knows: they differ only in the patterns that they match. */
#include "validate/compatible_object.h"
#include "validate/compatible_proof.h"

#include "validate/value.h"

enum { COMBINATIONS_MAX = 64 };

void names_as_values(struct prover *prover, const struct facts *facts, struct set *ret) {
    set_init(prover, ret);
    ret->kinds = prover->extended ? ret->kinds : KIND_STRING;
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t part = PART(prover, facts, i);
        if (node_has(NODE(prover, part), KEYWORD_PROPERTY_NAMES)) {
            set_add(ret, node_child(prover, part, NODE(prover, part)->members[KEYWORD_PROPERTY_NAMES]), HOLDS);
        }
    }
}

static bool has_text(struct prover *prover, uint32_t node, struct bytes pattern, uint32_t *ret_number) {
    if (!bytes_present(pattern) || !node_has(NODE(prover, node), KEYWORD_PATTERN_PROPERTIES)) {
        return false;
    }
    struct wire_value map = node_member(prover, node, KEYWORD_PATTERN_PROPERTIES);
    struct wire_value name = {map.document, map.index + 1};
    for (uint32_t i = 0; i < value_item(map)->size; i++) {
        if (bytes_equal(value_text(name), pattern)) {
            *ret_number = i;
            return true;
        }
        name = wire_value_next(wire_value_next(name));
    }
    return false;
}

static struct wire_value pattern_at(const struct prover *prover, uint32_t part, uint32_t number) {
    struct wire_value map = node_member(prover, part, KEYWORD_PATTERN_PROPERTIES);
    struct wire_value name = {map.document, map.index + 1};
    for (; number > 0; number--) {
        name = wire_value_next(wire_value_next(name));
    }
    return name;
}

static uint32_t read_choices(struct prover *prover, const struct facts *facts, struct bytes pattern,
                             struct choice choices[PARTS_LOOKED_AT]) {
    uint32_t count = 0;
    uint64_t combinations = 1;
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t part = PART(prover, facts, i);
        const struct node *node = NODE(prover, part);
        bool has_patterns = node_has(node, KEYWORD_PATTERN_PROPERTIES);
        if (!has_patterns && !node_has(node, KEYWORD_ADDITIONAL_PROPERTIES) &&
            !node_has(node, KEYWORD_UNEVALUATED_PROPERTIES)) {
            continue;
        }
        struct choice choice = {.part = part};
        choice.patterns = has_patterns ? value_item(node_member(prover, part, KEYWORD_PATTERN_PROPERTIES))->size : 0;
        choice.last = choice.patterns;
        uint32_t number;
        if (has_text(prover, part, pattern, &number)) {
            choice.first = choice.last = number + 1;
        }
        uint64_t more = combinations * (choice.last - choice.first + 1);
        if (count == PARTS_LOOKED_AT || more > COMBINATIONS_MAX) {
            continue; /* what is left out only makes the proof harder */
        }
        combinations = more;
        choice.now = choice.first;
        choices[count++] = choice;
    }
    return count;
}

/* The set of such a member. False: no such member is looked at by the reader's keyword. */
static bool read_combination(struct prover *prover, const struct obligation *obligation, const struct choice *choices,
                             uint32_t count, bool *ret_matched, struct set *ret) {
    set_init(prover, ret);
    *ret_matched = false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t part = choices[i].part;
        if (choices[i].now > 0) {
            struct wire_value name = pattern_at(prover, part, choices[i].now - 1);
            uint32_t number;
            *ret_matched = true;
            if (obligation->keyword == KEYWORD_ADDITIONAL_PROPERTIES &&
                has_text(prover, obligation->reader, value_text(name), &number)) {
                return false;
            }
            set_add(ret, node_child(prover, part, wire_value_next(name).index), HOLDS);
            continue;
        }
        if (node_has(NODE(prover, part), KEYWORD_ADDITIONAL_PROPERTIES)) {
            set_add(ret, node_child(prover, part, NODE(prover, part)->members[KEYWORD_ADDITIONAL_PROPERTIES]), HOLDS);
        }
        if (node_has(NODE(prover, part), KEYWORD_UNEVALUATED_PROPERTIES) &&
            !may_be_evaluated(prover, part, (struct bytes){0})) {
            set_add(ret, node_child(prover, part, NODE(prover, part)->members[KEYWORD_UNEVALUATED_PROPERTIES]), HOLDS);
        }
    }
    return true;
}

static bool next_combination(struct choice *choices, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (choices[i].now < choices[i].last) {
            choices[i].now++;
            return true;
        }
        choices[i].now = choices[i].first;
    }
    return false;
}

/* Are all patterns by which the writer declares names among those that are looked at? */
static bool all_patterns_chosen(struct prover *prover, const struct set *set, const struct choice *choices,
                                uint32_t count) {
    uint32_t first;
    uint32_t nodes;
    bool all = facts_closure(prover, set, &first, &nodes);
    for (uint32_t i = 0; i < nodes && all; i++) {
        uint32_t node = *VECTOR_AT(prover->parts, uint32_t, first + i);
        if (NODE(prover, node)->side == WRITER && node_has(NODE(prover, node), KEYWORD_PATTERN_PROPERTIES)) {
            bool chosen = false;
            for (uint32_t k = 0; k < count && !chosen; k++) {
                chosen = choices[k].part == node;
            }
            all = chosen;
        }
    }
    prover->parts.count = first;
    return all;
}

static void choose(struct prover *prover, const struct facts *facts, struct bytes pattern, struct other_names *ret) {
    ret->is_chosen = true;
    ret->count = read_choices(prover, facts, pattern, ret->choices);
    ret->lenient =
        facts_lenient(prover, facts->set) && all_patterns_chosen(prover, facts->set, ret->choices, ret->count);
}

/* PROVED: there is none that has to be looked at. */
static enum turn ask_of_combination(struct prover *prover, struct argument *argument,
                                    const struct obligation *obligation) {
    struct other_names *others = &argument->others;
    do {
        bool matched;
        if (!prover_spend(prover, 2)) {
            return TURN_FAILED;
        }
        if (read_combination(prover, obligation, others->choices, others->count, &matched, &argument->set) &&
            (matched || !others->lenient)) {
            return ask_of_member(argument, obligation->schema);
        }
    } while (next_combination(others->choices, others->count));
    return TURN_PROVED;
}

/* Can there be no other name than those that the set knows? */
static enum turn forbid_names(struct prover *prover, struct argument *argument) {
    const struct facts *facts = argument->facts;
    if (facts->properties_max == 0) {
        return TURN_PROVED;
    }
    names_as_values(prover, facts, &argument->set);
    if (prover->extended) {
        return TURN_FAILED;
    }
    if (names_are_listed(prover, facts)) {
        return TURN_PROVED;
    }
    return argument->set.count > 0 ? ask_of_member(argument, NODE_FALSE) : TURN_FAILED;
}

enum turn prove_other_names(struct prover *prover, struct argument *argument, const struct obligation *obligation,
                            enum turn turn) {
    struct other_names *others = &argument->others;
    if (!others->is_chosen) {
        turn = turn == TURN_OPEN ? forbid_names(prover, argument) : turn;
        if (turn != TURN_FAILED) {
            return turn;
        }
        choose(prover, argument->facts, obligation->name, others);
    } else if (turn == TURN_FAILED || !next_combination(others->choices, others->count)) {
        return turn;
    }
    return ask_of_combination(prover, argument, obligation);
}
