/* schema_try.c: schemas without consequences: a payload held against one, and a new one over stored events. */
#include "failures.h"
#include "schema_ops.h"
#include "system.h"

enum { FAILURES_LIMIT = 1000, REPEAT_MAX = 1000000, EVENTS_PER_READ = 500 };

/* A measurement ends after as long, whatever was asked for. */
static const int64_t MEASURE_NS_MAX = INT64_C(5000000000);

/* A dry run ends after as long, and gives its reader back in between. */
static const int64_t RUN_NS_MAX = INT64_C(10000000000);
static const int64_t PAGE_NS_MAX = INT64_C(200000000);

/* Of what was taken before. */
static struct wire_limits wide_limits(uint64_t seed) {
    return (struct wire_limits){.size_max = UINT32_MAX, .depth_max = UINT32_MAX, .seed = seed};
}

/* ---- validate ---- */

struct validate {
    struct schema_request request;
    struct schema_kept kept;
    struct schema_settings settings;
    int64_t version; /* 0: the current one, or a schema that was given */
    struct wire_value data;
    int64_t failures_max;
    bool hide_values;
    int64_t repeat; /* 0: once, without measuring */
    struct validate_program *program;
    struct validate_context *context;
    struct validate_report report;
    struct registry *registry;
};

static void validate_done(struct validate *validate) {
    registry_return_context(validate->registry, validate->context);
    validate_report_done(&validate->report);
    validate_program_free(validate->program);
    schema_kept_done(&validate->kept);
    schema_request_done(&validate->request);
}

static enum status read_validate(struct call *call, struct validate *validate) {
    struct wire_map *request = &call->request;
    validate->failures_max = call->instance->config.failures_max;
    validate->hide_values = call->instance->config.hide_values;
    validate->registry = call->instance->registry;
    enum status status = schema_read_type(call, OPTIONAL, &validate->request.type);
    if (status == OK) {
        status = schema_read_source(call, OPTIONAL, &validate->request);
    }
    if (status == OK) {
        status = wire_map_int(request, "version", OPTIONAL, 1, INT64_MAX, &validate->version, call->error);
    }
    if (status != OK) {
        return status;
    }
    bool has_type = bytes_present(validate->request.type);
    bool has_schema = bytes_present(validate->request.schema);
    if (has_type == has_schema || (has_schema && validate->version > 0)) {
        error_set(call->error, INVALID, "%s: by which schema? give type (and version), or schema", call->name);
        return call_refuse_field(call, has_type && has_schema ? "schema" : validate->version > 0 ? "version" : "type");
    }
    if (!wire_map_find_or_nil(request, "data", &validate->data)) {
        error_set(call->error, INVALID, "data is missing: the payload to validate");
        return call_refuse_field(call, "data");
    }
    status = wire_map_int(request, "failures_max", OPTIONAL, 1, FAILURES_LIMIT, &validate->failures_max, call->error);
    if (status == OK) {
        status = wire_map_bool(request, "hide_values", OPTIONAL, &validate->hide_values, call->error);
    }
    if (status == OK) {
        status = wire_map_int(request, "repeat", OPTIONAL, 1, REPEAT_MAX, &validate->repeat, call->error);
    }
    return status;
}

/* The program to validate by: of the schema that was given, or of a version that is kept. The last fields of the
 * request are read on the way, as their defaults are the type's. */
static enum status find_program(struct call *call, struct validate *validate) {
    bool has_schema = bytes_present(validate->request.schema);
    enum status status = OK;
    if (!has_schema) {
        status = schema_load_current(call, validate->request.type, &validate->kept);
        validate->settings = validate->kept.settings;
    }
    if (status == OK) {
        status = schema_read_payload_settings(call, &validate->settings);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status != OK) {
        return status;
    }
    if (has_schema) {
        return schema_source_compile(&validate->request.source, &call->instance->config, &validate->settings, false,
                                     &validate->program, call->details, call->error);
    }
    if (validate->version > 0 || validate->kept.version == 0) {
        schema_kept_done(&validate->kept);
        validate->kept = (struct schema_kept){0};
        status = schema_load_version(call, validate->request.type, validate->version, &validate->kept);
    }
    return status == OK ? schema_compile_kept(call, validate->request.type, &validate->kept, &validate->settings,
                                              &validate->program)
                        : status;
}

