/* compile.c: from a schema to a program: the steps, and their failures. */
#include "validate/compile.h"

#include "validate/metaschemas.h"
#include "validate/uri.h"
#include "validate/value.h"
#include "wire/json_text.h"
#include "wire/shape.h"

#include <stdio.h>
#include <stdlib.h>

enum { BYTES_PER_STEP = 8 };

void validate_limits_init(struct validate_limits *limits) {
    *limits = (struct validate_limits){
#define LIMIT_DEFAULT(name, default_value) .name = default_value,
        VALIDATE_LIMITS(LIMIT_DEFAULT)
#undef LIMIT_DEFAULT
    };
}

void validate_options_init(struct validate_options *options) {
    *options = (struct validate_options){.default_dialect = VALIDATE_2020_12};
    validate_limits_init(&options->limits);
}

/* ---- failures ---- */

/* "/" and the token as RFC 6901 escapes it. */
static bool append_token(struct bytes token, struct buffer *buffer) {
    bool fine = buffer_append(buffer, "/", 1);
    for (size_t i = 0; i < token.size && fine && buffer->size < 2 * ERROR_PATH_SIZE; i++) {
        const uint8_t *c = &token.data[i];
        fine = *c == '~' || *c == '/' ? buffer_append(buffer, *c == '~' ? "~0" : "~1", 2) : buffer_append(buffer, c, 1);
    }
    return fine;
}

/* Keys have no pointer of their own: the map's stands for them. */
static bool is_key(const struct wire_document *document, uint32_t map, uint32_t item) {
    struct wire_value key = {document, map + 1};
    if (document->items[map].kind != WIRE_MAP) {
        return false;
    }
    while (key.index < item) {
        key = wire_value_next(wire_value_next(key));
    }
    return key.index == item;
}

/* The pointer to an item from its source's root. What does not fit is cut. */
static void print_pointer(const struct source *source, uint32_t item, char text[ERROR_PATH_SIZE]) {
    uint32_t way[WIRE_DEPTH_LIMIT + 1];
    uint32_t count = 0;
    const struct wire_document *document = source->root.document;
    uint32_t base = source->root.index;
    uint32_t last = item - base;
    if (source->parents[last] != NO_INDEX && is_key(document, base + source->parents[last], item)) {
        last = source->parents[last];
    }
    for (uint32_t at = last; source->parents[at] != NO_INDEX; at = source->parents[at]) {
        way[count++] = at;
    }
    CLEANUP(buffer_done) struct buffer buffer = {0};
    bool fine = true;
    while (count > 0 && fine && buffer.size < ERROR_PATH_SIZE) {
        uint32_t at = way[--count];
        char number[16];
        snprintf(number, sizeof number, "%u", source->positions[at]);
        bool in_array = document->items[base + source->parents[at]].kind == WIRE_ARRAY;
        struct bytes token =
            in_array ? bytes_from_string(number) : value_text((struct wire_value){document, base + at - 1});
        fine = append_token(token, &buffer);
    }
    struct bytes path = wire_utf8_cut(buffer_view(&buffer), ERROR_PATH_SIZE - 1);
    snprintf(text, ERROR_PATH_SIZE, "%.*s", (int)path.size, path.data != NULL ? (const char *)path.data : "");
}

enum status compile_refuse(struct compiler *compiler, enum status status, uint32_t source, uint32_t item,
                           const char *format, ...) {
    if (compiler->status != OK) {
        return compiler->status;
    }
    compiler->status = status;
    char message[ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    error_print(message, sizeof message, format, args);
    va_end(args);
    char path[ERROR_PATH_SIZE];
    print_pointer(&compiler->sources[source], item, path);
    struct bytes uri = compiler->sources[source].uri;
    if (source == 0) {
        error_set(compiler->error, status, "%s", message);
    } else {
        error_set(compiler->error, status, "in '%.*s': %s", BYTES_FORMAT(uri), message);
    }
    error_set_path(compiler->error, "%s", path);
    return status;
}

enum status compile_no_memory(struct compiler *compiler) {
    if (compiler->status == OK) {
        compiler->status = error_set(compiler->error, NO_MEMORY, "no memory to compile a schema of %llu bytes",
                                     (unsigned long long)compiler->size);
    }
    return compiler->status;
}

enum status compile_limit(struct compiler *compiler, const char *name, uint64_t limit) {
    if (compiler->status == OK) {
        compiler->status = error_set(compiler->error, TOO_LARGE, "the schema exceeds %s, which is %llu", name,
                                     (unsigned long long)limit);
        error_add_text(compiler->error, "limit_name", name);
        error_add_number(compiler->error, "limit", (int64_t)limit);
    }
    return compiler->status;
}

bool compile_spend(struct compiler *compiler, uint64_t steps) {
    if (compiler->status == OK && !work_spend(&compiler->work, steps)) {
        compile_limit(compiler, "schema_compile_steps_max", compiler->options->limits.schema_compile_steps_max);
    }
    return compiler->status == OK;
}

bool compile_spend_bytes(struct compiler *compiler, uint64_t size) {
    return compile_spend(compiler, 1 + size / BYTES_PER_STEP);
}

/* ---- the program ---- */

void compile_done(struct compiler *compiler) {
    for (uint32_t i = 0; i < compiler->patterns.count; i++) {
        pattern_free(*VECTOR_AT(compiler->patterns, struct pattern *, i));
    }
    for (uint32_t i = 0; compiler->sources != NULL && i <= compiler->source_count; i++) {
        compile_done_source(&compiler->sources[i]); /* one more: a meta-schema whose conversion failed */
    }
    free(compiler->sources);
    free(compiler->work.scratch);
    buffer_done(&compiler->names);
    struct vector *vectors[] = {&compiler->resources,     &compiler->resource_names, &compiler->anchors,
                                &compiler->bindings,      &compiler->scopes,         &compiler->units,
                                &compiler->edges,         &compiler->pending_scans,  &compiler->patterns,
                                &compiler->pattern_texts, &compiler->order};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        vector_done(vectors[i]);
    }
    struct index *indexes[] = {&compiler->name_index, &compiler->anchor_index, &compiler->scope_index,
                               &compiler->unit_index, &compiler->pattern_index};
    for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++) {
        index_done(indexes[i]);
    }
    for (int i = 0; i < SECTION_COUNT; i++) {
        vector_done(&compiler->sections[i]);
    }
}

