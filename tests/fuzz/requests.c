/* requests.c: the ops and their fields as tables, and what their values are made of. */
#include "requests.h"

#include <math.h>

#include "generate.h"
#include "require.h"
#include "wire/json_text.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

enum { DEPTH_MAX = 5, NAME_SIZE_MAX = 32 };

#define LONG_NAME                                                                                                      \
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
    "nnnnnnnnnnnnnnnn"

/* ---- ops and their fields: "name" or "name:kind" (the kind is the name otherwise); ! for those that ops want ---- */

#define PAGE "limit cursor"
#define ENTRY "id!:id event_id:id consumer token"

static const struct op {
    enum verb_id verb;
    const char *name, *fields;
} OPS[] = {
    {VERB_ID_STORE, "append", "event!"},
    {VERB_ID_STORE, "append", "events! condition"},
    {VERB_ID_STORE, "append", "event events condition"},
    {VERB_ID_STORE, "batch.create", "id!:batch metadata:map"},
    {VERB_ID_STORE, "batch.append", "id!:batch events!"},
    {VERB_ID_STORE, "batch.append", "id!:batch event!"},
    {VERB_ID_STORE, "batch.complete", "id!:batch"},
    {VERB_ID_STORE, "batch.abort", "id!:batch reason:text"},
    {VERB_ID_STORE, "batch.get", "id!:batch"},
    {VERB_ID_STORE, "batch.list", "state:batch_state " PAGE},
    {VERB_ID_QUERY, "events", "filter order order_by wait_us:wait " PAGE},
    {VERB_ID_QUERY, "events", "filter! " PAGE},
    {VERB_ID_QUERY, "get", "id!:id"},
    {VERB_ID_QUERY, "count", "filter"},
    {VERB_ID_QUERY, "histogram", "filter by bucket_us!:bucket"},
    {VERB_ID_QUERY, "streams", "prefix " PAGE},
    {VERB_ID_QUERY, "tags", "prefix " PAGE},
    {VERB_ID_QUERY, "batches", "state:batch_state " PAGE},
    {VERB_ID_QUERY, "head", ""},
    {VERB_ID_QUERY, "interrupt", ""},
    {VERB_ID_DLQ, "put", "event_id!:id consumer error! attempts_max:attempts delay_us:delay"},
    {VERB_ID_DLQ, "claim", "consumer limit lease_us:delay holder:text ordered:bool"},
    {VERB_ID_DLQ, "resolve", ENTRY},
    {VERB_ID_DLQ, "resolve", "event_id!:id consumer! token"},
    {VERB_ID_DLQ, "fail", ENTRY " error! delay_us:delay park:bool"},
    {VERB_ID_DLQ, "list", "consumer states:letter_states stream with_events:bool " PAGE},
    {VERB_ID_DLQ, "get", "id!:id event_id:id consumer with_event:bool"},
    {VERB_ID_DLQ, "count", "consumer"},
    {VERB_ID_DLQ, "redrive", "id:id consumer stream states:letter_states all:bool"},
    {VERB_ID_DLQ, "discard", ENTRY " reason!:text"},
    {VERB_ID_DLQ, "purge", "consumer stream states:letter_states before:time"},
    {VERB_ID_DLQ, "retry", "consumer limit attempts_max:attempts"},
    {VERB_ID_DLQ, "rejected.list", "type states:rejected_states " PAGE},
    {VERB_ID_DLQ, "rejected.get", "id!:id"},
    {VERB_ID_DLQ, "rejected.resubmit", "id!:id event"},
    {VERB_ID_DLQ, "rejected.discard", "id!:id reason!:text"},
    {VERB_ID_DLQ, "rejected.purge", "type states:rejected_states before:time"},
    {VERB_ID_SCHEMA, "put", "type! schema! documents metadata:map expected_version:version force:bool"},
    {VERB_ID_SCHEMA, "get", "type! version"},
    {VERB_ID_SCHEMA, "list", "prefix " PAGE},
    {VERB_ID_SCHEMA, "versions", "type!"},
    {VERB_ID_SCHEMA, "policy", "type! policy compatibility content unknown format extended:bool"},
    {VERB_ID_SCHEMA, "retire", "type! version!"},
    {VERB_ID_SCHEMA, "validate",
     "schema! documents data!:any format extended:bool failures_max:attempts hide_values:bool repeat"},
    {VERB_ID_SCHEMA, "validate", "type! version data!:any format extended:bool hide_values:bool"},
    {VERB_ID_SCHEMA, "check", "type! schema! documents compatibility content version"},
    {VERB_ID_SCHEMA, "dry_run", "type! schema! documents format extended:bool after:id limit"},
    {VERB_ID_COUNT, NULL, NULL},
};