enum measured { MEASURE_BOTH, MEASURE_TAPE, MEASURE_EVALUATION };

/* Nanoseconds of `rounds` rounds, or of as many as the time allows: then *rounds is lowered. */
static enum status measure(struct validate *validate, enum measured what, struct wire_document *tape, int64_t *rounds,
                           int64_t *ret_ns, struct error *error) {
    const struct wire_limits limits = wide_limits(validate->data.document->seed);
    enum { CLOCK_STRIDE = 16 }; /* asking costs a part of a small event; the first rounds tell whether this is one */
    struct bytes payload = wire_value_raw(validate->data);
    enum status status = OK;
    bool valid = false;
    int64_t began = monotonic_ns();
    int64_t done = 0;
    while (status == OK && done < *rounds &&
           ((done > CLOCK_STRIDE && done % CLOCK_STRIDE != 0) || monotonic_ns() - began < MEASURE_NS_MAX)) {
        if (what != MEASURE_EVALUATION) {
            status = wire_document_parse(tape, payload, &limits, error);
        }
        if (status == OK && what != MEASURE_TAPE) {
            status = validate_run(validate->program, validate->context, (struct wire_value){tape, 0}, &valid, error);
        }
        done++;
    }
    *ret_ns = monotonic_ns() - began;
    *rounds = done;
    return status;
}

/* How long it takes from the bytes to a verdict, to write the tape, and to evaluate it: all rounds together. */
static enum status put_timing(struct call *call, struct validate *validate) {
    CLEANUP(wire_document_done) struct wire_document tape = {0};
    int64_t rounds = validate->repeat;
    int64_t ns[3] = {0};
    enum status status = OK;
    for (int i = MEASURE_BOTH; status == OK && i <= MEASURE_EVALUATION; i++) {
        status = measure(validate, (enum measured)i, &tape, &rounds, &ns[i], call->error);
    }
    wire_put_text(call->reply, "timing");
    wire_put_map(call->reply, 6);
    put_int(call->reply, "repeat", rounds);
    put_int(call->reply, "size", (int64_t)wire_value_raw(validate->data).size);
    put_int(call->reply, "values", tape.item_count);
    put_int(call->reply, "tape_ns", ns[MEASURE_TAPE]);
    put_int(call->reply, "evaluate_ns", ns[MEASURE_EVALUATION]);
    put_int(call->reply, "both_ns", ns[MEASURE_BOTH]);
    return status;
}

static enum status judge(struct call *call, struct validate *validate, bool *ret_valid, uint64_t *ret_steps) {
    enum status status = validate_run(validate->program, validate->context, validate->data, ret_valid, call->error);
    *ret_steps = validate_context_steps(validate->context);
    if (status != OK || *ret_valid) {
        if (status != OK) {
            error_set_path(call->error, "/data");
        }
        return status;
    }
    validate->report.hide_values = validate->hide_values;
    validate->report.failures_max = (uint32_t)validate->failures_max;
    status = validate_explain(validate->program, validate->context, validate->data, ret_valid, &validate->report,
                              call->error);
    return status == TOO_LARGE ? OK : status; /* the failures that were found are told, as truncated */
}

enum status schema_validate(struct call *call) {
    CLEANUP(validate_done) struct validate validate = {0};
    bool valid = false;
    uint64_t steps = 0;
    enum status status = read_validate(call, &validate);
    if (status == OK) {
        status = find_program(call, &validate);
    }
    if (status != OK) {
        return status;
    }
    validate.context = registry_borrow_context(validate.registry);
    if (validate.context == NULL) {
        return error_set(call->error, NO_MEMORY, "%s: no memory", call->name);
    }
    status = judge(call, &validate, &valid, &steps);
    if (status != OK) {
        return status;
    }
    size_t map = wire_open_map(call->reply);
    put_bool(call->reply, "valid", valid);
    wire_put_text(call->reply, "failures");
    uint32_t base = validate.data.document->items[validate.data.index].offset;
    bool truncated = failures_put(call->reply, &validate.report, base);
    put_bool(call->reply, "truncated", truncated);
    put_int(call->reply, "steps", (int64_t)steps);
    uint32_t pairs = 4;
    if (bytes_present(validate.request.type)) {
        put_str(call->reply, "type", validate.request.type);
        put_int(call->reply, "version", validate.kept.version);
        pairs += 2;
    }
    if (validate.repeat > 0) {
        status = put_timing(call, &validate);
        pairs++;
    }
    wire_close(call->reply, map, pairs);
    return status;
}

