/* compatible_witness.c: payloads around a value, run through both programs: what only the reader refuses is a witness.
 */
#include "validate/compatible_witness.h"

#include "validate/value.h"

#include <stdio.h>

enum { TRIES_MAX = 400, VARIANTS = 4, CONTENT_DEPTH_MAX = 128 };

void hunt_done(struct hunt *hunt) {
    buffer_done(&hunt->value);
    buffer_done(&hunt->payload);
    buffer_done(&hunt->spare);
    buffer_done(&hunt->path);
}

/* ---- the payload around the value ---- */

static bool wrap(struct hunt *hunt, struct bytes value, uint32_t variant) {
    struct prover *prover = hunt->prover;
    hunt->payload.size = 0;
    if (!buffer_append(&hunt->payload, value.data, value.size)) {
        return false;
    }
    for (const struct frame_step *step = prover->step; step != NULL; step = step->up) {
        struct plan plan = {.kinds = step->is_name ? KIND_OBJECT : KIND_ARRAY,
                            .variant = variant,
                            .has_member = true,
                            .name = step->name,
                            .value = buffer_view(&hunt->payload),
                            .index = step->index};
        hunt->spare.size = 0;
        if (!build_value(prover, step->set, plan, &hunt->spare)) {
            return false;
        }
        struct buffer swapped = hunt->payload;
        hunt->payload = hunt->spare;
        hunt->spare = swapped;
    }
    return hunt->payload.size <= COMPATIBLE_WITNESS_SIZE_MAX;
}

/* ---- the content model ---- */

/* What any part says of a member, in any case. */
static void any_of_name(struct prover *prover, const struct set *set, struct bytes name, struct set *ret) {
    struct facts facts = {.set = set, .finite = NO_INDEX};
    set_init(prover, ret);
    if (facts_closure(prover, set, &facts.first, &facts.count)) {
        facts_of_name(prover, &facts, name, ret);
    }
    prover->parts.count = facts.first;
}

static void any_of_index(struct prover *prover, const struct set *set, uint32_t index, struct set *ret) {
    struct facts facts = {.set = set, .finite = NO_INDEX};
    set_init(prover, ret);
    if (facts_closure(prover, set, &facts.first, &facts.count)) {
        facts_of_index(prover, &facts, index, ret);
    }
    prover->parts.count = facts.first;
}

/* Does the value hold only what the lenient model takes as written? */
static bool content_fits(struct prover *prover, const struct set *set, struct wire_value value, uint32_t depth) {
    enum wire_kind kind = wire_value_kind(value);
    if (depth == CONTENT_DEPTH_MAX || (kind != WIRE_MAP && kind != WIRE_ARRAY) || set->count == 0) {
        return depth < CONTENT_DEPTH_MAX;
    }
    bool lenient = kind == WIRE_MAP && facts_lenient(prover, set);
    struct wire_value at = {value.document, value.index + 1};
    for (uint32_t i = 0; i < value_item(value)->size; i++) {
        struct set member;
        if (kind == WIRE_MAP) {
            struct bytes name = value_text(at);
            if (lenient && !facts_declared(prover, set, name)) {
                return false;
            }
            any_of_name(prover, set, name, &member);
            at = wire_value_next(at);
        } else {
            any_of_index(prover, set, i, &member);
        }
        if (!prover_spend(prover, 1) || !content_fits(prover, &member, at, depth + 1)) {
            return false;
        }
        at = wire_value_next(at);
    }
    return true;
}

/* ---- why the reader refuses it ---- */

static bool append_instance_path(const struct frame_step *step, struct buffer *ret) {
    if (step == NULL) {
        return true;
    }
    char number[16];
    snprintf(number, sizeof number, "%u", step->index);
    struct bytes token = step->is_name ? step->name : bytes_from_string(number);
    return append_instance_path(step->up, ret) && buffer_append(ret, "/", 1) && node_append_token(token, ret);
}

bool instance_path(const struct prover *prover, struct buffer *ret) {
    return append_instance_path(prover->step, ret);
}

static void report_done(struct validate_report *report) {
    validate_report_done(report);
}

/* What the failure of a keyword is called; "": as what is within it. */
static const char *code_of(enum keyword keyword) {
    switch ((int)keyword) {
    case KEYWORD_IF:
    case KEYWORD_ALL_OF:
    case KEYWORD_REF:
    case KEYWORD_DYNAMIC_REF:
    case KEYWORD_DEPENDENT_SCHEMAS:
    case KEYWORD_DEPENDENCIES:
        return "";
    default:
        return keyword_name(keyword);
    }
}