const char REQUESTS_CONFIG[] =
    "path!:path mode create:bool durability owner:text busy_timeout_ms:number page_size:page_size cache_kib:number "
    "readers:number queue_max:number group_max:number submit_max:number submit_size_max:number checkpoint_pages:number "
    "event_size_max:number request_size_max:number request_events_max:number reply_size_max:number depth_max:number "
    "batch_events_max:number wait_max_us:number store_size_max:number types retry_attempts_max:number "
    "retry_base_us:number retry_factor:number retry_cap_us:number retry_jitter:number retry_seed:number "
    "lease_us:number "
    "schema_size_max:number schema_depth_max:number schema_subschemas_max:number failures_max:number "
    "failures_size_max:number schema_documents_max:number pattern_steps_max:number hide_values:bool "
    "schema_references_max:number schema_patterns_max:number schema_program_size_max:number "
    "schema_compile_steps_max:number schema_cache_kib:number validation_steps_max:number validation_frames_max:number "
    "validation_memory_max:number";
static const char EVENT[] = "type! data! time stream expected_version:expected tags key metadata:map correlation:batch "
                            "causation:batch";
static const char FILTER[] =
    "types from:time to:time recorded_from:time recorded_to:time after_id:id before_id:id stream "
    "batch correlation:batch tags_any:tags tags_all:tags metadata:pointers";

static void put_fields(struct requests *requests, const char *op, const char *fields);
static void put_kind(struct requests *requests, const char *name, size_t size);

/* ---- values of any kind ---- */

static void put_any(struct requests *requests, int depth) {
    static const int64_t NUMBERS[] = {0, 1, -1, 127, 128, 255, 65536, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN};
    static const double FLOATS[] = {0.5, 1, -0.0, 1e300, 5e-324, (double)INFINITY, (double)NAN};
    static const char *const RAW[] = {"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
                                      "\xca\x3f\x80\x00\x01",
                                      "\xd6\xff\x01\x01\x01\x01",
                                      "\xd7\xff\x01\x01\x01\x01\x02\x02\x02\x02",
                                      "\xd4\x05\x01",
                                      "\xd9\x01x",
                                      "\xdc\x01\x01\x01",
                                      "\xc1"};
    struct wire_writer *out = &requests->out;
    switch (choose(requests->in, depth > 0 ? 12 : 10)) {
    case 0:
        wire_put_nil(out);
        return;
    case 1:
        wire_put_bool(out, choose(requests->in, 2) == 1);
        return;
    case 2:
    case 3:
        wire_put_int(out, NUMBERS[choose(requests->in, COUNT_OF(NUMBERS))]);
        return;
    case 4:
        wire_put_float(out, FLOATS[choose(requests->in, COUNT_OF(FLOATS))]);
        return;
    case 5:
    case 6:
        wire_put_str(out, choose_bytes(requests->in, 12));
        return;
    case 7:
        wire_put_bin(out, choose_bytes(requests->in, 12));
        return;
    case 8:
        wire_put_raw(out, bytes_from_string(RAW[choose(requests->in, COUNT_OF(RAW))]));
        return;
    case 9:
        wire_put_raw(out, choose_bytes(requests->in, 8));
        return;
    default:
        break;
    }
    bool is_map = choose(requests->in, 2) == 1;
    uint32_t count = choose(requests->in, 5);
    (is_map ? wire_put_map : wire_put_array)(out, count);
    for (uint32_t i = 0; i < count; i++) {
        if (is_map) {
            put_kind(requests, "member", 6);
        }
        put_any(requests, depth - 1);
    }
}

static void put_any_value(struct requests *requests) {
    put_any(requests, DEPTH_MAX);
}

static void put_bool(struct requests *requests) {
    wire_put_bool(&requests->out, choose(requests->in, 2) == 1);
}

/* Something that schemas have something to say about. */
static void put_payload(struct requests *requests) {
    struct generator generator = {.choices = requests->in->data, .left = requests->in->left};
    struct error error;
    generate_payload(&generator);
    *requests->in = (struct choices){generator.choices, generator.left};
    size_t before = requests->out.buffer.size;
    if (json_text_convert(buffer_view(&generator.text), 64, &requests->out.buffer, &error) != OK) {
        wire_rollback(&requests->out, before);
        wire_put_nil(&requests->out);
    }
    buffer_done(&generator.text);
}

