/* schema_check.c: a new version of a schema against those before it. */
#include "schema_ops.h"

enum { DIFFERENCES_MAX = 256 }; /* in one reply; what comes after is `truncated` */

void schema_comparison_done(struct schema_comparison *comparison) {
    buffer_done(&comparison->against);
    wire_writer_done(&comparison->differences);
}

/* ---- which versions ---- */

struct collect {
    struct buffer *versions;
    bool no_memory;
};

static bool visit_number(void *context, const struct schema_version *version) {
    struct collect *collect = context;
    if (version->retired_us == 0) {
        collect->no_memory = !buffer_append(collect->versions, &version->version, sizeof version->version);
    }
    return !collect->no_memory;
}

static size_t count_versions(const struct schema_comparison *comparison) {
    return comparison->against.size / sizeof(int64_t);
}

static int64_t version_at(const struct schema_comparison *comparison, size_t i) {
    int64_t version;
    memcpy(&version, comparison->against.data + i * sizeof version, sizeof version);
    return version;
}

/* The one that was asked for; all that are in use, for transitive modes; otherwise the current one. */
static enum status find_versions(struct call *call, struct bytes type, struct schema_comparison *comparison) {
    struct storage *storage = call->instance->storage;
    int64_t one = comparison->version;
    if (one == 0 && !schema_compatibility_is_transitive(comparison->mode)) {
        CLEANUP(schema_kept_done) struct schema_kept kept = {0};
        enum status status = schema_load_current(call, type, &kept);
        if (status != OK || kept.version == 0) {
            return status;
        }
        one = kept.version;
    }
    struct collect collect = {.versions = &comparison->against};
    if (one > 0) {
        collect.no_memory = !buffer_append(collect.versions, &one, sizeof one);
    } else {
        enum status status = storage->ops->schema_versions(storage, type, visit_number, &collect, call->error);
        if (status != OK && status != NOT_FOUND) {
            return status;
        }
    }
    return collect.no_memory ? error_set(call->error, NO_MEMORY, "%s: no memory", call->name) : OK;
}

/* ---- one version ---- */

/* NO is worse than UNKNOWN, and that worse than YES. */
static enum compatible_answer worse(enum compatible_answer a, enum compatible_answer b) {
    if (a == COMPATIBLE_NO || b == COMPATIBLE_NO) {
        return COMPATIBLE_NO;
    }
    return a == COMPATIBLE_UNKNOWN ? a : b;
}

static void put_difference(struct wire_writer *writer, const struct compatible_difference *difference, bool backward,
                           int64_t version) {
    size_t map = wire_open_map(writer);
    put_text(writer, "kind", difference->kind);
    put_text(writer, "direction", backward ? "backward" : "forward");
    put_int(writer, "version", version);
    put_str(writer, "old", backward ? difference->writer_path : difference->reader_path);
    put_str(writer, "new", backward ? difference->reader_path : difference->writer_path);
    put_text(writer, "answer", compatible_answer_name(difference->answer));
    put_str(writer, "message", difference->message);
    uint32_t pairs = 7;
    if (bytes_present(difference->witness) && difference->witness.size > 0) {
        wire_put_text(writer, "witness");
        wire_put_raw(writer, difference->witness);
        pairs++;
    }
    wire_close(writer, map, pairs);
}

struct pair {
    struct compatible_side before, after; /* the version that is kept, and the new one */
    int64_t version;
    struct validate_context *context;
};

static enum status compare_one_way(struct call *call, const struct pair *pair, bool backward,
                                   struct schema_comparison *comparison) {
    CLEANUP(compatible_report_done) struct compatible_report report = {0};
    enum compatible_content content =
        comparison->content == SCHEMA_CONTENT_LENIENT ? COMPATIBLE_LENIENT : COMPATIBLE_STRICT;
    enum compatible_answer answer = COMPATIBLE_UNKNOWN;
    enum status status =
        compatible_check(backward ? &pair->before : &pair->after, backward ? &pair->after : &pair->before, content,
                         pair->context, &answer, &report, call->error);
    if (status != OK) {
        return status;
    }
    comparison->answer = worse(comparison->answer, answer);
    comparison->truncated = comparison->truncated || report.truncated;
    for (uint32_t i = 0; i < report.count; i++) {
        if (comparison->difference_count == DIFFERENCES_MAX) {
            comparison->truncated = true;
            break;
        }
        struct compatible_difference difference = compatible_report_at(&report, i);
        put_difference(&comparison->differences, &difference, backward, pair->version);
        comparison->difference_count++;
    }
    return OK;
}

