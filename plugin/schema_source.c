/* schema_source.c: from the bytes of a schema to a program. */
#include "schema_source.h"

#include <stdlib.h>

#include "failures.h"
#include "wire/json_text.h"

enum { URI_SIZE_MAX = 2048 };

static void tree_done(struct schema_tree *tree) {
    wire_document_done(&tree->tape);
    buffer_done(&tree->converted);
}

void schema_source_done(struct schema_source *source) {
    for (size_t i = 0; source->document_trees != NULL && i < source->document_count; i++) {
        tree_done(&source->document_trees[i]);
    }
    free(source->document_trees);
    free(source->documents);
    wire_document_done(&source->documents_tape);
    tree_done(&source->tree);
    *source = (struct schema_source){0};
}

/* ---- reading ---- */

static enum status check_size(size_t size, const struct config *config, struct error *error) {
    if (size <= (uint64_t)config->schema_size_max) {
        return OK;
    }
    error_set(error, TOO_LARGE, "the schema has %zu bytes, schema_size_max is %lld", size,
              (long long)config->schema_size_max);
    error_add_number(error, "size", (int64_t)size);
    error_add_number(error, "limit", config->schema_size_max);
    return TOO_LARGE;
}

static enum status tree_open(struct schema_tree *tree, enum schema_format format, struct bytes bytes,
                             const struct config *config, struct error *error) {
    struct wire_limits limits = {
        .size_max = UINT32_MAX, .depth_max = (uint32_t)config->schema_depth_max, .seed = config->hash_seed};
    if (format != SCHEMA_JSON && format != SCHEMA_MSGPACK) {
        return error_set(error, CORRUPT, "the schema is damaged in the file");
    }
    enum status status = check_size(bytes.size, config, error);
    if (status == OK && format == SCHEMA_JSON) {
        status = json_text_convert(bytes, limits.depth_max, &tree->converted, error);
        bytes = buffer_view(&tree->converted);
    }
    if (status == OK) {
        status = wire_document_parse(&tree->tape, bytes, &limits, error);
    }
    if (status == TOO_LARGE && error->detail_count < 2) {
        error_set(error, TOO_LARGE, "the schema is nested deeper than schema_depth_max, which is %lld",
                  (long long)config->schema_depth_max);
        error_add_number(error, "limit", config->schema_depth_max);
    }
    if (status != OK) {
        return status;
    }
    enum wire_kind kind = wire_value_kind((struct wire_value){&tree->tape, 0});
    return kind == WIRE_MAP || kind == WIRE_BOOL
               ? OK
               : error_set(error, INVALID, "the schema is %s, it must be a map or a bool", wire_kind_name(kind));
}

static enum status read_document(struct schema_source *source, size_t i, struct wire_value value,
                                 const struct wire_path *path, const struct config *config, struct error *error) {
    struct wire_map map;
    struct wire_value schema;
    struct bytes uri = {0};
    enum status status = wire_map_open(&map, value, path, error);
    if (status == OK) {
        status = wire_map_name(&map, "uri", REQUIRED, URI_SIZE_MAX, &uri, error);
    }
    if (status != OK) {
        return status;
    }
    if (!wire_map_find(&map, "schema", &schema)) {
        error_set(error, INVALID, "schema of the document is missing: it is a map, a bool, or JSON text");
        return wire_error_at(error, path, "schema");
    }
    status = wire_map_finish(&map, "a document of a schema", error);
    if (status != OK) {
        return status;
    }
    bool is_text = wire_value_kind(schema) == WIRE_STR;
    status = tree_open(&source->document_trees[i], is_text ? SCHEMA_JSON : SCHEMA_MSGPACK,
                       is_text ? wire_value_payload(schema) : wire_value_raw(schema), config, error);
    if (status != OK) {
        return wire_error_at(error, path, "schema");
    }
    source->documents[i] = (struct validate_document){uri, {&source->document_trees[i].tape, 0}};
    return OK;
}

static enum status read_documents(struct schema_source *source, struct bytes documents, const struct config *config,
                                  struct error *error) {
    static const struct wire_path ROOT = {0};
    struct wire_path field = {.parent = &ROOT, .name = "documents"};
    struct wire_limits limits = {
        .size_max = UINT32_MAX, .depth_max = (uint32_t)config->schema_depth_max + 2, .seed = config->hash_seed};
    enum status status = check_size(documents.size, config, error);
    if (status == OK) {
        status = wire_document_parse(&source->documents_tape, documents, &limits, error);
    }
    if (status != OK) {
        return wire_error_at(error, &field, NULL);
    }
    struct wire_value array = {&source->documents_tape, 0};
    size_t count = source->documents_tape.items[0].size;
    if (wire_value_kind(array) != WIRE_ARRAY || count > (uint64_t)config->schema_documents_max) {
        error_set(error, INVALID, "documents must be an array of up to %lld maps (schema_documents_max)",
                  (long long)config->schema_documents_max);
        return wire_error_at(error, &field, NULL);
    }
    source->document_trees = calloc(count + 1, sizeof *source->document_trees);
    source->documents = calloc(count + 1, sizeof *source->documents);
    if (source->document_trees == NULL || source->documents == NULL) {
        return error_set(error, NO_MEMORY, "no memory for the %zu documents of a schema", count);
    }
    source->document_count = count;
    struct wire_value element = {&source->documents_tape, 1};
    for (size_t i = 0; status == OK && i < count; i++) {
        struct wire_path path = {.parent = &field, .index = (int64_t)i};
        status = read_document(source, i, element, &path, config, error);
        element = i + 1 < count ? wire_value_next(element) : element;
    }
    return status;
}