static void put_map(struct requests *requests) {
    uint32_t count = choose(requests->in, 4);
    wire_put_map(&requests->out, count);
    for (uint32_t i = 0; i < count; i++) {
        static const char *const KEYS[] = {"id", "a", "user"};
        wire_put_text(&requests->out, KEYS[i]);
        switch (choose(requests->in, 4)) {
        case 0:
            wire_put_int(&requests->out, choose(requests->in, 8));
            break;
        case 1:
            put_payload(requests);
            break;
        default:
            put_any(requests, DEPTH_MAX);
            break;
        }
    }
}

static void put_array(struct requests *requests, const char *kind, uint32_t count_max) {
    uint32_t count = choose(requests->in, count_max + 1);
    wire_put_array(&requests->out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_kind(requests, kind, strlen(kind));
    }
}

/* ---- values of fields ---- */

static void put_event(struct requests *requests) {
    put_fields(requests, NULL, EVENT);
}

static void put_events(struct requests *requests) {
    put_array(requests, "event", 4);
}

static void put_filter(struct requests *requests) {
    put_fields(requests, NULL, FILTER);
}

static void put_condition(struct requests *requests) {
    put_fields(requests, NULL, "filter! after:id");
}

static void put_error(struct requests *requests) {
    put_fields(requests, NULL, "message!:text class:text");
}

static void put_tags(struct requests *requests) {
    put_array(requests, "tag", 3);
}

static void put_types(struct requests *requests) {
    put_array(requests, "type", 3);
}

static void put_letter_states(struct requests *requests) {
    put_array(requests, "letter_state", 3);
}

static void put_rejected_states(struct requests *requests) {
    put_array(requests, "rejected_state", 3);
}

static void put_cursor(struct requests *requests) {
    uint8_t text[sizeof requests->cursor];
    size_t size = strlen(requests->cursor);
    memcpy(text, requests->cursor, size);
    if (size > 0 && seldom(requests->in, 4)) {
        text[choose(requests->in, (uint32_t)size)] ^= (uint8_t)(1u << choose(requests->in, 8));
    }
    wire_put_str(&requests->out, (struct bytes){text, size});
}

static void put_token(struct requests *requests) {
    wire_put_int(&requests->out, requests->token + (seldom(requests->in, 4) ? 1 : 0));
}

static void put_expected(struct requests *requests) {
    if (choose(requests->in, 2) == 0) {
        wire_put_int(&requests->out, choose(requests->in, 6));
    } else {
        put_kind(requests, "expectation", 11);
    }
}

static void put_time(struct requests *requests) {
    static const int64_t TIMES[] = {1767225600000000,   1767225601000000,  1767225600500000, 0,
                                    253402300799999999, -62135596800000000};
    if (seldom(requests->in, 8)) {
        wire_put_raw(&requests->out, BYTES_LITERAL("\xd6\xff\x69\x55\xb9\x00"));
    } else {
        wire_put_int(&requests->out, TIMES[choose(requests->in, COUNT_OF(TIMES))]);
    }
}

static void put_pointers(struct requests *requests) {
    uint32_t count = choose(requests->in, 3);
    wire_put_map(&requests->out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_kind(requests, "pointer", 7);
        put_any(requests, 2);
    }
}

static void put_schema(struct requests *requests) {
    static const char *const SCHEMAS[] = {
        "true", "{}", "{\"required\":[\"id\"]}", "{\"properties\":{\"id\":{\"type\":\"integer\"}}}",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"doc\"}},\"additionalProperties\":false}"};
    struct generator generator = {.choices = requests->in->data, .left = requests->in->left};
    uint32_t kind = choose(requests->in, 6);
    if (kind == 0) {
        put_any(requests, DEPTH_MAX);
        return;
    }
    if (kind == 1) {
        wire_put_str(&requests->out, choose_bytes(requests->in, 200));
        return;
    }
    if (kind == 2) {
        generate_schema(&generator);
        *requests->in = (struct choices){generator.choices, generator.left};
    } else {
        const char *schema = SCHEMAS[choose(requests->in, COUNT_OF(SCHEMAS))];
        REQUIRE(buffer_append(&generator.text, schema, strlen(schema)));
    }
    struct error error;
    size_t before = requests->out.buffer.size;
    if (kind == 5 || json_text_convert(buffer_view(&generator.text), 64, &requests->out.buffer, &error) != OK) {
        wire_rollback(&requests->out, before);
        wire_put_str(&requests->out, buffer_view(&generator.text));
    }
    buffer_done(&generator.text);
}

static void put_document(struct requests *requests) {
    put_fields(requests, NULL, "uri! schema!");
}

static void put_documents(struct requests *requests) {
    put_array(requests, "document", 2);
}

/* A kind has numbers, texts, or a function of its own; those that stand first are chosen when the choices are used up.
 */
