/* compatible_goal.c: what keeps a goal from being proved: down to the keyword, and a witness for each. */
#include "validate/compatible_message.h"
#include "validate/compatible_proof.h"

#include "validate/value.h"

/* ---- one difference ---- */

/* With a witness, if one was found: `specific` says that it is refused by what the difference is about. */
static void add_found(struct prover *prover, const struct set *set, const struct obligation *obligation,
                      const struct buffer *witness, bool specific) {
    CLEANUP(difference_text_done) struct difference_text text = {0};
    bool found = witness->size > 0 && specific;
    if (prover->status != OK || !difference_describe(prover, set, obligation, found, &text)) {
        prover_no_memory(prover);
        return;
    }
    if (witness->size > 0 && !specific && prover->late.size == 0 &&
        prover->report->count < COMPATIBLE_DIFFERENCES_MAX) {
        prover->late_index = prover->report->count;
        if (!buffer_append(&prover->late, witness->data, witness->size)) {
            prover_no_memory(prover);
        }
    }
    struct compatible_difference difference = {
        .kind = text.kind,
        .writer_path = text_view(&text.writer_path),
        .reader_path = text_view(&text.reader_path),
        .answer = found ? COMPATIBLE_NO : COMPATIBLE_UNKNOWN,
        .message = text_view(&text.message),
        .witness = found ? buffer_view(witness) : (struct bytes){0},
    };
    prover->has_no = prover->has_no || found;
    if (!compatible_report_add(prover->report, &difference)) {
        prover_no_memory(prover);
    }
}

/* `value`, unless absent, is tried before others. */
static void add_difference(struct prover *prover, const struct set *set, const struct obligation *obligation,
                           struct bytes value) {
    CLEANUP(buffer_done) struct buffer witness = {0};
    bool specific = false;
    witness_find(prover, set, obligation, value, &witness, &specific);
    add_found(prover, set, obligation, &witness, specific);
}

void report_plain(struct prover *prover, const char *kind, const char *message) {
    struct compatible_difference difference = {
        .kind = kind,
        .writer_path = BYTES_LITERAL(""),
        .reader_path = BYTES_LITERAL(""),
        .answer = COMPATIBLE_UNKNOWN,
        .message = bytes_from_string(message),
    };
    if (!compatible_report_add(prover->report, &difference)) {
        prover_no_memory(prover);
    }
}

static bool may_go_on(const struct prover *prover) {
    return prover->status == OK && prover->work.limit == WORK_FINE && !prover->report->truncated;
}

/* ---- members ---- */

/* A name that only OTHER_NAMES are about. */
static bool other_name(struct prover *prover, const struct set *set, const struct obligation *obligation,
                       uint32_t number, struct buffer *ret) {
    static const char *const NAMES[] = {"x", "other", "y0", "X", "0"};
    ret->size = 0;
    if (bytes_present(obligation->name)) {
        return number < 3 && sample_pattern(obligation->name, number, ret) && buffer_reserve(ret, 1);
    }
    if (number >= sizeof NAMES / sizeof NAMES[0]) {
        return false;
    }
    uint32_t first;
    uint32_t count;
    (void)names_of_set(prover, set, &first, &count);
    struct bytes name = bytes_from_string(NAMES[number]);
    bool known = false;
    for (uint32_t i = 0; i < count; i++) {
        known = known || bytes_equal(*VECTOR_AT(prover->names, struct bytes, first + i), name);
    }
    prover->names.count = first;
    return !known && buffer_append(ret, name.data, name.size);
}

static void enter(struct prover *prover, struct frame_step *step) {
    step->up = prover->step;
    prover->step = step;
    prover->level++;
    prover->depth++;
}

static void leave(struct prover *prover, const struct frame_step *step) {
    prover->step = step->up;
    prover->level--;
    prover->depth--;
}

/* Is a difference of the member one of its whole schema, and not of what is in it? */
static bool is_about_all(const struct prover *prover, const struct obligation *obligation, const struct set *member) {
    return NODE(prover, obligation->schema)->is_false || member->count == 0;
}

/* A difference of the obligation, with a witness that has a value of the member's set that the member's schema refuses.
 */
static void add_member_difference(struct prover *prover, const struct set *set, const struct obligation *obligation,
                                  struct frame_step *step, const struct set *member) {
    struct obligation within = {.reader = obligation->schema, .keyword = KEYWORD_NONE};
    CLEANUP(buffer_done) struct buffer witness = {0};
    bool specific = false;
    enter(prover, step);
    witness_find(prover, member, &within, (struct bytes){0}, &witness, &specific);
    leave(prover, step);
    add_found(prover, set, obligation, &witness, witness.size > 0);
}

