/* schema_put.c: a new version of a schema: checked, compiled, compared, and kept. */
#include "schema_ops.h"

struct put {
    struct schema_request request;
    struct bytes metadata;
    int64_t expected_version; /* < 0: any */
    bool force;
    int64_t generation;
    int64_t version;
    bool created;
};

static void put_done(struct put *put) {
    schema_request_done(&put->request);
}

static enum status read_put(struct call *call, struct put *put) {
    struct wire_map *request = &call->request;
    size_t size_max = (size_t)call->instance->config.schema_size_max;
    put->expected_version = -1;
    enum status status = schema_read_type(call, REQUIRED, &put->request.type);
    if (status == OK) {
        status = schema_read_source(call, REQUIRED, &put->request);
    }
    if (status == OK) {
        status = wire_map_raw_map(request, "metadata", OPTIONAL, size_max, &put->metadata, call->error);
    }
    if (status == OK) {
        status = wire_map_int(request, "expected_version", OPTIONAL, 0, INT64_MAX, &put->expected_version, call->error);
    }
    if (status == OK) {
        status = wire_map_bool(request, "force", OPTIONAL, &put->force, call->error);
    }
    return status == OK ? call_fields_end(call) : status;
}

static enum status refuse_expected(struct call *call, const struct put *put, int64_t latest) {
    error_set(call->error, CONFLICT, "%s: the latest version of %.*s is %lld, expected_version is %lld", call->name,
              BYTES_FORMAT(put->request.type), (long long)latest, (long long)put->expected_version);
    error_add_number(call->error, "current_version", latest);
    error_set_path(call->error, "/expected_version");
    return CONFLICT;
}

static enum status refuse_incompatible(struct call *call, const struct put *put,
                                       const struct schema_comparison *comparison) {
    bool is_unknown = comparison->answer == COMPATIBLE_UNKNOWN;
    error_set(call->error, CONFLICT, "%s: the schema is %s with what %.*s demands, which is %s%s", call->name,
              is_unknown ? "not known to be compatible" : "not compatible", BYTES_FORMAT(put->request.type),
              SCHEMA_COMPATIBILITY_NAMES[comparison->mode],
              is_unknown ? "; see the differences, set what settles it (unknown), or force it"
                         : "; see the differences, or force it");
    error_set_path(call->error, "/schema");
    wire_rollback(call->details, 0);
    uint32_t pairs = schema_put_comparison(call->details, comparison);
    if (!call->details->failed) {
        call->error->more = buffer_view(&call->details->buffer);
        call->error->more_pairs = pairs;
    }
    return CONFLICT;
}

/* The stored events decide: does one of them fall out of the new version, or, where the old one must be able to read
 * what the new one writes, into it alone? */
static enum status settle_by_events(struct call *call, const struct put *put, struct schema_kept *kept,
                                    const struct validate_program *program, struct schema_comparison *comparison) {
    CLEANUP(validate_program_freep) struct validate_program *before = NULL;
    CLEANUP(schema_kept_done) struct schema_kept current = {0};
    enum status status = schema_load_version(call, put->request.type, kept->version, &current);
    if (status == OK) {
        status = schema_compile_kept(call, put->request.type, &current, &kept->settings, &before);
    }
    struct dry_run run = {
        .type = put->request.type, .program = program, .before = before, .limit = DRY_RUN_LIMIT_DEFAULT};
    if (status == OK) {
        status = schema_try_events(call, &run);
    }
    if (status != OK || run.more || run.failed > 0) {
        return status;
    }
    bool backward = schema_compatibility_is_backward(comparison->mode);
    bool forward = schema_compatibility_is_forward(comparison->mode);
    bool holds = (!backward || run.newly_invalid == 0) && (!forward || run.newly_valid == 0);
    comparison->answer = holds ? COMPATIBLE_YES : COMPATIBLE_NO;
    return OK;
}