/* ---- over stored events ---- */

/* One page of events: read in a transaction of its own, so that no log has to wait for the whole run. */
struct dry_read {
    struct dry_run *run;
    struct validate_context *context;
    struct wire_limits limits;
    struct wire_document tape;
    int64_t count; /* of this page */
    int64_t page_began_ns, run_began_ns;
    bool paused; /* the page took long enough */
    enum status status;
    struct error *error;
};

static void dry_read_done(struct dry_read *read) {
    wire_document_done(&read->tape);
}

static void note_example(struct dry_run_example examples[DRY_RUN_EXAMPLES], int64_t id, size_t size) {
    for (int i = 0; i < DRY_RUN_EXAMPLES; i++) {
        if (examples[i].id == 0 || size < examples[i].size) {
            for (int j = DRY_RUN_EXAMPLES - 1; j > i; j--) {
                examples[j] = examples[j - 1];
            }
            examples[i] = (struct dry_run_example){id, size};
            return;
        }
    }
}

static enum status judge_stored(struct dry_read *read, const struct stored_event *event) {
    struct dry_run *run = read->run;
    struct wire_value payload = {&read->tape, 0};
    bool now = false;
    bool before = true;
    enum status status = wire_document_parse(&read->tape, event->data, &read->limits, read->error);
    if (status == OK) {
        status = validate_run(run->program, read->context, payload, &now, read->error);
    }
    if (status == OK && run->before != NULL) {
        status = validate_run(run->before, read->context, payload, &before, read->error);
    }
    if (status == NO_MEMORY) {
        return status;
    }
    run->checked++;
    if (status != OK) { /* a limit, or a damaged row: neither valid nor invalid */
        run->failed++;
        return OK;
    }
    run->valid += now;
    run->invalid += !now;
    if (!now && before) {
        run->newly_invalid++;
        note_example(run->now_invalid, event->id, event->data.size);
    }
    if (now && !before) {
        run->newly_valid++;
        note_example(run->now_valid, event->id, event->data.size);
    }
    return OK;
}

static bool visit_stored(void *context, const struct stored_event *event) {
    struct dry_read *read = context;
    int64_t now_ns = monotonic_ns();
    if (read->run->checked == read->run->limit || now_ns - read->run_began_ns > RUN_NS_MAX) {
        read->run->more = true;
        return false;
    }
    if (now_ns - read->page_began_ns > PAGE_NS_MAX) {
        read->paused = true;
        return false;
    }
    read->count++;
    read->run->last_id = event->id;
    read->status = judge_stored(read, event);
    return read->status == OK;
}

enum status schema_try_events(struct call *call, struct dry_run *run) {
    struct storage *storage = call->instance->storage;
    struct registry *registry = call->instance->registry;
    struct event_filter filter = {.types = {run->type}, .type_count = 1};
    CLEANUP(dry_read_done)
    struct dry_read read = {.run = run,
                            .context = registry_borrow_context(registry),
                            .limits = wide_limits(call->instance->config.hash_seed),
                            .error = call->error};
    enum status status = read.context != NULL ? OK : error_set(call->error, NO_MEMORY, "%s: no memory", call->name);
    run->last_id = run->after_id;
    read.run_began_ns = monotonic_ns();
    bool again = true;
    while (status == OK && again) {
        struct storage_head head;
        struct event_query query = {.filter = &filter,
                                    .order_by = ORDER_BY_ID,
                                    .has_position = true,
                                    .position = {.id = run->last_id},
                                    .limit = EVENTS_PER_READ};
        read.count = 0;
        read.paused = false;
        read.page_began_ns = monotonic_ns();
        status = storage->ops->read_events(storage, &query, visit_stored, &read, &head, call->error);
        status = status == OK ? read.status : status;
        again = (read.paused || read.count == EVENTS_PER_READ) && !run->more;
    }
    registry_return_context(registry, read.context);
    return status;
}

/* ---- dry_run ---- */

struct example_visit {
    struct call *call;
    const struct validate_program *program; /* that the event is invalid by */
    struct validate_context *context;
    enum status status;
};

