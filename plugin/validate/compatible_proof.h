/* compatible_proof.h: proofs that are under way. Schemas may lead deeper than a C stack should, so a proof that needs
 * another keeps its place in a frame, asks for it, and is gone on with once that one is decided. */
#ifndef POLARIS_PLUGIN_VALIDATE_COMPATIBLE_PROOF_H
#define POLARIS_PLUGIN_VALIDATE_COMPATIBLE_PROOF_H

#include "validate/compatible_prover.h"

/* How a proof stands; and what it is gone on with: OPEN at first, then the outcome of what it asked for. */
enum turn { TURN_FAILED, TURN_PROVED, TURN_OPEN };

static inline enum turn turn_of(bool proved) {
    return proved ? TURN_PROVED : TURN_FAILED;
}

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

/* ---- arguments ---- */

enum { PARTS_LOOKED_AT = 6 };

/* A part that says something of other names: which of its patterns one of them matches. 0: none. */
struct choice {
    uint32_t part;
    uint32_t patterns; /* how many there are */
    uint32_t now, first, last;
};

/* Members whose names the set does not know. */
struct other_names {
    bool is_chosen; /* the choices are made: by now each combination of them is asked for */
    bool lenient;
    uint32_t count;
    struct choice choices[PARTS_LOOKED_AT];
};

/* What is said for one obligation: questions, one at a time, whether a goal holds for all that a set describes. The
 * functions for it, one for each sort of keyword, return OPEN when they have put one. */
struct argument {
    const struct facts *facts;
    const struct obligation *obligation;
    /* The question. */
    struct set set;
    uint32_t goal;
    bool is_member; /* of the value, and thereby smaller */
    /* Where it is: of each function only what it uses. */
    uint32_t phase, index;
    struct walk walk;
    uint32_t kinds;                  /* not ruled out yet */
    uint32_t chosen;                 /* the branch that holds */
    bool met[2];                     /* of `contains`: enough match, and few do */
    uint32_t first_name, name_count; /* on the stack of names */
    uint32_t possible;               /* names */
    union {
        struct set with; /* what holds if the name is there */
        struct other_names others;
    };
};

static inline enum turn ask(struct argument *argument, const struct set *set, uint32_t goal) {
    argument->set = *set;
    argument->goal = goal;
    argument->is_member = false;
    return TURN_OPEN;
}
/* About a member, whose set is in the argument by now. */
static inline enum turn ask_of_member(struct argument *argument, uint32_t goal) {
    argument->goal = goal;
    argument->is_member = true;
    return TURN_OPEN;
}

/* ---- compatible_logic.c, compatible_array.c, compatible_object.c, compatible_names.c ---- */

/* What a keyword is about; values of other kinds pass it. */
uint32_t kinds_of_keyword(enum keyword keyword);
enum turn prove_logic(struct prover *prover, struct argument *argument, enum turn turn);
enum turn prove_array(struct prover *prover, struct argument *argument, enum turn turn);
enum turn prove_object(struct prover *prover, struct argument *argument, enum turn turn);
/* Can no member have the name? */
enum turn forbid_name(struct prover *prover, struct argument *argument, struct bytes name);
/* Is each member whose name the set does not know valid under the obligation's schema? */
enum turn prove_other_names(struct prover *prover, struct argument *argument, const struct obligation *obligation,
                            enum turn turn);

/* How many elements have schemas of their own: of the node, and of the set in any case. */
uint32_t prefix_of_node(const struct prover *prover, uint32_t node);
uint32_t prefix_of_set(struct prover *prover, const struct set *set);
/* Does the reader's keyword look at a member of that name? */
bool is_concerned(struct prover *prover, const struct obligation *obligation, struct bytes pattern, struct bytes name);
/* Is the name surely evaluated by what the reader's node applies in any case? An absent name: any other. */
bool surely_evaluated(struct prover *prover, uint32_t reader, struct bytes name);

#endif
