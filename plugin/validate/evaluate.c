/* evaluate.c: the machine's loop, and the runs that it makes. */
#include "validate/evaluate.h"

#include "validate/evaluate_array.h"
#include "validate/evaluate_logic.h"
#include "validate/evaluate_object.h"
#include "validate/explain.h"
#include "validate/hash.h"
#include "validate/model.h"

#include <stdlib.h>

enum { MEMO_STEPS_MIN = 2048 }; /* evaluations that end sooner remember nothing */

ALWAYS_INLINE enum step step_assertion(struct machine *machine, enum mode mode, struct frame *frame,
                                       const struct instruction *in) {
    enum verdict verdict = assert_holds(machine, in, &machine->items[frame->value]);
    if (mode == MODE_EXPLAIN && verdict == VERDICT_NO) {
        explain_assertion(machine, frame, in);
    }
    return (enum step)verdict;
}

ALWAYS_INLINE enum step step_rest(struct machine *machine, enum mode mode, struct frame *frame,
                                  const struct instruction *in) {
    if (mode == MODE_FAST || frame->track == WORK_NONE) {
        return STEP_PASS; /* not a container of the kind */
    }
    return in->op == OP_UNEVALUATED_ITEMS ? step_elements(machine, mode, frame, in)
                                          : step_members(machine, mode, frame, in);
}

ALWAYS_INLINE enum step step_once(struct machine *machine, enum mode mode, struct frame *frame,
                                  const struct instruction *in) {
    switch (in->op) {
    case OP_REF:
        return step_ref(machine, mode, frame, in);
    case OP_ALL_OF:
        return step_all_of(machine, mode, frame, in);
    case OP_ANY_OF:
    case OP_ONE_OF:
        return step_branches(machine, mode, frame, in);
    case OP_NOT:
        return step_not(machine, mode, frame, in);
    case OP_IF:
        return step_if(machine, mode, frame, in);
    case OP_DEPENDENT_SCHEMAS:
        return mode == MODE_EXPLAIN ? step_dependent_in_order(machine, frame, in)
                                    : step_dependent_schemas(machine, mode, frame, in);
    case OP_PREFIX_ITEMS:
    case OP_ITEMS:
        return step_elements(machine, mode, frame, in);
    case OP_CONTAINS:
        return step_contains(machine, mode, frame, in);
    case OP_PROPERTIES:
        /* A key of an extended payload may come more than once: its members are taken as they come. */
        return mode == MODE_EXPLAIN && !machine->program->extended ? step_properties_in_order(machine, frame, in)
                                                                   : step_members(machine, mode, frame, in);
    case OP_ADDITIONAL_PROPERTIES:
    case OP_PROPERTY_NAMES:
        return step_members(machine, mode, frame, in);
    case OP_PATTERN_PROPERTIES:
        return step_pattern_properties(machine, mode, frame, in);
    case OP_OBJECT:
        return mode == MODE_EXPLAIN ? STEP_PASS : step_object(machine, mode, frame, in);
    case OP_UNEVALUATED_ITEMS:
    case OP_UNEVALUATED_PROPERTIES:
        return step_rest(machine, mode, frame, in);
    default:
        return step_assertion(machine, mode, frame, in);
    }
}

ALWAYS_INLINE enum verdict run(struct machine *machine, enum mode mode, uint32_t value) {
    machine->branch = (struct branch){0};
    enum step step = call(machine, mode, machine->program->root, value, ELEMENT, 0);
    if (step != STEP_CALL) {
        return (enum verdict)step;
    }
    while (machine->depth > 0) {
        struct frame *frame = &machine->frames[machine->depth - 1];
        if (frame->pc == frame->end) {
            if (!pop_frame(machine, mode, frame->valid)) {
                return VERDICT_LIMIT;
            }
            continue;
        }
        if (!work_spend(machine->work, 1)) {
            return VERDICT_LIMIT;
        }
        step = step_once(machine, mode, frame, &machine->view.code[frame->pc]);
        if (step == STEP_CALL) {
            continue;
        }
        if (step == STEP_LIMIT) {
            return VERDICT_LIMIT;
        }
        if (step == STEP_FAIL && mode != MODE_EXPLAIN) {
            if (!pop_frame(machine, mode, false)) {
                return VERDICT_LIMIT;
            }
            continue;
        }
        frame->valid = frame->valid && step == STEP_PASS;
        frame->pc++;
        frame->started = false;
    }
    return machine->result ? VERDICT_YES : VERDICT_NO;
}