/* Is it refused at the value, by the obligation's keyword? */
static bool is_specific(struct hunt *hunt, struct wire_value payload) {
    struct prover *prover = hunt->prover;
    CLEANUP(report_done) struct validate_report report = {0};
    struct error error;
    bool valid = true;
    hunt->path.size = 0;
    if (validate_explain(prover->given[READER]->program, prover->context, payload, &valid, &report, &error) != OK ||
        !append_instance_path(prover->step, &hunt->path)) {
        return false;
    }
    (void)prover_spend(prover, validate_context_steps(prover->context));
    const char *code = code_of(hunt->obligation->keyword);
    for (uint32_t i = 0; i < report.count; i++) {
        struct validate_failure failure = validate_report_at(&report, i);
        struct bytes path = failure.instance_path;
        bool here =
            path.size == hunt->path.size && (path.size == 0 || memcmp(path.data, hunt->path.data, path.size) == 0);
        bool below = path.size > hunt->path.size && path.data[hunt->path.size] == '/' &&
                     (hunt->path.size == 0 || memcmp(path.data, hunt->path.data, hunt->path.size) == 0);
        if ((here && (*code == '\0' || strcmp(code, failure.code) == 0)) || (*code == '\0' && below)) {
            return true;
        }
    }
    return false;
}

static void keep(struct hunt *hunt, bool specific) {
    hunt->found->size = 0;
    hunt->specific = specific;
    if (!buffer_append(hunt->found, hunt->payload.data, hunt->payload.size)) {
        prover_no_memory(hunt->prover);
    }
}

/* The payload is valid for the writer, and what it holds fits the content model. */
static bool judge(struct hunt *hunt, bool *ret_written) {
    struct prover *prover = hunt->prover;
    const struct wire_limits limits = {
        .size_max = UINT32_MAX, .depth_max = 1024, .seed = prover->given[READER]->program->seed};
    struct bytes payload = buffer_view(&hunt->payload);
    *ret_written = program_accepts(prover, prover->given[WRITER]->program, payload) == VERDICT_YES;
    if (!*ret_written || program_accepts(prover, prover->given[READER]->program, payload) != VERDICT_NO) {
        return false;
    }
    CLEANUP(wire_document_done) struct wire_document tape = {0};
    struct error error;
    if (wire_document_parse(&tape, payload, &limits, &error) != OK) {
        return false;
    }
    struct wire_value root = {&tape, 0};
    struct set set;
    set_init(prover, &set);
    set_add(&set, prover->roots[WRITER], HOLDS);
    if (prover->content == COMPATIBLE_LENIENT && !content_fits(prover, &set, root, 0)) {
        return false;
    }
    bool specific = is_specific(hunt, root);
    if (specific || hunt->found->size == 0) {
        keep(hunt, specific);
    }
    return specific;
}

bool hunt_try(struct hunt *hunt, struct bytes value) {
    struct prover *prover = hunt->prover;
    if (value.size == 0) {
        return false;
    }
    for (uint32_t variant = 0; variant < VARIANTS; variant++) {
        bool written = false;
        if (++hunt->tries > TRIES_MAX || prover->status != OK || prover->work.limit != WORK_FINE) {
            return true;
        }
        if (wrap(hunt, value, variant) && judge(hunt, &written)) {
            return true;
        }
        if (written || prover->step == NULL) {
            return false;
        }
    }
    return false;
}

void witness_find(struct prover *prover, const struct set *set, const struct obligation *obligation, struct bytes first,
                  struct buffer *ret, bool *ret_specific) {
    CLEANUP(hunt_done) struct hunt hunt = {.prover = prover, .obligation = obligation, .found = ret};
    /* Its own budget: a hunt may not eat what the proof needs, nor go without when the proof took all. */
    struct work saved = prover->work;
    uint64_t share = prover->hunt_steps_left / 4 + 1000;
    share = share < prover->hunt_steps_left ? share : prover->hunt_steps_left;
    prover->work.limit = WORK_FINE;
    prover->work.steps_left = share;
    if (prover->status == OK && !hunt_try(&hunt, first)) {
        probe_values(&hunt, set, obligation->reader);
    }
    prover->hunt_steps_left -= share - prover->work.steps_left;
    prover->work.steps_left = saved.steps_left;
    prover->work.limit = saved.limit;
    *ret_specific = hunt.specific;
}