#define NUMBERS(...)                                                                                                   \
    .numbers = (const int64_t[]){__VA_ARGS__}, .count = sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)
#define TEXTS(...)                                                                                                     \
    .texts = (const char *const[]){__VA_ARGS__}, .count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static const struct kind {
    const char *name;
    void (*put)(struct requests *requests);
    const int64_t *numbers;
    const char *const *texts;
    uint32_t count;
} KINDS[] = {
    {"any", .put = put_any_value},
    {"map", .put = put_map},
    {"bool", .put = put_bool},
    {"data", .put = put_map},
    {"event", .put = put_event},
    {"events", .put = put_events},
    {"filter", .put = put_filter},
    {"condition", .put = put_condition},
    {"error", .put = put_error},
    {"tags", .put = put_tags},
    {"types", .put = put_types},
    {"letter_states", .put = put_letter_states},
    {"rejected_states", .put = put_rejected_states},
    {"cursor", .put = put_cursor},
    {"token", .put = put_token},
    {"expected", .put = put_expected},
    {"time", .put = put_time},
    {"pointers", .put = put_pointers},
    {"schema", .put = put_schema},
    {"document", .put = put_document},
    {"documents", .put = put_documents},
    {"id", NUMBERS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, -1, INT64_MAX)},
    {"version", NUMBERS(1, 2, 3, 0, INT64_MAX)},
    {"limit", NUMBERS(1, 2, 3, 0, 100, 1000, 100000, -1)},
    {"wait", NUMBERS(0, 1, 100, 1000000)},
    {"bucket", NUMBERS(1000000, 1, 3600000000, 315576000000000000, 0)},
    {"attempts", NUMBERS(1, 2, 3, 1000, 0)},
    {"repeat", NUMBERS(1, 2, 20, 0, 1000001)},
    {"delay", NUMBERS(0, 1000, 1000000, 86400000000, INT64_MAX)},
    {"number", NUMBERS(1, 0, 2, 4, 64, 512, 1000, 1024, 4096, 65536, 1048576, INT64_MAX, -1)},
    {"page_size", NUMBERS(512, 1024, 4096, 65536, 513, 0)},
    {"type", TEXTS("a", "b", "v", "w", "node_created", "", LONG_NAME "n")},
    {"stream", TEXTS("s", "t", "node:1", "\xc3\xa9", "", LONG_NAME LONG_NAME)},
    {"tag", TEXTS("x", "y", "node:1", "edge:1>2", "", LONG_NAME LONG_NAME "n")},
    {"key", TEXTS("k1", "k2", "k3", "new", "", LONG_NAME)},
    {"batch", TEXTS("open", "done", "new", "more", "", LONG_NAME "n")},
    {"consumer", TEXTS("default", "c", "d", "", LONG_NAME "n")},
    {"prefix", TEXTS("", "s", "node:", "\xc3", "\xc3\xa9", "\xf4\x8f\xbf\xbf")},
    {"text", TEXTS("a text", "", "\xc3\xa9", "a\nb", "\xff", LONG_NAME LONG_NAME LONG_NAME LONG_NAME LONG_NAME)},
    {"member", TEXTS("id", "a", "b", "", "$bin", "\xff", "user")},
    {"pointer", TEXTS("/user", "", "/a/0", "/a~1b", "/a~", "user", "/id")},
    {"uri", TEXTS("doc", "http://x/doc", "urn:x:y", "#", "", "http://json-schema.org/draft-07/schema#")},
    {"order", TEXTS("asc", "desc", "up")},
    {"order_by", TEXTS("id", "time", "type")},
    {"by", TEXTS("type", "time", "type_and_time", "id")},
    {"expectation", TEXTS("any", "none", "exists", "some")},
    {"batch_state", TEXTS("open", "completed", "aborted", "damaged")},
    {"letter_state", TEXTS("pending", "claimed", "parked", "resolved", "discarded", "waiting")},
    {"rejected_state", TEXTS("waiting", "resubmitted", "discarded", "pending")},
    {"policy", TEXTS("reject", "dead_letter", "warn", "off", "on")},
    {"compatibility", TEXTS("none", "backward", "forward", "full", "backward_transitive", "full_transitive", "all")},
    {"content", TEXTS("strict", "lenient", "open")},
    {"unknown", TEXTS("refuse", "accept", "dry_run", "no")},
    {"format", TEXTS("annotate", "assert", "check")},
    {"mode", TEXTS("write", "read", "append")},
    {"durability", TEXTS("full", "normal", "none")},
    {"path", TEXTS("other.db", "events.db", ".", "none/other.db", "", "other.db/", ":memory:", "other?mode=memory")},
};