void validate_program_free(struct validate_program *program) {
    if (program == NULL) {
        return;
    }
    for (uint32_t i = 0; i < program->pattern_count; i++) {
        pattern_free(program->patterns[i]);
    }
    free(program->patterns);
    free(program);
}

size_t validate_program_memory(const struct validate_program *program) {
    size_t size = program->size + program->pattern_count * sizeof(struct pattern *);
    for (uint32_t i = 0; i < program->pattern_count; i++) {
        size += pattern_memory(program->patterns[i]);
    }
    return size;
}

static enum status build(struct compiler *compiler, struct validate_program **ret_program) {
    static const uint32_t RECORD_SIZES[SECTION_COUNT] = {
#define RECORD_SIZE(name, record) [SECTION_##name] = sizeof(record),
        PROGRAM_SECTIONS(RECORD_SIZE)
#undef RECORD_SIZE
    };
    size_t size = sizeof(struct validate_program);
    for (int i = 0; i < SECTION_COUNT; i++) {
        size += ((size_t)compiler->sections[i].count * RECORD_SIZES[i] + 15) & ~(size_t)15;
    }
    struct validate_program *program = calloc(1, size);
    if (program == NULL) {
        return compile_no_memory(compiler);
    }
    program->size = size;
    program->limits = compiler->options->limits;
    program->extended = compiler->options->extended;
    program->seed = compiler->options->seed;
    size_t offset = 0;
    for (int i = 0; i < SECTION_COUNT; i++) {
        size_t section = (size_t)compiler->sections[i].count * RECORD_SIZES[i];
        program->offsets[i] = (uint32_t)offset;
        program->counts[i] = compiler->sections[i].count;
        if (section > 0) {
            memcpy(program->data + offset, compiler->sections[i].data, section);
        }
        offset += (section + 15) & ~(size_t)15;
    }
    for (uint32_t i = 0; i < compiler->units.count; i++) {
        uint32_t tracks = SCHEMA_FAST_TRACKS_ITEMS | SCHEMA_FAST_TRACKS_PROPERTIES;
        program->tracks |= (SECTION(compiler, schemas, struct schema_node, i)->run.flags & tracks) != 0;
    }
    program->patterns = compiler->patterns.data;
    program->pattern_count = compiler->patterns.count;
    compiler->patterns = (struct vector){0}; /* the program's now */
    *ret_program = program;
    return OK;
}

/* ---- the steps ---- */

enum status compile_read(struct compiler *compiler, struct wire_value schema, const struct validate_options *options,
                         struct error *error) {
    compiler->options = options;
    compiler->error = error;
    compiler->work.steps_left = options->limits.schema_compile_steps_max;
    compiler->work.scratch_max = options->limits.validation_memory_max;
    compiler->sources = calloc(options->document_count + METASCHEMA_COUNT + 2, sizeof *compiler->sources);
    if (compiler->sources == NULL || !buffer_reserve(&compiler->names, 1)) {
        return compile_no_memory(compiler);
    }
    uint32_t number;
    enum status status = compile_add_source(compiler, schema, (struct bytes){0}, &number);
    for (size_t i = 0; i < options->document_count && status == OK; i++) {
        struct wire_value root = options->documents[i].root;
        if (root.document == schema.document && root.index == schema.index) {
            compiler->sources[0].uri = options->documents[i].uri; /* the schema is one of its own documents */
            continue;
        }
        status = compile_add_source(compiler, root, options->documents[i].uri, &number);
    }
    uint32_t given = compiler->source_count;
    for (uint32_t i = 0; i < given && status == OK; i++) {
        status = compile_scan_source(compiler, i);
    }
    return status;
}