static enum status check_compatible(struct call *call, const struct put *put, struct schema_kept *kept,
                                    const struct validate_program *program) {
    if (put->force || kept->version == 0 || kept->settings.compatibility == SCHEMA_COMPATIBILITY_NONE) {
        return OK;
    }
    CLEANUP(schema_comparison_done)
    struct schema_comparison comparison = {.mode = kept->settings.compatibility, .content = kept->settings.content};
    enum status status = schema_compare(call, &put->request, program, &kept->settings, &comparison);
    if (status == OK && comparison.answer == COMPATIBLE_UNKNOWN && kept->settings.unknown == SCHEMA_UNKNOWN_DRY_RUN) {
        status = settle_by_events(call, put, kept, program, &comparison);
    }
    if (status != OK) {
        return status;
    }
    bool is_accepted = comparison.answer == COMPATIBLE_YES ||
                       (comparison.answer == COMPATIBLE_UNKNOWN && kept->settings.unknown == SCHEMA_UNKNOWN_ACCEPT);
    return is_accepted ? OK : refuse_incompatible(call, put, &comparison);
}

static enum status is_current(struct call *call, const struct put *put, struct schema_kept *kept, bool *ret_same) {
    *ret_same = false;
    if (kept->version == 0) {
        return OK;
    }
    struct bytes documents = kept->has_documents ? buffer_view(&kept->documents) : (struct bytes){0};
    struct error ignored; /* what cannot be read any more is not the same */
    if (schema_source_open(&kept->source, kept->format, buffer_view(&kept->schema), documents, &call->instance->config,
                           &ignored) != OK) {
        return ignored.status == NO_MEMORY ? error_set(call->error, NO_MEMORY, "%s", ignored.message) : OK;
    }
    return schema_source_same(&put->request.source, &kept->source, ret_same, call->error);
}

/* One try, against the schemas of put->generation. */
static enum status try_put(struct call *call, struct put *put) {
    struct storage *storage = call->instance->storage;
    CLEANUP(schema_kept_done) struct schema_kept kept = {0};
    CLEANUP(validate_program_freep) struct validate_program *program = NULL;
    bool same = false;
    put->generation = storage->ops->schema_generation(storage);
    enum status status = schema_load_current(call, put->request.type, &kept);
    if (status != OK) {
        return status;
    }
    if (kept.damaged) {
        error_set(call->error, CORRUPT, "%s: the settings of type '%.*s' are damaged in the file; set its policy anew",
                  call->name, BYTES_FORMAT(put->request.type));
        return CORRUPT;
    }
    if (put->expected_version >= 0 && put->expected_version != kept.latest) {
        return refuse_expected(call, put, kept.latest);
    }
    status = schema_source_compile(&put->request.source, &call->instance->config, &kept.settings, false, &program,
                                   call->details, call->error);
    if (status == OK) {
        status = is_current(call, put, &kept, &same);
    }
    if (status == OK && same) {
        put->version = kept.version;
        return OK;
    }
    if (status == OK) {
        status = check_compatible(call, put, &kept, program);
    }
    if (status != OK) {
        return status;
    }
    struct schema_put version = {
        .type = put->request.type,
        .format = put->request.format,
        .schema = put->request.schema,
        .documents = put->request.documents,
        .metadata = put->metadata,
        .expected_version = put->expected_version,
        .generation = put->generation,
    };
    status = storage->ops->schema_put(storage, &version, &put->version, call->error);
    put->created = status == OK;
    return status;
}

enum status schema_put(struct call *call) {
    CLEANUP(put_done) struct put put = {0};
    struct storage *storage = call->instance->storage;
    enum status status = read_put(call, &put);
    if (status != OK) {
        return status;
    }
    uint32_t rounds = 0;
    do {
        status = try_put(call, &put);
    } while (status == BUSY && storage->ops->schema_generation(storage) != put.generation &&
             rounds++ < SCHEMA_ROUNDS_MAX);
    if (status != OK) {
        return status;
    }
    call_done(call, "%s: version %lld of '%.*s'", call->name, (long long)put.version, BYTES_FORMAT(put.request.type));
    wire_put_map(call->reply, 3);
    put_str(call->reply, "type", put.request.type);
    put_int(call->reply, "version", put.version);
    put_bool(call->reply, "created", put.created);
    return OK;
}