static enum verdict run_fast(struct machine *machine, uint32_t value) {
    return run(machine, MODE_FAST, value);
}

static enum verdict run_tracking(struct machine *machine, uint32_t value) {
    return run(machine, MODE_TRACK, value);
}

static enum verdict run_explaining(struct machine *machine, uint32_t value) {
    return run(machine, MODE_EXPLAIN, value);
}

/* ---- contexts ---- */

struct validate_context *validate_context_new(uint64_t seed) {
    struct validate_context *context = calloc(1, sizeof *context);
    if (context != NULL) {
        context->seed = seed;
    }
    return context;
}

void validate_context_free(struct validate_context *context) {
    if (context == NULL) {
        return;
    }
    free(context->work.scratch);
    free(context->frames);
    free(context->memo);
    free(context->memo_sets);
    free(context);
}

uint64_t validate_context_steps(const struct validate_context *context) {
    return context->steps;
}

size_t validate_context_memory(const struct validate_context *context) {
    return sizeof *context + context->work.scratch_capacity + context->frame_capacity * sizeof(struct frame) +
           context->memo_capacity * sizeof(struct memo_entry) + context->memo_set_capacity * sizeof(uint64_t);
}

static void machine_init(struct machine *machine, const struct validate_program *program,
                         struct validate_context *context, struct wire_value payload) {
    context->work.steps_left = program->limits.validation_steps_max;
    context->work.seed = context->seed;
    context->work.limit = WORK_FINE;
    context->work.scratch_size = 0;
    context->work.scratch_max = program->limits.validation_memory_max;
    context->memo_count = 0;
    context->memo_set_count = 0;
    if (++context->run == 0) {
        free(context->memo); /* the numbers of runs begin again: old entries must not come back */
        context->memo = NULL;
        context->memo_capacity = 0;
        context->run = 1;
    }
    uint64_t free_steps = MEMO_STEPS_MIN + 4 * (uint64_t)payload.document->item_count;
    uint32_t frames_max = program->limits.validation_frames_max;
    uint64_t steps_max = program->limits.validation_steps_max;
    program_view_init(&machine->view, program);
    machine->work = &context->work;
    machine->context = context;
    machine->program = program;
    machine->document = payload.document;
    machine->items = payload.document->items;
    machine->bytes = payload.document->input.data;
    machine->frames = context->frames;
    machine->depth = 0;
    machine->depth_max = context->frame_capacity < frames_max ? context->frame_capacity : frames_max;
    machine->result = false;
    machine->memo_below = steps_max > free_steps ? steps_max - free_steps : 0;
    machine->branch = (struct branch){0};
    machine->report = NULL;
}

/* ---- runs ---- */

static enum status check_seed(const struct validate_program *program, struct wire_value payload, struct error *error) {
    return payload.document->seed == program->seed
               ? OK
               : error_set(error, INTERNAL, "the payload's keys were hashed with another seed than the schema's");
}