static void report_member(struct prover *prover, const struct set *set, const struct obligation *obligation) {
    struct facts facts;
    struct set member;
    CLEANUP(buffer_done) struct buffer name = {0};
    struct frame_step step = {.set = set, .index = obligation->index};
    step.is_name = obligation->demand == DEMAND_NAME || obligation->demand == DEMAND_OTHER_NAMES;
    step.name = obligation->name;
    facts_read(prover, set, &facts);
    if (obligation->demand == DEMAND_OTHER_NAMES) {
        CLEANUP(buffer_done) struct buffer witness = {0};
        struct obligation within = {.reader = obligation->schema, .keyword = KEYWORD_NONE};
        for (uint32_t i = 0; witness.size == 0 && other_name(prover, set, obligation, i, &name); i++) {
            bool specific = false;
            step.name = buffer_view(&name);
            facts_of_name(prover, &facts, step.name, &member);
            enter(prover, &step);
            witness_find(prover, &member, &within, (struct bytes){0}, &witness, &specific);
            leave(prover, &step);
        }
        add_found(prover, set, obligation, &witness, witness.size > 0);
    } else {
        if (step.is_name) {
            facts_of_name(prover, &facts, step.name, &member);
        } else {
            facts_of_index(prover, &facts, step.index, &member);
        }
        uint32_t before = prover->report->count;
        if (is_about_all(prover, obligation, &member) || prover->depth >= PROOF_DEPTH_MAX) {
            add_member_difference(prover, set, obligation, &step, &member);
        } else {
            enter(prover, &step);
            bool told = report_goal(prover, &member, obligation->schema);
            leave(prover, &step);
            if (!told && before == prover->report->count && may_go_on(prover)) {
                add_member_difference(prover, set, obligation, &step, &member);
            }
        }
    }
    facts_done(prover, &facts);
}

/* ---- goals ---- */

static bool is_member_keyword(enum keyword keyword) {
    switch ((int)keyword) {
    case KEYWORD_PROPERTIES:
    case KEYWORD_PATTERN_PROPERTIES:
    case KEYWORD_ADDITIONAL_PROPERTIES:
    case KEYWORD_UNEVALUATED_PROPERTIES:
    case KEYWORD_PREFIX_ITEMS:
    case KEYWORD_ITEMS:
    case KEYWORD_ADDITIONAL_ITEMS:
        return true;
    default:
        return false;
    }
}

static void report_obligation(struct prover *prover, const struct set *set, const struct obligation *obligation) {
    if (prove_obligation(prover, set, obligation) || !may_go_on(prover)) {
        return;
    }
    uint32_t before = prover->report->count;
    bool told = false;
    uint32_t within = NO_INDEX;
    if (is_member_keyword(obligation->keyword)) {
        report_member(prover, set, obligation);
        return;
    }
    if (obligation->keyword == KEYWORD_REF || obligation->keyword == KEYWORD_DYNAMIC_REF) {
        uint32_t target = node_target(prover, obligation->reader, obligation->keyword);
        bool opaque = obligation->keyword == KEYWORD_DYNAMIC_REF && NODE(prover, obligation->reader)->is_opaque;
        within = opaque ? NO_INDEX : target;
    } else if (obligation->keyword == KEYWORD_ALL_OF) {
        within = obligation->schema;
    }
    if (within != NO_INDEX && prover->depth < PROOF_DEPTH_MAX) {
        prover->depth++;
        told = report_goal(prover, set, within);
        prover->depth--;
    }
    if (!told && before == prover->report->count && may_go_on(prover)) {
        add_difference(prover, set, obligation, (struct bytes){0});
    }
}

struct finite_report {
    const struct set *set;
    const struct obligation *obligation;
};

static bool report_choice(struct prover *prover, struct bytes raw, void *context) {
    const struct finite_report *of = context;
    if (node_accepts(prover, of->obligation->reader, raw) == VERDICT_NO) {
        add_difference(prover, of->set, of->obligation, raw);
    }
    return may_go_on(prover);
}

/* A set that lists its values: each that the goal refuses is a difference. */
static bool report_finite(struct prover *prover, const struct set *set, uint32_t reader) {
    struct facts facts;
    bool proved = false;
    uint32_t before = prover->report->count;
    struct obligation obligation = {.reader = reader, .keyword = KEYWORD_NONE};
    const struct node *node = NODE(prover, reader);
    obligation.keyword = node_has(node, KEYWORD_ENUM)    ? KEYWORD_ENUM
                         : node_has(node, KEYWORD_CONST) ? KEYWORD_CONST
                                                         : KEYWORD_NONE;
    struct finite_report of = {set, &obligation};
    facts_read(prover, set, &facts);
    if (facts.finite != NO_INDEX && prove_finite(prover, &facts, reader, &proved) && !proved) {
        (void)each_finite(prover, &facts, report_choice, &of);
    }
    facts_done(prover, &facts);
    return prover->report->count > before;
}

/* Was the goal reported before? */
static bool is_told(struct prover *prover, const struct set *set, uint32_t reader) {
    uint32_t goal = prove_goal_number(prover, set, reader);
    for (uint32_t i = 0; i < prover->reported.count; i++) {
        if (*VECTOR_AT(prover->reported, uint32_t, i) == goal) {
            return true;
        }
    }
    if (!vector_append(&prover->reported, sizeof goal, &goal, 1)) {
        prover_no_memory(prover);
    }
    return false;
}

bool report_goal(struct prover *prover, const struct set *set, uint32_t reader) {
    if (prove(prover, set, reader)) {
        return true;
    }
    if (!may_go_on(prover)) {
        return false;
    }
    if (is_told(prover, set, reader) || report_finite(prover, set, reader)) {
        return true;
    }
    struct obligations obligations;
    obligations_open(prover, set, reader, &obligations);
    while (obligations_next(prover, &obligations, may_go_on(prover))) {
        report_obligation(prover, set, &obligations.now);
    }
    return false;
}

void report_refused(struct prover *prover, const struct set *set, const struct obligation *obligation) {
    CLEANUP(buffer_done) struct buffer witness = {0};
    bool specific = false;
    witness_find(prover, set, obligation, (struct bytes){0}, &witness, &specific);
    if (witness.size > 0) {
        add_found(prover, set, obligation, &witness, true);
    }
}
