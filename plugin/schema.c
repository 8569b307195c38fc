/* schema.c: the schema registry: looking into it, settings of types, retiring versions. */
#include "schema_ops.h"

/* ---- what requests have in common ---- */

enum status schema_read_type(struct call *call, enum wire_presence presence, struct bytes *ret_type) {
    return wire_map_name(&call->request, "type", presence, TYPE_SIZE_MAX, ret_type, call->error);
}

void schema_request_done(struct schema_request *request) {
    schema_source_done(&request->source);
}

/* A map or a bool is kept as msgpack, a string as JSON text. */
static enum status read_schema_field(struct call *call, struct wire_value value, struct schema_request *request) {
    enum wire_kind kind = wire_value_kind(value);
    if (kind == WIRE_STR) {
        request->format = SCHEMA_JSON;
        request->schema = wire_value_payload(value);
    } else if (kind == WIRE_MAP || kind == WIRE_BOOL) {
        request->format = SCHEMA_MSGPACK;
        request->schema = wire_value_raw(value);
    } else {
        error_set(call->error, INVALID, "schema is %s, it must be a map, a bool, or JSON text", wire_kind_name(kind));
        return call_refuse_field(call, "schema");
    }
    return OK;
}

enum status schema_read_source(struct call *call, enum wire_presence presence, struct schema_request *ret_request) {
    struct wire_value value;
    bool has_schema = wire_map_find(&call->request, "schema", &value);
    if (!has_schema && presence == REQUIRED) {
        error_set(call->error, INVALID, "schema is missing: it is a map, a bool, or JSON text");
        return call_refuse_field(call, "schema");
    }
    enum status status = has_schema ? read_schema_field(call, value, ret_request) : OK;
    if (status != OK) {
        return status;
    }
    if (wire_map_find(&call->request, "documents", &value)) {
        if (!has_schema) {
            error_set(call->error, INVALID, "documents are given without schema: they belong to one");
            return call_refuse_field(call, "documents");
        }
        ret_request->documents = wire_value_raw(value);
    }
    return has_schema ? schema_source_open(&ret_request->source, ret_request->format, ret_request->schema,
                                           ret_request->documents, &call->instance->config, call->error)
                      : OK;
}

enum status schema_read_payload_settings(struct call *call, struct schema_settings *settings) {
    int format = (int)settings->format;
    enum status status = wire_map_choice(&call->request, "format", OPTIONAL, SCHEMA_FORMAT_NAMES, &format, call->error);
    settings->format = (enum schema_format_mode)format;
    return status == OK ? wire_map_bool(&call->request, "extended", OPTIONAL, &settings->extended, call->error)
                        : status;
}

enum status schema_read_compatibility(struct call *call, struct schema_settings *settings) {
    struct wire_map *request = &call->request;
    int compatibility = (int)settings->compatibility;
    int content = (int)settings->content;
    enum status status =
        wire_map_choice(request, "compatibility", OPTIONAL, SCHEMA_COMPATIBILITY_NAMES, &compatibility, call->error);
    if (status == OK) {
        status = wire_map_choice(request, "content", OPTIONAL, SCHEMA_CONTENT_NAMES, &content, call->error);
    }
    settings->compatibility = (enum schema_compatibility)compatibility;
    settings->content = (enum schema_content)content;
    return status;
}

/* ---- versions that are kept ---- */

void schema_kept_done(struct schema_kept *kept) {
    schema_source_done(&kept->source);
    buffer_done(&kept->schema);
    buffer_done(&kept->documents);
}

struct keep {
    struct schema_kept *kept;
    bool no_memory;
};

static void keep_version(struct keep *keep, const struct schema_version *version) {
    struct schema_kept *kept = keep->kept;
    kept->version = version->version;
    kept->format = version->format;
    kept->has_documents = bytes_present(version->documents);
    keep->no_memory = !buffer_append(&kept->schema, version->schema.data, version->schema.size) ||
                      !buffer_append(&kept->documents, version->documents.data, version->documents.size);
}