static enum status refuse_limit(const struct validate_program *program, const struct work *work, struct error *error) {
    const struct validate_limits *limits = &program->limits;
    const char *name = "validation_steps_max";
    int64_t limit = limits->validation_steps_max;
    switch (work->limit) {
    case WORK_NO_MEMORY:
        return error_set(error, NO_MEMORY, "no memory to validate a payload");
    case WORK_MEMORY:
        name = "validation_memory_max";
        limit = limits->validation_memory_max;
        break;
    case WORK_FRAMES:
        name = "validation_frames_max";
        limit = limits->validation_frames_max;
        break;
    case WORK_PATTERN:
        name = "pattern_steps_max";
        limit = limits->pattern_steps_max;
        break;
    case WORK_PATTERN_MEMORY:
        return error_set(error, TOO_LARGE,
                         "validating the payload exceeds the memory of a search for a pattern, which is %u KiB: it is "
                         "neither valid nor invalid",
                         PATTERN_LIMITS_DEFAULT.heap_kib_max);
    case WORK_FORMAT:
        return error_set(error, TOO_LARGE, "validating the payload exceeds the limit of checking a format");
    case WORK_STEPS:
    case WORK_FINE:
        break;
    }
    error_set(error, TOO_LARGE, "validating the payload exceeds %s, which is %lld: it is neither valid nor invalid",
              name, (long long)limit);
    error_add_text(error, "limit_name", name);
    error_add_number(error, "limit", limit);
    return TOO_LARGE;
}

enum status validate_run(const struct validate_program *program, struct validate_context *context,
                         struct wire_value payload, bool *ret_valid, struct error *error) {
    struct machine machine;
    struct model_fault fault;
    enum status status = check_seed(program, payload, error);
    if (status != OK) {
        return status;
    }
    machine_init(&machine, program, context, payload);
    enum verdict verdict = model_check(payload, program->extended, context->seed, &context->work, &fault);
    if (verdict == VERDICT_YES) {
        verdict = program->tracks ? run_tracking(&machine, payload.index) : run_fast(&machine, payload.index);
    }
    context->steps = program->limits.validation_steps_max - context->work.steps_left;
    if (verdict == VERDICT_LIMIT) {
        return refuse_limit(program, &context->work, error);
    }
    *ret_valid = verdict == VERDICT_YES;
    return OK;
}

enum status validate_explain(const struct validate_program *program, struct validate_context *context,
                             struct wire_value payload, bool *ret_valid, struct validate_report *report,
                             struct error *error) {
    struct machine machine;
    struct model_fault fault;
    enum status status = check_seed(program, payload, error);
    if (status != OK) {
        return status;
    }
    machine_init(&machine, program, context, payload);
    machine.report = report;
    report->count = 0;
    report->text.size = 0;
    report->truncated = false;
    report->no_memory = false;
    enum verdict verdict = model_check(payload, program->extended, context->seed, &context->work, &fault);
    if (verdict == VERDICT_NO) {
        explain_model(report, program->limits.failures_size_max, payload, &fault);
    } else if (verdict == VERDICT_YES) {
        verdict = run_explaining(&machine, payload.index);
    }
    context->steps = program->limits.validation_steps_max - context->work.steps_left;
    if (report->no_memory) {
        return error_set(error, NO_MEMORY, "no memory to tell how a payload fails");
    }
    if (verdict == VERDICT_LIMIT) {
        explain_cut(&machine);
        return refuse_limit(program, &context->work, error);
    }
    *ret_valid = verdict == VERDICT_YES;
    return OK;
}

enum status validate_same(struct wire_value a, struct wire_value b, bool *ret_same, struct error *error) {
    struct work work = {.steps_left = 8 * ((uint64_t)a.document->item_count + b.document->item_count) + 1024,
                        .seed = a.document->seed ^ (uintptr_t)a.document->items ^ HASH_SEED,
                        .scratch_max = UINT32_MAX};
    enum verdict verdict = value_equal(a, b, &work);
    free(work.scratch);
    if (verdict == VERDICT_LIMIT) {
        return work.limit == WORK_NO_MEMORY ? error_set(error, NO_MEMORY, "no memory to compare two documents")
                                            : error_set(error, TOO_LARGE, "comparing two documents takes too long");
    }
    *ret_same = verdict == VERDICT_YES;
    return OK;
}
