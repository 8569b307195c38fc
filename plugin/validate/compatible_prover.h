/* compatible_prover.h: the state of one comparison of two schemas, and the steps of the proof.
 *
 * What is proved is a sequent: a SET of schemas that hold, or do not hold, of a value, and a GOAL, a schema: is the
 * goal valid for every value that the set describes? At first the set is the writer's root and the goal the reader's.
 * Members of a value make sequents of their own. A sequent that comes back on the way down to a member counts as
 * proved: that is induction over the size of the value. What is left out of a set makes a proof harder, never wrong. */
#ifndef POLARIS_PLUGIN_VALIDATE_COMPATIBLE_PROVER_H
#define POLARIS_PLUGIN_VALIDATE_COMPATIBLE_PROVER_H

#include "validate/compatible_report.h"
#include "validate/compile.h"
#include "validate/pattern.h"

enum side { WRITER, READER, SIDES };

/* What a value can be. Integers and fractions are apart; OTHER is what JSON lacks, in extended programs. */
enum kind {
    KIND_NULL = 1,
    KIND_BOOLEAN = 2,
    KIND_INTEGER = 4,
    KIND_FRACTION = 8,
    KIND_STRING = 16,
    KIND_ARRAY = 32,
    KIND_OBJECT = 64,
    KIND_OTHER = 128,
    KIND_NUMBER = KIND_INTEGER | KIND_FRACTION,
    KINDS_COUNT = 8
};

/* A subschema of either side, read: its keywords by number, those that assert nothing left out. */
struct node {
    uint32_t source, item, resource;
    uint8_t side;
    bool is_true, is_false;
    bool is_opaque;      /* a $dynamicRef that hangs on the way to it */
    bool in_place;       /* has keywords that apply subschemas to the same value */
    uint8_t compiled;    /* 0: not tried, 1: there is a program, 2: there is none to be had */
    uint32_t targets[2]; /* nodes + 1: of $ref and $dynamicRef */
    struct validate_program *program;
    uint32_t members[KEYWORD_COUNT];
};

enum { NODE_FALSE, NODE_TRUE }; /* the first two */

/* A literal of a set: a node, and what is known of it. */
enum literal {
    HOLDS,       /* the value is valid under it */
    FAILS,       /* it is not */
    TOOK_ANY_OF, /* cases were made of the keyword's branches: one of them is in the set */
    TOOK_ONE_OF,
    TOOK_IF,
    LITERAL_BITS = 3
};

enum { SET_MAX = 40 };

struct set {
    uint32_t kinds;
    uint32_t count;
    uint32_t literals[SET_MAX]; /* sorted: node << LITERAL_BITS | literal */
};

/* What a set says about a value at first sight. */
struct facts {
    const struct set *set;
    uint32_t kinds;        /* 0: there is no such value */
    uint32_t first, count; /* parts: nodes that hold, through $ref and allOf */
    uint32_t finite;       /* a part with `const` or `enum`, or NO_INDEX */
    bool has_minimum, has_maximum, minimum_exclusive, maximum_exclusive, unique;
    struct number minimum, maximum;
    uint32_t length_min, length_max, items_min, items_max, properties_min, properties_max;
};

/* One thing that a schema demands. */
enum demand { DEMAND_WHOLE, DEMAND_NAME, DEMAND_OTHER_NAMES, DEMAND_INDEX, DEMAND_REST };

struct obligation {
    uint32_t reader; /* node */
    enum keyword keyword;
    enum demand demand;
    struct bytes name;      /* NAME; OTHER_NAMES: the pattern, or absent */
    uint32_t index;         /* INDEX, REST: from here on */
    uint32_t schema;        /* of a member or branch */
    struct bytes dependent; /* dependentRequired: also needed */
};

enum goal_state { GOAL_OPEN, GOAL_PROVED, GOAL_FAILED, GOAL_UNDECIDED };

struct goal {
    uint32_t kinds, first, count; /* the set: literals in goal_literals */
    uint32_t reader;
    uint32_t depth, level; /* while open */
    enum goal_state state;
};

enum { PROOF_DEPTH_MAX = 200, SPLIT_DEPTH_MAX = 8 };

struct frame_step;
struct proof;

struct prover {
    struct compiler sides[SIDES];
    const struct compatible_side *given[SIDES];
    enum compatible_content content;
    struct validate_context *context;
    struct compatible_report *report;
    struct error *error;
    enum status status; /* sticky: what else is said then is nonsense */
    struct work work;   /* the budget */
    bool extended;
    struct vector nodes;
    struct index node_index;
    struct vector goals, goal_literals;
    struct index goal_index;
    struct vector same_pairs; /* nodes that were found to be the same, or not */
    struct index same_index;
    struct vector patterns;
    struct index pattern_index;
    uint32_t program_count;
    struct vector parts;  /* a stack of nodes */
    struct vector names;  /* a stack of struct bytes */
    struct proof *proofs; /* a stack: each waits for the one above it */
    uint32_t proof_count;
    uint32_t depth, level, splits;
    uint32_t dependency;     /* the least depth of an open goal that was counted as proved */
    uint32_t depth_hits;     /* proofs given up at the limit of depth */
    struct frame_step *step; /* the way from the root to the value that is looked at */
    struct vector reported;  /* goals whose differences are told */
    struct buffer late;      /* a witness that is refused for another reason than its difference's */
    uint32_t late_index;     /* of that difference */
    uint32_t roots[SIDES];
    bool has_no;              /* a difference with a witness is in the report */
    uint64_t hunt_steps_left; /* the budget of looking for witnesses */
};

