/* chapter_schema.c: a schema comes to a store that has events, and keeps what is not allowed out of it. */
#include <stdlib.h>
#include <string.h>

#include "demo/demo.h"
#include "message/message.h"
#include "monotonic.h"
#include "owned.h"

/* JSON as it is written; the compiler quotes it. */
#define JSON(...) #__VA_ARGS__

/* clang-format off */

/* What every event of the ingest obeys, and what a new version would demand besides. */
static const char SCHEMA[] = JSON({
    "type": "object",
    "required": ["node", "properties"],
    "properties": {
        "node": {"type": "string", "minLength": 1},
        "properties": {
            "type": "object",
            "required": ["installed"],
            "properties": {
                "installed": {"type": "boolean"},
                "version": {"type": "string", "minLength": 1},
                "size_kib": {"type": "integer", "minimum": 0}
            },
            "if": {"properties": {"installed": {"const": true}}},
            "then": {"required": ["version", "size_kib"]}
        }
    }
});

static const char STRICTER[] = JSON({
    "allOf": [{"properties": {"properties": {"required": ["maintainer"]}}}]
});

/* clang-format on */

static json_int_t number_of(const json_t *reply, const char *name) {
    return json_integer_value(json_object_get(reply, name));
}

/* The stored events of the type, held against the schema before it is put. */
static bool try_on_stored(struct demo *demo) {
    int64_t start_us = monotonic_us();
    json_auto_t *tried = demo_call(
        demo, HOST_SCHEMA, json_pack("{s: s, s: s, s: s}", "op", "dry_run", "type", "node_created", "schema", SCHEMA));
    int64_t elapsed_us = monotonic_us() - start_us;
    json_auto_t *count =
        demo_call(demo, HOST_QUERY, json_pack("{s: s, s: {s: [s]}}", "op", "count", "filter", "types", "node_created"));
    if (tried == NULL || count == NULL) {
        return false;
    }
    page_figure(&demo->page, "events of node_created", show_count((uint64_t)number_of(tried, "checked")),
                "tried in %s, before the schema is put", show_duration(elapsed_us));
    return page_claim(&demo->page,
                      number_of(tried, "checked") == number_of(count, "count") &&
                          number_of(tried, "valid") == number_of(tried, "checked"),
                      "it would have allowed each of them");
}

/* An event that is no package: -1 KiB, and no version. */
static void refuse_one(struct demo *demo) {
    json_auto_t *reply = NULL;
    json_t *request =
        json_pack("{s: s, s: {s: s, s: {s: s, s: {s: b, s: i}}}}", "op", "append", "event", "type", "node_created",
                  "data", "node", "polaris", "properties", "installed", 1, "size_kib", -1);
    int32_t status = message_call(demo->host, HOST_STORE, request, &reply);
    const json_t *failures = json_object_get(json_object_get(reply, "details"), "failures");
    page_text(&demo->page, "Somebody publishes a package of -1 KiB and without a version. The log says:");
    for (size_t i = 0; i < json_array_size(failures); i++) {
        const char *line = json_string_value(json_object_get(json_array_get(failures, i), "line"));
        page_line(&demo->page, "%s", line != NULL ? line : "?");
    }
    json_auto_t *head = demo_call(demo, HOST_QUERY, json_pack("{s: s}", "op", "head"));
    (void)page_claim(&demo->page,
                     status == POLARIS_ES_REJECTED && json_array_size(failures) == 2 &&
                         number_of(head, "last_id") == demo->last_id,
                     "it was refused, for both reasons, and nothing was stored");
}

static void compare(struct demo *demo) {
    json_auto_t *stricter = json_loads(SCHEMA, 0, NULL);
    json_auto_t *more = json_loads(STRICTER, 0, NULL);
    if (stricter == NULL || json_object_update(stricter, more) != 0) {
        (void)page_failure(&demo->page, "no memory for a schema");
        return;
    }
    CLEANUP(freep) char *text = json_dumps(stricter, 0);
    json_auto_t *reply = demo_call(demo, HOST_SCHEMA,
                                   json_pack("{s: s, s: s, s: s, s: s}", "op", "check", "type", "node_created",
                                             "schema", text, "compatibility", "backward"));
    if (reply == NULL) {
        return;
    }
    const json_t *witness = json_object_get(json_array_get(json_object_get(reply, "differences"), 0), "witness");
    CLEANUP(freep) char *example = witness != NULL ? message_print(witness) : NULL;
    const char *answer = json_string_value(json_object_get(reply, "answer"));
    page_text(&demo->page,
              "A new version shall demand a maintainer. It could not read all that the present one allows:");
    page_line(&demo->page, "%s", example != NULL ? example : "?");
    (void)page_claim(&demo->page, answer != NULL && strcmp(answer, "no") == 0 && example != NULL,
                     "the store finds that by itself, and proves it by a payload");
}

bool chapter_schema(struct demo *demo) {
    page_section(&demo->page, "A schema for what is stored, and for what comes");
    page_text(&demo->page,
              "Until here the store took whatever came. Now what a new node must look like is written down "
              "as a JSON Schema, tried on the events that are there, and put.");
    if (!try_on_stored(demo)) {
        return true; /* the next chapter needs nothing of this one; what does not hold is counted */
    }
    json_auto_t *put = demo_call(
        demo, HOST_SCHEMA, json_pack("{s: s, s: s, s: s}", "op", "put", "type", "node_created", "schema", SCHEMA));
    if (put != NULL) {
        refuse_one(demo);
        compare(demo);
    }
    return true;
}
