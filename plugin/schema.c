/* schema.c: the schema registry: numbered, immutable versions per type. Nothing is validated by them. */
#include "use_cases.h"

static const char POLICY_OFF[] = "off"; /* the only policy that does not ask for validation */
enum { POLICY_SIZE_MAX = 64 };

/* A map or a bool is kept as msgpack, a string as JSON text. */
static enum status read_schema(struct call *call, struct schema_put *put) {
    struct wire_value value;
    if (!wire_map_find(&call->request, "schema", &value)) {
        error_set(call->error, INVALID, "schema is missing: it is a map, a bool, or JSON text");
        return call_refuse_field(call, "schema");
    }
    enum wire_kind kind = wire_value_kind(value);
    if (kind == WIRE_STR) {
        put->format = SCHEMA_JSON;
        put->schema = wire_value_payload(value);
    } else if (kind == WIRE_MAP || kind == WIRE_BOOL) {
        put->format = SCHEMA_MSGPACK;
        put->schema = wire_value_raw(value);
    } else {
        error_set(call->error, INVALID, "schema is %s, it must be a map, a bool, or JSON text", wire_kind_name(kind));
        return call_refuse_field(call, "schema");
    }
    if (put->schema.size > SCHEMA_SIZE_MAX) {
        error_set(call->error, TOO_LARGE, "schema has %zu bytes, the limit is %d", put->schema.size, SCHEMA_SIZE_MAX);
        return call_refuse_field(call, "schema");
    }
    if (put->format == SCHEMA_JSON && wire_check_json_schema(put->schema, call->error) != OK) {
        return call_refuse_field(call, "schema");
    }
    return OK;
}

static enum status schema_put(struct call *call) {
    struct schema_put put = {.expected_version = -1};
    struct wire_map *request = &call->request;
    enum status status = wire_map_name(request, "type", REQUIRED, TYPE_SIZE_MAX, &put.type, call->error);
    if (status != OK) {
        return status;
    }
    status = read_schema(call, &put);
    if (status != OK) {
        return status;
    }
    status = wire_map_raw_map(request, "metadata", OPTIONAL, SCHEMA_SIZE_MAX, &put.metadata, call->error);
    if (status != OK) {
        return status;
    }
    status = wire_map_int(request, "expected_version", OPTIONAL, 0, INT64_MAX, &put.expected_version, call->error);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    int64_t version = 0;
    bool created = false;
    struct storage *storage = call->instance->storage;
    status = storage->ops->schema_put(storage, &put, &version, &created, call->error);
    if (status != OK) {
        return status;
    }
    call_done(call, "%s: version %lld of '%.*s'", call->name, (long long)version, BYTES_FORMAT(put.type));
    wire_put_map(call->reply, 3);
    put_str(call->reply, "type", put.type);
    put_int(call->reply, "version", version);
    put_bool(call->reply, "created", created);
    return OK;
}

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
    wire_close(reply, map, 5 + put_map_if_sound(reply, "metadata", schema->metadata));
    return false;
}

static enum status schema_get(struct call *call) {
    struct bytes type = {0};
    int64_t version = 0;
    enum status status = wire_map_name(&call->request, "type", REQUIRED, TYPE_SIZE_MAX, &type, call->error);
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

static bool visit_type(void *context, const struct schema_type *type) {
    struct page *page = context;
    if (!page_begin_entry(page)) {
        return false;
    }
    wire_put_map(page->reply, 4);
    put_str(page->reply, "type", type->type);
    put_int(page->reply, "latest", type->latest);
    put_int(page->reply, "versions", type->versions);
    put_str(page->reply, "policy", type->policy);
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

static bool visit_type_head(void *context, const struct schema_type *type) {
    struct wire_writer *reply = context;
    put_str(reply, "type", type->type);
    put_str(reply, "policy", type->policy);
    return false;
}

struct version_visit {
    struct wire_writer *reply;
    uint32_t count;
};

static bool visit_version(void *context, const struct schema_version *version) {
    struct version_visit *visit = context;
    wire_put_map(visit->reply, 4);
    put_int(visit->reply, "version", version->version);
    put_text(visit->reply, "format", format_name(version->format));
    put_int(visit->reply, "size", (int64_t)version->schema.size);
    put_int(visit->reply, "created_at", version->created_us);
    visit->count++;
    return true;
}

static enum status schema_versions(struct call *call) {
    struct bytes type = {0};
    enum status status = wire_map_name(&call->request, "type", REQUIRED, TYPE_SIZE_MAX, &type, call->error);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    wire_put_map(call->reply, 3);
    status = storage->ops->schema_type(storage, type, visit_type_head, call->reply, call->error);
    if (status != OK) {
        return status;
    }
    wire_put_text(call->reply, "versions");
    struct version_visit visit = {.reply = call->reply};
    size_t array = wire_open_array(call->reply);
    status = storage->ops->schema_versions(storage, type, visit_version, &visit, call->error);
    if (status != OK) {
        return status;
    }
    wire_close(call->reply, array, visit.count);
    return OK;
}

static enum status schema_policy(struct call *call) {
    struct bytes type = {0};
    struct bytes policy = {0};
    enum status status = wire_map_name(&call->request, "type", REQUIRED, TYPE_SIZE_MAX, &type, call->error);
    if (status != OK) {
        return status;
    }
    status = wire_map_name(&call->request, "policy", REQUIRED, POLICY_SIZE_MAX, &policy, call->error);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    if (!bytes_equal_string(policy, POLICY_OFF)) {
        error_set(call->error, UNSUPPORTED,
                  "policy '%.*s' of type '%.*s': this build does not validate, it has \"%s\" only",
                  BYTES_FORMAT(policy), BYTES_FORMAT(type), POLICY_OFF);
        return call_refuse_field(call, "policy");
    }
    struct storage *storage = call->instance->storage;
    status = storage->ops->schema_set_policy(storage, type, policy, call->error);
    if (status != OK) {
        return status;
    }
    wire_put_map(call->reply, 2);
    put_str(call->reply, "type", type);
    put_str(call->reply, "policy", policy);
    return OK;
}

static const struct op SCHEMA_OPS[] = {
    {"put", true, schema_put},       {"get", false, schema_get},
    {"list", false, schema_list},    {"versions", false, schema_versions},
    {"policy", true, schema_policy}, {0},
};

const struct verb VERB_SCHEMA = {"schema", SCHEMA_OPS};