#define NODE(prover, i) VECTOR_AT((prover)->nodes, struct node, i)
#define PART(prover, facts, i) (*VECTOR_AT((prover)->parts, uint32_t, (facts)->first + (i)))

/* False: the budget is used up, or something failed. */
static inline bool prover_spend(struct prover *prover, uint64_t steps) {
    return prover->status == OK && work_spend(&prover->work, steps);
}
void prover_no_memory(struct prover *prover);

/* ---- compatible_node.c ---- */

uint32_t node_find(struct prover *prover, enum side side, uint32_t source, uint32_t item);
static inline bool node_has(const struct node *node, enum keyword keyword) {
    return node->members[keyword] != NO_INDEX;
}
struct wire_value node_member(const struct prover *prover, uint32_t node, enum keyword keyword);
/* The subschema at an item of the node's source. */
uint32_t node_child(struct prover *prover, uint32_t node, uint32_t item);
/* What $ref or $dynamicRef leads to. */
uint32_t node_target(struct prover *prover, uint32_t node, enum keyword keyword);
/* Appends the pointer to an item of the node's source. */
WARN_UNUSED bool node_pointer(const struct prover *prover, uint32_t node, uint32_t item, struct buffer *ret);
WARN_UNUSED bool node_append_token(struct bytes token, struct buffer *ret); /* of a pointer, escaped */
/* The same from its source's root, as a URI's fragment. */
WARN_UNUSED bool node_fragment(const struct prover *prover, uint32_t node, struct buffer *ret);
/* Are they the same schema by value, through references? */
bool node_same(struct prover *prover, uint32_t a, uint32_t b);
bool node_format_is_asserted(const struct prover *prover, uint32_t node);
uint32_t count_of(struct wire_value value); /* a count, UINT32_MAX if it is beyond all */

/* ---- compatible_value.c ---- */

/* Is one msgpack value valid? LIMIT: cannot be told. */
enum verdict node_accepts(struct prover *prover, uint32_t node, struct bytes value);
enum verdict program_accepts(struct prover *prover, const struct validate_program *program, struct bytes value);
/* Does the pattern match? LIMIT: cannot be told. */
enum verdict node_matches(struct prover *prover, struct bytes pattern, struct bytes text);
void prover_done_patterns(struct prover *prover);

/* ---- compatible_set.c ---- */

void set_init(const struct prover *prover, struct set *set);
/* What does not fit is left out. */
void set_add(struct set *set, uint32_t node, enum literal literal);
bool set_has(const struct set *set, uint32_t node, enum literal literal);
/* Reads what the set says; its parts are on a stack until facts_done(). */
void facts_read(struct prover *prover, const struct set *set, struct facts *ret);
void facts_done(struct prover *prover, const struct facts *facts);
/* All nodes that may apply to the same value, in any case: pushed on the stack of parts; false: too many. */
bool facts_closure(struct prover *prover, const struct set *set, uint32_t *ret_first, uint32_t *ret_count);
uint32_t kinds_of_types(struct wire_value types);
uint32_t kind_of_value(struct wire_value value);
bool facts_require(struct prover *prover, const struct facts *facts, struct bytes name);
/* The names among the values of `required` of a part's node. */
bool array_has_text(struct wire_value array, struct bytes text);

/* The set of one member. */
void facts_of_name(struct prover *prover, const struct facts *facts, struct bytes name, struct set *ret);
void facts_of_index(struct prover *prover, const struct facts *facts, uint32_t index, struct set *ret);
uint32_t facts_prefix(struct prover *prover, const struct facts *facts); /* elements that have schemas of their own */

/* The next keyword that cases can be made of: how many; 0: there is none. */
struct split {
    uint32_t node;
    enum keyword keyword;
    uint32_t count;
};
struct split facts_split(struct prover *prover, const struct facts *facts);
void split_case(struct prover *prover, const struct set *set, const struct split *split, uint32_t number,
                struct set *ret);

/* ---- compatible_prove.c ---- */

/* Makes room for proofs. False: no memory. */
WARN_UNUSED bool prover_open_proofs(struct prover *prover);
/* True: proved. */
bool prove(struct prover *prover, const struct set *set, uint32_t reader);
bool prove_obligation(struct prover *prover, const struct set *set, const struct obligation *obligation);
/* By which a goal is known; NO_INDEX: a limit. */
uint32_t prove_goal_number(struct prover *prover, const struct set *set, uint32_t reader);

/* ---- compatible_assert.c, compatible_object.c ---- */

bool prove_assertion(struct prover *prover, const struct facts *facts, const struct obligation *obligation);
bool prove_finite(struct prover *prover, const struct facts *facts, uint32_t reader, bool *ret_proved);
/* The number-th value, and around again, of those that the set lists. False: it lists none. */
bool finite_value(struct prover *prover, const struct facts *facts, uint32_t kinds, uint32_t number,
                  struct bytes *ret_raw);
/* Calls for all of them until it returns false. */
typedef bool (*finite_visit)(struct prover *prover, struct bytes raw, void *context);
bool each_finite(struct prover *prover, const struct facts *facts, finite_visit visit, void *context);
/* Are all names that the writer does not declare taken as never written? */
bool facts_lenient(struct prover *prover, const struct set *set);
bool facts_declared(struct prover *prover, const struct set *set, struct bytes name);

/* ---- compatible_goal.c ---- */

/* Adds the differences that keep the goal from being proved. True: they are told, or there are none. */
bool report_goal(struct prover *prover, const struct set *set, uint32_t reader);
/* Adds a difference only if there is a witness. */
void report_refused(struct prover *prover, const struct set *set, const struct obligation *obligation);
/* A difference without a place: a limit, or what the sides do not have in common. */
void report_plain(struct prover *prover, const char *kind, const char *message);

#endif