static enum status compile_root(struct compiler *compiler, struct validate_program **ret_program) {
    struct scope outermost = {0};
    if (!vector_append(&compiler->scopes, sizeof outermost, &outermost, 1)) {
        return compile_no_memory(compiler);
    }
    compile_request(compiler, 0, compiler->sources[0].root.index, 0);
    enum status status = compile_units(compiler);
    if (status == OK) {
        status = compile_graph(compiler);
    }
    if (status == OK) {
        status = compile_fast(compiler);
    }
    return status == OK ? build(compiler, ret_program) : status;
}

/* A built-in meta-schema, read for the check alone. */
struct metaschema_text {
    struct buffer bytes;
    struct wire_document tape;
};

static void metaschema_text_done(struct metaschema_text *text) {
    wire_document_done(&text->tape);
    buffer_done(&text->bytes);
}

static enum status refuse_schema(const struct validate_report *report, struct error *error) {
    char line[ERROR_MESSAGE_SIZE - 64] = "";
    char path[ERROR_PATH_SIZE] = "";
    if (report->count > 0) {
        struct validate_failure failure = validate_report_at(report, 0);
        validate_failure_print(&failure, line, sizeof line);
        struct bytes pointer = wire_utf8_cut(failure.instance_path, sizeof path - 1);
        snprintf(path, sizeof path, "%.*s", BYTES_FORMAT(pointer));
    }
    error_set(error, INVALID, "the schema fails its meta-schema: %s", line);
    error_set_path(error, "%s", path);
    return INVALID;
}

/* A meta-schema is believed: nothing checks it. */
static enum status compile_metaschema(struct wire_value meta, const struct validate_options *options,
                                      struct validate_program **ret_program, struct error *error) {
    CLEANUP(compile_done) struct compiler compiler = {0};
    enum status status = compile_read(&compiler, meta, options, error);
    return status == OK ? compile_root(&compiler, ret_program) : status;
}

static enum status check_against(struct wire_value meta, const struct validate_options *options,
                                 struct wire_value schema, struct validate_report *report, struct error *error) {
    CLEANUP(validate_program_freep) struct validate_program *program = NULL;
    CLEANUP(validate_context_freep) struct validate_context *context = validate_context_new(0);
    CLEANUP(validate_report_done) struct validate_report own = {0};
    struct validate_report *into = report != NULL ? report : &own;
    if (context == NULL) {
        return error_set(error, NO_MEMORY, "no memory to check a schema against its meta-schema");
    }
    enum status status = compile_metaschema(meta, options, &program, error);
    bool valid = false;
    if (status == OK) {
        status = validate_run(program, context, schema, &valid, error);
    }
    if (status != OK || valid) {
        return status;
    }
    status = validate_explain(program, context, schema, &valid, into, error);
    return status == OK ? refuse_schema(into, error) : status;
}

/* The schema against its meta-schema: a built-in one, or one of the documents. */
static enum status check_metaschema(struct compiler *compiler, struct validate_report *report) {
    CLEANUP(metaschema_text_done) struct metaschema_text text = {0};
    struct validate_options options = *compiler->options;
    struct wire_value schema = compiler->sources[0].root;
    struct error *error = compiler->error;
    struct dialect dialect;
    uint32_t custom = NO_INDEX;
    enum status status = compile_find_dialect(compiler, 0, schema.index, &dialect, &custom);
    if (status != OK) {
        return status;
    }
    validate_limits_init(&options.limits);
    options.trusted = true;
    options.extended = false;
    options.assert_format = false;
    options.seed = schema.document->seed; /* the payload is the schema */
    if (custom != NO_INDEX) {
        return check_against(compiler->sources[custom].root, &options, schema, report, error);
    }
    static const struct wire_limits LIMITS = {.size_max = UINT32_MAX, .depth_max = 64};
    options.documents = NULL;
    options.document_count = 0;
    status = json_text_convert(metaschema_find(dialect_uri(dialect.draft)), LIMITS.depth_max, &text.bytes, error);
    if (status == OK) {
        status = wire_document_parse(&text.tape, buffer_view(&text.bytes), &LIMITS, error);
    }
    return status == OK ? check_against((struct wire_value){&text.tape, 0}, &options, schema, report, error) : status;
}

enum status validate_compile(struct wire_value schema, const struct validate_options *options,
                             struct validate_program **ret_program, struct validate_report *report,
                             struct error *error) {
    CLEANUP(compile_done) struct compiler compiler = {0};
    enum status status = compile_read(&compiler, schema, options, error);
    if (status == OK && !options->trusted) {
        status = check_metaschema(&compiler, report);
    }
    return status == OK ? compile_root(&compiler, ret_program) : status;
}