static bool visit_example(void *context, const struct stored_event *event) {
    struct example_visit *visit = context;
    struct call *call = visit->call;
    const struct config *config = &call->instance->config;
    const struct wire_limits limits = wide_limits(config->hash_seed);
    CLEANUP(wire_document_done) struct wire_document tape = {0};
    CLEANUP(validate_report_done)
    struct validate_report report = {.failures_max = (uint32_t)config->failures_max,
                                     .hide_values = config->hide_values};
    bool valid = false;
    visit->status = wire_document_parse(&tape, event->data, &limits, call->error);
    if (visit->status == OK) {
        visit->status = validate_explain(visit->program, visit->context, (struct wire_value){&tape, 0}, &valid, &report,
                                         call->error);
    }
    if (visit->status == NO_MEMORY) {
        return false;
    }
    visit->status = OK; /* a limit leaves the list short */
    wire_put_map(call->reply, 3);
    put_int(call->reply, "id", event->id);
    put_int(call->reply, "size", (int64_t)event->data.size);
    wire_put_text(call->reply, "failures");
    (void)failures_put(call->reply, &report, 0);
    return false;
}

static enum status put_examples(struct call *call, const char *name, const struct dry_run_example *examples,
                                const struct validate_program *program) {
    struct storage *storage = call->instance->storage;
    struct registry *registry = call->instance->registry;
    struct example_visit visit = {.call = call, .program = program, .context = registry_borrow_context(registry)};
    enum status status = visit.context != NULL ? OK : error_set(call->error, NO_MEMORY, "%s: no memory", call->name);
    wire_put_text(call->reply, name);
    size_t array = wire_open_array(call->reply);
    uint32_t count = 0;
    for (; status == OK && count < DRY_RUN_EXAMPLES && examples[count].id != 0; count++) {
        status = storage->ops->get_event(storage, examples[count].id, visit_example, &visit, call->error);
        status = status == OK ? visit.status : status;
    }
    wire_close(call->reply, array, count);
    registry_return_context(registry, visit.context);
    return status;
}

static enum status put_dry_run(struct call *call, const struct dry_run *run) {
    wire_put_map(call->reply, 10);
    put_int(call->reply, "checked", run->checked);
    put_int(call->reply, "valid", run->valid);
    put_int(call->reply, "invalid", run->invalid);
    put_int(call->reply, "newly_invalid", run->newly_invalid);
    put_int(call->reply, "newly_valid", run->newly_valid);
    put_int(call->reply, "failed", run->failed);
    put_int(call->reply, "last_id", run->last_id);
    put_bool(call->reply, "more", run->more);
    enum status status = put_examples(call, "newly_invalid_examples", run->now_invalid, run->program);
    return status == OK ? put_examples(call, "newly_valid_examples", run->now_valid, run->before) : status;
}

enum status schema_dry_run(struct call *call) {
    CLEANUP(schema_request_done) struct schema_request request = {0};
    CLEANUP(schema_kept_done) struct schema_kept kept = {0};
    CLEANUP(validate_program_freep) struct validate_program *program = NULL;
    CLEANUP(validate_program_freep) struct validate_program *before = NULL;
    struct dry_run run = {.limit = DRY_RUN_LIMIT_DEFAULT};
    enum status status = schema_read_type(call, REQUIRED, &request.type);
    if (status == OK) {
        status = schema_read_source(call, REQUIRED, &request);
    }
    if (status == OK) {
        status = wire_map_int(&call->request, "after", OPTIONAL, 0, INT64_MAX, &run.after_id, call->error);
    }
    if (status == OK) {
        status = wire_map_int(&call->request, "limit", OPTIONAL, 1, INT64_MAX, &run.limit, call->error);
    }
    if (status == OK) {
        status = schema_load_current(call, request.type, &kept);
    }
    struct schema_settings settings = kept.settings;
    if (status == OK) {
        status = schema_read_payload_settings(call, &settings);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status == OK) {
        status = schema_source_compile(&request.source, &call->instance->config, &settings, false, &program,
                                       call->details, call->error);
    }
    if (status == OK && kept.version > 0) {
        status = schema_compile_kept(call, request.type, &kept, &kept.settings, &before);
    }
    if (status != OK) {
        return status;
    }
    run.type = request.type;
    run.program = program;
    run.before = before;
    status = schema_try_events(call, &run);
    return status == OK ? put_dry_run(call, &run) : status;
}
