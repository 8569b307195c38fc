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

/* An array or a map that is gone through. */
struct content {
    bool is_map;
    bool lenient;
    uint32_t index; /* of the next element or member */
    uint32_t left;
    struct wire_value next; /* a map: its name */
    struct set set;
};

/* Something to be gone through? */
static bool open_content(struct prover *prover, const struct set *set, struct wire_value value, struct content *ret) {
    enum wire_kind kind = wire_value_kind(value);
    if ((kind != WIRE_MAP && kind != WIRE_ARRAY) || set->count == 0) {
        return false;
    }
    *ret = (struct content){.is_map = kind == WIRE_MAP,
                            .lenient = kind == WIRE_MAP && facts_lenient(prover, set),
                            .left = value_item(value)->size,
                            .next = {value.document, value.index + 1},
                            .set = *set};
    return true;
}

/* Takes the next member and what is said of it. False: it is not taken as written. */
static bool next_content(struct prover *prover, struct content *from, struct wire_value *ret_value, struct set *ret) {
    *ret_value = from->next;
    if (from->is_map) {
        struct bytes name = value_text(from->next);
        if (from->lenient && !facts_declared(prover, &from->set, name)) {
            return false;
        }
        any_of_name(prover, &from->set, name, ret);
        *ret_value = wire_value_next(from->next);
    } else {
        any_of_index(prover, &from->set, from->index, ret);
    }
    from->next = wire_value_next(*ret_value);
    from->index++;
    from->left--;
    return prover_spend(prover, 1);
}

/* Does the value hold only what the lenient model takes as written? */
static bool content_fits(struct prover *prover, const struct set *set, struct wire_value value) {
    struct content within[CONTENT_DEPTH_MAX];
    uint32_t depth = open_content(prover, set, value, &within[0]) ? 1 : 0;
    while (depth > 0) {
        struct content *from = &within[depth - 1];
        struct set member;
        if (from->left == 0) {
            depth--;
            continue;
        }
        if (!next_content(prover, from, &value, &member) || depth == CONTENT_DEPTH_MAX) {
            return false;
        }
        depth += open_content(prover, &member, value, &within[depth]) ? 1 : 0;
    }
    return true;
}

/* ---- why the reader refuses it ---- */

bool instance_path(const struct prover *prover, struct buffer *ret) {
    const struct frame_step *steps[FRAME_STEPS_MAX];
    uint32_t count = frame_steps(prover->step, NULL, steps);
    for (uint32_t i = 0; i < count; i++) {
        char number[16];
        snprintf(number, sizeof number, "%u", steps[i]->index);
        struct bytes token = steps[i]->is_name ? steps[i]->name : bytes_from_string(number);
        if (!buffer_append(ret, "/", 1) || !node_append_token(token, ret)) {
            return false;
        }
    }
    return true;
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
        !instance_path(prover, &hunt->path)) {
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
    if (prover->content == COMPATIBLE_LENIENT && !content_fits(prover, &set, root)) {
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