static enum status compare_version(struct call *call, const struct schema_request *request,
                                   const struct validate_program *program, const struct schema_settings *settings,
                                   int64_t version, struct validate_context *context,
                                   struct schema_comparison *comparison) {
    CLEANUP(schema_kept_done) struct schema_kept kept = {0};
    CLEANUP(validate_program_freep) struct validate_program *before = NULL;
    const struct config *config = &call->instance->config;
    enum status status = schema_load_version(call, request->type, version, &kept);
    if (status == OK) {
        status = schema_compile_kept(call, request->type, &kept, settings, &before);
    }
    if (status != OK) {
        return status;
    }
    struct validate_options old_options = schema_source_options(&kept.source, config, settings);
    struct validate_options new_options = schema_source_options(&request->source, config, settings);
    struct pair pair = {
        .before = {schema_source_root(&kept.source), &old_options, before},
        .after = {schema_source_root(&request->source), &new_options, program},
        .version = version,
        .context = context,
    };
    if (schema_compatibility_is_backward(comparison->mode)) {
        status = compare_one_way(call, &pair, true, comparison);
    }
    if (status == OK && schema_compatibility_is_forward(comparison->mode)) {
        status = compare_one_way(call, &pair, false, comparison);
    }
    return status;
}

enum status schema_compare(struct call *call, const struct schema_request *request,
                           const struct validate_program *program, const struct schema_settings *settings,
                           struct schema_comparison *comparison) {
    struct registry *registry = call->instance->registry;
    comparison->answer = COMPATIBLE_YES;
    enum status status = find_versions(call, request->type, comparison);
    if (status != OK) {
        return status;
    }
    struct validate_context *context = registry_borrow_context(registry);
    if (context == NULL) {
        return error_set(call->error, NO_MEMORY, "%s: no memory", call->name);
    }
    for (size_t i = count_versions(comparison); status == OK && i > 0; i--) { /* the newest first */
        status = compare_version(call, request, program, settings, version_at(comparison, i - 1), context, comparison);
    }
    registry_return_context(registry, context);
    return status == OK ? wire_writer_check(&comparison->differences, call->error) : status;
}

uint32_t schema_put_comparison(struct wire_writer *writer, const struct schema_comparison *comparison) {
    put_text(writer, "compatibility", SCHEMA_COMPATIBILITY_NAMES[comparison->mode]);
    put_text(writer, "content", SCHEMA_CONTENT_NAMES[comparison->content]);
    put_text(writer, "answer", compatible_answer_name(comparison->answer));
    wire_put_text(writer, "against");
    wire_put_array(writer, (uint32_t)count_versions(comparison));
    for (size_t i = 0; i < count_versions(comparison); i++) {
        wire_put_int(writer, version_at(comparison, i));
    }
    wire_put_text(writer, "differences");
    wire_put_array(writer, comparison->difference_count);
    if (comparison->difference_count > 0) {
        wire_put_raw(writer, buffer_view(&comparison->differences.buffer));
    }
    put_bool(writer, "truncated", comparison->truncated);
    return 6;
}

/* ---- the op ---- */

/* Who asks without a mode, of a type that has none, wants to know of the commonest one. */
static enum status read_mode(struct call *call, struct schema_settings *settings) {
    if (settings->compatibility == SCHEMA_COMPATIBILITY_NONE) {
        settings->compatibility = SCHEMA_COMPATIBILITY_BACKWARD;
    }
    return schema_read_compatibility(call, settings);
}

enum status schema_check(struct call *call) {
    CLEANUP(schema_request_done) struct schema_request request = {0};
    CLEANUP(schema_kept_done) struct schema_kept kept = {0};
    CLEANUP(schema_comparison_done) struct schema_comparison comparison = {0};
    CLEANUP(validate_program_freep) struct validate_program *program = NULL;
    enum status status = schema_read_type(call, REQUIRED, &request.type);
    if (status == OK) {
        status = schema_read_source(call, REQUIRED, &request);
    }
    if (status == OK) {
        status = wire_map_int(&call->request, "version", OPTIONAL, 1, INT64_MAX, &comparison.version, call->error);
    }
    if (status == OK) {
        status = schema_load_current(call, request.type, &kept);
    }
    struct schema_settings settings = kept.settings;
    if (status == OK) {
        status = read_mode(call, &settings);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status == OK) {
        status = schema_source_compile(&request.source, &call->instance->config, &settings, false, &program,
                                       call->details, call->error);
    }
    comparison.mode = settings.compatibility;
    comparison.content = settings.content;
    if (status == OK) {
        status = schema_compare(call, &request, program, &settings, &comparison);
    }
    if (status != OK) {
        return status;
    }
    size_t map = wire_open_map(call->reply);
    put_str(call->reply, "type", request.type);
    wire_close(call->reply, map, 1 + schema_put_comparison(call->reply, &comparison));
    return OK;
}