static bool visit_kept_current(void *context, const struct schema_type *type, const struct schema_version *version) {
    struct keep *keep = context;
    keep->kept->settings = type->damaged ? (struct schema_settings){0} : type->settings;
    keep->kept->damaged = type->damaged;
    keep->kept->latest = type->latest;
    if (version != NULL) {
        keep_version(keep, version);
    }
    return false;
}

static bool visit_kept_version(void *context, const struct schema_version *version) {
    keep_version(context, version);
    return false;
}

static enum status check_kept(struct call *call, const struct keep *keep, enum status status) {
    return status == OK && keep->no_memory
               ? error_set(call->error, NO_MEMORY, "%s: no memory to read a schema", call->name)
               : status;
}

enum status schema_load_current(struct call *call, struct bytes type, struct schema_kept *ret_kept) {
    struct storage *storage = call->instance->storage;
    struct keep keep = {.kept = ret_kept};
    enum status status = storage->ops->schema_current(storage, type, visit_kept_current, &keep, call->error);
    return check_kept(call, &keep, status == NOT_FOUND ? OK : status);
}

enum status schema_load_version(struct call *call, struct bytes type, int64_t version, struct schema_kept *ret_kept) {
    struct storage *storage = call->instance->storage;
    struct keep keep = {.kept = ret_kept};
    enum status status = storage->ops->schema_get(storage, type, version, visit_kept_version, &keep, call->error);
    return check_kept(call, &keep, status);
}

enum status schema_compile_kept(struct call *call, struct bytes type, struct schema_kept *kept,
                                const struct schema_settings *settings, struct validate_program **ret_program) {
    const struct config *config = &call->instance->config;
    struct bytes documents = kept->has_documents ? buffer_view(&kept->documents) : (struct bytes){0};
    enum status status =
        schema_source_open(&kept->source, kept->format, buffer_view(&kept->schema), documents, config, call->error);
    if (status == OK) {
        status = schema_source_compile(&kept->source, config, settings, true, ret_program, NULL, call->error);
    }
    return status == OK ? OK : schema_source_refuse_kept(type, kept->version, call->error);
}

/* ---- get ---- */

static const char *format_name(enum schema_format format) {
    return format == SCHEMA_JSON ? "json" : "msgpack";
}

struct schema_visit {
    struct wire_writer *reply;
    bool damaged;
};

static bool visit_schema(void *context, const struct schema_version *schema) {
    struct schema_visit *visit = context;
    struct wire_writer *reply = visit->reply;
    bool sound = schema->format == SCHEMA_JSON ||
                 (schema->format == SCHEMA_MSGPACK &&
                  (wire_is_one(schema->schema, WIRE_MAP) || wire_is_one(schema->schema, WIRE_BOOL)));
    if (!sound) {
        visit->damaged = true;
        return false;
    }
    size_t map = wire_open_map(reply);
    put_str(reply, "type", schema->type);
    put_int(reply, "version", schema->version);
    put_text(reply, "format", format_name(schema->format));
    wire_put_text(reply, "schema");
    if (schema->format == SCHEMA_JSON) {
        wire_put_mended(reply, schema->schema);
    } else {
        wire_put_raw(reply, schema->schema);
    }
    put_int(reply, "created_at", schema->created_us);
    uint32_t pairs = 5;
    pairs += put_array_if_sound(reply, "documents", schema->documents);
    pairs += put_map_if_sound(reply, "metadata", schema->metadata);
    pairs += put_int_unless_zero(reply, "retired_at", schema->retired_us);
    wire_close(reply, map, pairs);
    return false;
}

static enum status schema_get(struct call *call) {
    struct bytes type = {0};
    int64_t version = 0;
    enum status status = schema_read_type(call, REQUIRED, &type);
    if (status != OK) {
        return status;
    }
    status = wire_map_int(&call->request, "version", OPTIONAL, 1, INT64_MAX, &version, call->error);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    struct schema_visit visit = {.reply = call->reply};
    status = storage->ops->schema_get(storage, type, version, visit_schema, &visit, call->error);
    if (status == OK && visit.damaged) {
        return error_set(call->error, CORRUPT, "%s: the schema of '%.*s' is damaged in the file; put a new version",
                         call->name, BYTES_FORMAT(type));
    }
    return status;
}

/* ---- list and versions ---- */