enum status schema_source_open(struct schema_source *source, enum schema_format format, struct bytes schema,
                               struct bytes documents, const struct config *config, struct error *error) {
    enum status status = tree_open(&source->tree, format, schema, config, error);
    if (status != OK) {
        error_set_path(error, "/schema");
        return status;
    }
    return bytes_present(documents) ? read_documents(source, documents, config, error) : OK;
}

/* ---- compiling ---- */

struct validate_options schema_source_options(const struct schema_source *source, const struct config *config,
                                              const struct schema_settings *settings) {
    struct validate_options options;
    validate_options_init(&options);
    options.assert_format = settings->format == SCHEMA_FORMAT_ASSERT;
    options.extended = settings->extended;
    options.seed = config->hash_seed;
    options.documents = source->documents;
    options.document_count = source->document_count;
    options.limits.schema_size_max = (uint32_t)config->schema_size_max;
    options.limits.schema_depth_max = (uint32_t)config->schema_depth_max;
    options.limits.schema_subschemas_max = (uint32_t)config->schema_subschemas_max;
    options.limits.schema_references_max = (uint32_t)config->schema_references_max;
    options.limits.schema_patterns_max = (uint32_t)config->schema_patterns_max;
    options.limits.pattern_steps_max = (uint32_t)config->pattern_steps_max;
    options.limits.schema_program_size_max = (uint32_t)config->schema_program_size_max;
    options.limits.schema_compile_steps_max = (uint32_t)config->schema_compile_steps_max;
    options.limits.validation_steps_max = (uint32_t)config->validation_steps_max;
    options.limits.validation_frames_max = (uint32_t)config->validation_frames_max;
    options.limits.validation_memory_max = (uint32_t)config->validation_memory_max;
    options.limits.failures_size_max = (uint32_t)config->failures_size_max;
    return options;
}

enum status schema_source_compile(const struct schema_source *source, const struct config *config,
                                  const struct schema_settings *settings, bool trusted,
                                  struct validate_program **ret_program, struct wire_writer *details,
                                  struct error *error) {
    CLEANUP(validate_report_done) struct validate_report report = {.failures_max = (uint32_t)config->failures_max};
    struct validate_options options = schema_source_options(source, config, settings);
    options.trusted = trusted;
    enum status status = validate_compile(schema_source_root(source), &options, ret_program, &report, error);
    if (status == OK || status == NO_MEMORY) {
        return status;
    }
    char path[ERROR_PATH_SIZE];
    memcpy(path, error->path, sizeof path);
    error_set_path(error, "/schema%s", path);
    if (report.count > 0 && details != NULL) {
        failures_add_details(error, details, &report, 0);
    }
    return status;
}

enum status schema_source_refuse_kept(struct bytes type, int64_t version, struct error *error) {
    const struct error reason = *error;
    if (reason.status == NO_MEMORY) {
        return NO_MEMORY;
    }
    bool is_limit = reason.status == TOO_LARGE;
    enum status status = error_set(
        error, is_limit ? TOO_LARGE : INCOMPATIBLE,
        "version %lld of the schema of '%.*s' cannot be used: %.200s; %sput a version that can, or set the policy off",
        (long long)version, BYTES_FORMAT(type), reason.message, is_limit ? "raise the limit, " : "");
    for (size_t i = 0; i < reason.detail_count; i++) {
        error->details[i] = reason.details[i];
    }
    error->detail_count = reason.detail_count;
    return status;
}

/* ---- comparing ---- */

enum status schema_source_same(const struct schema_source *a, const struct schema_source *b, bool *ret_same,
                               struct error *error) {
    *ret_same = false;
    if (a->document_count != b->document_count) {
        return OK;
    }
    enum status status = validate_same(schema_source_root(a), schema_source_root(b), ret_same, error);
    for (size_t i = 0; status == OK && *ret_same && i < a->document_count; i++) {
        *ret_same = bytes_equal(a->documents[i].uri, b->documents[i].uri);
        if (*ret_same) {
            status = validate_same(a->documents[i].root, b->documents[i].root, ret_same, error);
        }
    }
    return status;
}
