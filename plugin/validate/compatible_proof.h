/* compatible_proof.h: proofs that are under way: which obligation is the next. */
#ifndef POLARIS_PLUGIN_VALIDATE_COMPATIBLE_PROOF_H
#define POLARIS_PLUGIN_VALIDATE_COMPATIBLE_PROOF_H

#include "validate/compatible_prover.h"

/* An array or a map that is gone through. */
struct walk {
    struct wire_value at; /* a map: the next member's name */
    uint32_t left;
};

static inline struct walk walk_into(struct wire_value container) {
    return (struct walk){{container.document, container.index + 1}, value_item(container)->size};
}
static inline struct wire_value walk_element(struct walk *walk) {
    struct wire_value element = walk->at;
    walk->at = wire_value_next(element);
    walk->left--;
    return element;
}
static inline struct wire_value walk_member(struct walk *walk, struct wire_value *ret_name) {
    *ret_name = walk->at;
    walk->at = wire_value_next(walk->at);
    return walk_element(walk);
}

/* ---- compatible_obligation.c ---- */

/* What a schema demands, one thing after another. */
struct obligations {
    const struct set *set;
    struct obligation now;
    bool complete; /* gone through to the end */
    struct walk keywords;
    bool is_in_keyword, is_begun; /* a keyword may demand more than once */
    struct walk parts;            /* of the keyword: branches, elements, names or patterns */
    struct walk needed;           /* names that a dependency calls for */
    uint32_t prefix;              /* elements that some schema of the set is about alone */
    /* Names that the set knows, on the stack of names, while they are gone through; then all others. */
    enum { MEMBERS_NOT_OPEN, MEMBERS_BY_NAME, MEMBERS_OTHER } members;
    struct bytes pattern; /* which the members' names match, or absent */
    uint32_t first_name, name_count, next_name;
    bool all_names;
};

void obligations_open(struct prover *prover, const struct set *set, uint32_t reader, struct obligations *ret);
/* The next one is in `now`. False: there is none, or the budget is used up, or it is not to go on. */
bool obligations_next(struct prover *prover, struct obligations *obligations, bool go_on);

/* ---- compatible_array.c, compatible_object.c ---- */

/* How many elements have schemas of their own: of the node, and of the set in any case. */
uint32_t prefix_of_node(const struct prover *prover, uint32_t node);
uint32_t prefix_of_set(struct prover *prover, const struct set *set);
/* Does the reader's keyword look at a member of that name? */
bool is_concerned(struct prover *prover, const struct obligation *obligation, struct bytes pattern, struct bytes name);
/* Is the name surely evaluated by what the reader's node applies in any case? An absent name: any other. */
bool surely_evaluated(struct prover *prover, uint32_t reader, struct bytes name);

#endif
