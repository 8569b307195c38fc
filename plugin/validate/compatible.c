/* compatible.c: comparing two schemas: both are read, the reader's is proved from the writer's, what cannot be proved
 * is reported. */
#include "validate/compatible_prover.h"

#include "validate/compatible_witness.h"
#include "validate/value.h"

#include <stdlib.h>

static void prover_done(struct prover *prover) {
    for (uint32_t i = 0; i < prover->nodes.count; i++) {
        validate_program_free(NODE(prover, i)->program);
    }
    prover_done_patterns(prover);
    struct vector *vectors[] = {&prover->nodes, &prover->goals, &prover->goal_literals, &prover->same_pairs,
                                &prover->parts, &prover->names, &prover->reported};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        vector_done(vectors[i]);
    }
    index_done(&prover->node_index);
    index_done(&prover->goal_index);
    index_done(&prover->same_index);
    buffer_done(&prover->late);
    free(prover->proofs);
    free(prover->work.scratch);
    compile_done(&prover->sides[WRITER]);
    compile_done(&prover->sides[READER]);
}

static enum status prover_open(struct prover *prover) {
    for (int side = 0; side < SIDES; side++) {
        const struct compatible_side *given = prover->given[side];
        enum status status = compile_read(&prover->sides[side], given->schema, given->options, prover->error);
        if (status != OK) {
            return status;
        }
        prover->extended = prover->extended || given->options->extended;
    }
    const struct validate_limits *limits = &prover->given[READER]->options->limits;
    prover->work =
        (struct work){.steps_left = limits->schema_compile_steps_max, .scratch_max = limits->validation_memory_max};
    prover->hunt_steps_left = limits->schema_compile_steps_max;
    struct node known[2] = {{.is_false = true}, {.is_true = true}};
    memset(known[NODE_FALSE].members, 0xFF, sizeof known[0].members);
    memset(known[NODE_TRUE].members, 0xFF, sizeof known[0].members);
    if (!vector_append(&prover->nodes, sizeof known[0], known, 2) || !prover_open_proofs(prover)) {
        prover_no_memory(prover);
        return prover->status;
    }
    for (int side = 0; side < SIDES; side++) {
        prover->roots[side] = node_find(prover, (enum side)side, 0, prover->sides[side].sources[0].root.index);
    }
    return prover->status;
}

/* The same schemas, read in the same way, allow the same, whatever is in them. */
static bool is_identical(struct prover *prover) {
    const struct validate_options *a = prover->given[WRITER]->options;
    const struct validate_options *b = prover->given[READER]->options;
    bool same = a->default_dialect == b->default_dialect && a->assert_format == b->assert_format &&
                a->extended == b->extended && a->document_count == b->document_count &&
                value_equal(prover->given[WRITER]->schema, prover->given[READER]->schema, &prover->work) == VERDICT_YES;
    for (size_t i = 0; i < a->document_count && same; i++) {
        same = bytes_equal(a->documents[i].uri, b->documents[i].uri) &&
               value_equal(a->documents[i].root, b->documents[i].root, &prover->work) == VERDICT_YES;
    }
    return same;
}

/* Whatever the place: a payload that shows that the answer is NO. */
static void hunt_at_root(struct prover *prover, const struct set *set) {
    struct obligation any = {.reader = prover->roots[READER], .keyword = KEYWORD_NONE};
    if (prover->status == OK && !prover->has_no) {
        report_refused(prover, set, &any);
    }
}

static void report_limits(struct prover *prover) {
    if (prover->work.limit == WORK_STEPS) {
        report_plain(prover, "steps_limit",
                     "the comparison took more than schema_compile_steps_max steps and was given up");
    } else if (prover->work.limit != WORK_FINE) {
        report_plain(prover, "memory_limit",
                     "the comparison took more than validation_memory_max bytes and was given up");
    } else if (prover->depth_hits > 0 && !prover->has_no) {
        report_plain(prover, "depth_limit", "the schemas are nested too deep to be compared all the way down");
    } else if (prover->report->count == 0) {
        report_plain(prover, "not_proved",
                     "the reader's schema could not be proved to allow all that the writer's does");
    }
}

static enum compatible_answer compare(struct prover *prover) {
    struct set set;
    set_init(prover, &set);
    set_add(&set, prover->roots[WRITER], HOLDS);
    bool alike = prover->given[WRITER]->options->extended == prover->given[READER]->options->extended;
    if (is_identical(prover) || (alike && prove(prover, &set, prover->roots[READER]))) {
        return COMPATIBLE_YES;
    }
    if (!alike) {
        report_plain(prover, "model_differs", "only one side lets values through that JSON lacks");
    } else if (prover->status == OK && prover->work.limit == WORK_FINE) {
        (void)report_goal(prover, &set, prover->roots[READER]);
    }
    if (!prover->has_no && prover->late.size > 0 && prover->status == OK) {
        prover->has_no = compatible_report_settle(prover->report, prover->late_index, buffer_view(&prover->late));
        if (!prover->has_no) {
            prover_no_memory(prover);
        }
    }
    hunt_at_root(prover, &set);
    report_limits(prover);
    return prover->has_no ? COMPATIBLE_NO : COMPATIBLE_UNKNOWN;
}

enum status compatible_check(const struct compatible_side *writer, const struct compatible_side *reader,
                             enum compatible_content content, struct validate_context *context,
                             enum compatible_answer *ret_answer, struct compatible_report *report,
                             struct error *error) {
    CLEANUP(prover_done)
    struct prover prover = {.given = {writer, reader},
                            .content = content,
                            .context = context,
                            .report = report,
                            .error = error,
                            .dependency = UINT32_MAX};
    enum status status = prover_open(&prover);
    if (status != OK) {
        return status;
    }
    enum compatible_answer answer = compare(&prover);
    if (prover.status == OK) {
        *ret_answer = answer;
    }
    return prover.status;
}