void schema_put_settings(struct wire_writer *reply, const struct schema_settings *settings) {
    put_text(reply, "policy", SCHEMA_POLICY_NAMES[settings->policy]);
    put_text(reply, "compatibility", SCHEMA_COMPATIBILITY_NAMES[settings->compatibility]);
    put_text(reply, "content", SCHEMA_CONTENT_NAMES[settings->content]);
    put_text(reply, "format", SCHEMA_FORMAT_NAMES[settings->format]);
    put_bool(reply, "extended", settings->extended);
    put_text(reply, "unknown", SCHEMA_UNKNOWN_NAMES[settings->unknown]);
}

/* The type with its numbers and settings; returns how many pairs. */
static uint32_t put_type(struct wire_writer *reply, const struct schema_type *type) {
    put_str(reply, "type", type->type);
    put_int(reply, "latest", type->latest);
    put_int(reply, "current", type->current);
    if (type->damaged) {
        put_bool(reply, "damaged", true);
        return 4;
    }
    schema_put_settings(reply, &type->settings);
    return 3 + SCHEMA_SETTINGS_PAIRS;
}

static bool visit_type(void *context, const struct schema_type *type) {
    struct page *page = context;
    if (!page_begin_entry(page)) {
        return false;
    }
    size_t map = wire_open_map(page->reply);
    put_int(page->reply, "versions", type->latest); /* they are numbered without gaps */
    wire_close(page->reply, map, 1 + put_type(page->reply, type));
    struct cursor place = {0};
    cursor_set_name(&place, type->type);
    return page_end_entry(page, &place);
}

static enum status schema_list(struct call *call) {
    struct name_listing listing;
    enum status status = call_open_names(call, CURSOR_SCHEMAS, TYPE_SIZE_MAX, &listing);
    if (status != OK) {
        return status;
    }
    size_t map = wire_open_map(call->reply);
    call_begin_page(call, &listing.page, "types");
    struct storage *storage = call->instance->storage;
    status = storage->ops->schema_types(storage, &listing.names, visit_type, &listing.page, call->error);
    if (status != OK) {
        return status;
    }
    wire_close(call->reply, map, page_end(&listing.page));
    return OK;
}

struct head_visit {
    struct wire_writer *reply;
    uint32_t pairs;
    int64_t latest;
};

static bool visit_head(void *context, const struct schema_type *type, const struct schema_version *version) {
    (void)version;
    struct head_visit *visit = context;
    visit->pairs = put_type(visit->reply, type);
    visit->latest = type->latest;
    return false;
}

struct version_visit {
    struct wire_writer *reply;
    uint32_t count;
};

static bool visit_version(void *context, const struct schema_version *version) {
    struct version_visit *visit = context;
    wire_put_map(visit->reply, version->retired_us != 0 ? 5 : 4);
    put_int(visit->reply, "version", version->version);
    put_text(visit->reply, "format", format_name(version->format));
    put_int(visit->reply, "size", (int64_t)version->schema.size);
    put_int(visit->reply, "created_at", version->created_us);
    (void)put_int_unless_zero(visit->reply, "retired_at", version->retired_us);
    visit->count++;
    return true;
}

static enum status schema_versions(struct call *call) {
    struct bytes type = {0};
    enum status status = schema_read_type(call, REQUIRED, &type);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    size_t map = wire_open_map(call->reply);
    struct head_visit head = {.reply = call->reply};
    status = storage->ops->schema_current(storage, type, visit_head, &head, call->error);
    if (status != OK) {
        return status;
    }
    wire_put_text(call->reply, "versions");
    struct version_visit visit = {.reply = call->reply};
    size_t array = wire_open_array(call->reply);
    if (head.latest > 0) {
        status = storage->ops->schema_versions(storage, type, visit_version, &visit, call->error);
    }
    wire_close(call->reply, array, visit.count);
    wire_close(call->reply, map, head.pairs + 1);
    return status;
}

/* ---- policy ---- */