static const struct kind *find_kind(const char *name, size_t size) {
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (strncmp(KINDS[i].name, name, size) == 0 && KINDS[i].name[size] == '\0') {
            return &KINDS[i];
        }
    }
    REQUIRE(false); /* a table names a kind that there is not */
    return NULL;
}

static void put_kind(struct requests *requests, const char *name, size_t size) {
    const struct kind *kind = find_kind(name, size);
    if (kind->put != NULL) {
        kind->put(requests);
    } else if (kind->numbers != NULL) {
        wire_put_int(&requests->out, kind->numbers[choose(requests->in, kind->count)]);
    } else {
        wire_put_text(&requests->out, kind->texts[choose(requests->in, kind->count)]);
    }
}

/* ---- maps ---- */

/* One field, or not: those that are wanted are seldom left out. */
static bool put_field(struct requests *requests, const char *field, size_t size) {
    size_t name_size = 0;
    while (name_size < size && field[name_size] != '!' && field[name_size] != ':') {
        name_size++;
    }
    bool wanted = memchr(field, '!', size) != NULL;
    if (wanted ? seldom(requests->in, 64) : choose(requests->in, 3) != 1) {
        return false;
    }
    const char *colon = memchr(field, ':', size);
    const char *kind = colon != NULL ? colon + 1 : field;
    size_t kind_size = colon != NULL ? size - (size_t)(kind - field) : name_size;
    wire_put_str(&requests->out, (struct bytes){(const uint8_t *)field, name_size});
    if (seldom(requests->in, 24)) {
        put_any(requests, DEPTH_MAX);
    } else {
        put_kind(requests, kind, kind_size);
    }
    return true;
}

static void put_fields(struct requests *requests, const char *op, const char *fields) {
    size_t map = wire_open_map(&requests->out);
    uint32_t count = 0;
    if (op != NULL) {
        wire_put_text(&requests->out, "op");
        wire_put_text(&requests->out, op);
        count++;
    }
    while (*fields != '\0') {
        size_t size = strcspn(fields, " ");
        count += put_field(requests, fields, size) ? 1 : 0;
        fields += size + (fields[size] == ' ' ? 1 : 0);
    }
    wire_close(&requests->out, map, count);
}

static void begin(struct requests *requests) {
    wire_rollback(&requests->out, 0);
}

/* The request is complete; or it is altered. */
static void end(struct requests *requests) {
    struct buffer *buffer = &requests->out.buffer;
    REQUIRE(!requests->out.failed);
    if (buffer->size == 0 || !seldom(requests->in, 32)) {
        return;
    }
    switch (choose(requests->in, 3)) {
    case 0:
        buffer->data[choose(requests->in, (uint32_t)buffer->size)] = (uint8_t)choose(requests->in, 256);
        break;
    case 1:
        buffer->size = choose(requests->in, (uint32_t)buffer->size);
        break;
    default:
        wire_put_raw(&requests->out, choose_bytes(requests->in, 4));
        break;
    }
}

static void make(struct requests *requests, const struct op *op) {
    begin(requests);
    put_fields(requests, op->name, op->fields);
    end(requests);
}

enum verb_id requests_make(struct requests *requests) {
    const struct op *op = &OPS[choose(requests->in, COUNT_OF(OPS) - 1)];
    make(requests, op);
    return op->verb;
}

void requests_make_of(struct requests *requests, enum verb_id verb) {
    uint32_t first = 0;
    uint32_t count = 0;
    while (OPS[first].verb != verb) {
        first++;
    }
    while (OPS[first + count].verb == verb) {
        count++;
    }
    make(requests, &OPS[first + choose(requests->in, count)]);
}

void requests_make_config(struct requests *requests, const char *path) {
    const char *fields = REQUESTS_CONFIG;
    begin(requests);
    size_t map = wire_open_map(&requests->out);
    uint32_t count = 0;
    if (path != NULL) {
        wire_put_text(&requests->out, "path");
        wire_put_text(&requests->out, path);
        count++;
        fields += strcspn(fields, " ") + 1;
    }
    /* Few of them: most combinations are refused. */
    while (*fields != '\0') {
        size_t size = strcspn(fields, " ");
        bool is_path = fields == REQUESTS_CONFIG;
        count += (is_path || seldom(requests->in, 6)) && put_field(requests, fields, size) ? 1 : 0;
        fields += size + (fields[size] == ' ' ? 1 : 0);
    }
    wire_close(&requests->out, map, count);
    end(requests);
}

void requests_make_shutdown(struct requests *requests) {
    begin(requests);
    put_fields(requests, NULL, "keep_log:bool");
    end(requests);
}