/* Those that are given; one is. */
static enum status read_settings(struct call *call, struct schema_settings *settings) {
    static const char *const FIELDS[] = {"policy", "compatibility", "content", "format", "extended", "unknown"};
    struct wire_value value;
    bool some = false;
    for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++) {
        some = wire_map_find(&call->request, FIELDS[i], &value) || some;
    }
    if (!some) {
        error_set(call->error, INVALID,
                  "%s: nothing to set; give some of policy, compatibility, content, format, extended, unknown",
                  call->name);
        return call_refuse_field(call, "policy");
    }
    int policy = (int)settings->policy;
    int unknown = (int)settings->unknown;
    enum status status = wire_map_choice(&call->request, "policy", OPTIONAL, SCHEMA_POLICY_NAMES, &policy, call->error);
    if (status == OK) {
        status = wire_map_choice(&call->request, "unknown", OPTIONAL, SCHEMA_UNKNOWN_NAMES, &unknown, call->error);
    }
    settings->policy = (enum schema_policy)policy;
    settings->unknown = (enum schema_unknown)unknown;
    if (status == OK) {
        status = schema_read_compatibility(call, settings);
    }
    return status == OK ? schema_read_payload_settings(call, settings) : status;
}

/* Events of the type must not fail because its schema cannot be compiled any more. */
static enum status check_usable(struct call *call, struct bytes type, struct schema_kept *kept,
                                const struct schema_settings *settings) {
    CLEANUP(validate_program_freep) struct validate_program *program = NULL;
    if (kept->version == 0 || settings->policy == SCHEMA_POLICY_OFF) {
        return OK;
    }
    return schema_compile_kept(call, type, kept, settings, &program);
}

static enum status set_policy(struct call *call, struct bytes type, int64_t generation,
                              struct schema_settings *ret_settings) {
    struct storage *storage = call->instance->storage;
    CLEANUP(schema_kept_done) struct schema_kept kept = {0};
    enum status status = schema_load_current(call, type, &kept);
    if (status != OK) {
        return status;
    }
    struct schema_settings settings = kept.settings;
    status = read_settings(call, &settings);
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status == OK) {
        status = check_usable(call, type, &kept, &settings);
    }
    if (status == OK) {
        status = storage->ops->schema_set(storage, type, &settings, generation, call->error);
    }
    *ret_settings = settings;
    return status;
}

static enum status schema_policy(struct call *call) {
    struct bytes type = {0};
    enum status status = schema_read_type(call, REQUIRED, &type);
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    struct schema_settings settings = {0};
    int64_t generation;
    uint32_t rounds = 0;
    do {
        generation = storage->ops->schema_generation(storage);
        status = set_policy(call, type, generation, &settings);
    } while (status == BUSY && storage->ops->schema_generation(storage) != generation && rounds++ < SCHEMA_ROUNDS_MAX);
    if (status != OK) {
        return status;
    }
    call_done(call, "%s: type '%.*s'", call->name, BYTES_FORMAT(type));
    wire_put_map(call->reply, 1 + SCHEMA_SETTINGS_PAIRS);
    put_str(call->reply, "type", type);
    schema_put_settings(call->reply, &settings);
    return OK;
}

/* ---- retire ---- */

static enum status schema_retire(struct call *call) {
    struct bytes type = {0};
    int64_t version = 0;
    int64_t current = 0;
    enum status status = schema_read_type(call, REQUIRED, &type);
    if (status == OK) {
        status = wire_map_int(&call->request, "version", REQUIRED, 1, INT64_MAX, &version, call->error);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    status = storage->ops->schema_retire(storage, type, version, &current, call->error);
    if (status != OK) {
        return status;
    }
    call_done(call, "%s: version %lld of '%.*s'", call->name, (long long)version, BYTES_FORMAT(type));
    wire_put_map(call->reply, 3);
    put_str(call->reply, "type", type);
    put_int(call->reply, "version", version);
    put_int(call->reply, "current", current);
    return OK;
}

static const struct op SCHEMA_OPS[] = {
    {"put", true, schema_put},
    {"get", false, schema_get},
    {"list", false, schema_list},
    {"versions", false, schema_versions},
    {"policy", true, schema_policy},
    {"retire", true, schema_retire},
    {"validate", false, schema_validate},
    {"check", false, schema_check},
    {"dry_run", false, schema_dry_run},
    {0},
};

const struct verb VERB_SCHEMA = {"schema", SCHEMA_OPS};
