/* changes.c: packages and needs as events. */
#include "demo/changes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "hash_table.h"

struct known {
    const char *name; /* borrowed from the packages */
    UT_hash_handle hh;
};

static void known_done(struct known **set) {
    struct known *each, *next;
    HASH_ITER(hh, *set, each, next) {
        HASH_DEL(*set, each);
        free(each);
    }
}

/* *ret_new: it was not in the set before. False: no memory. */
static bool known_add(struct known **set, const char *name, bool *ret_new) {
    struct known *found = NULL;
    HASH_FIND(hh, *set, name, strlen(name), found);
    *ret_new = found == NULL;
    if (found != NULL) {
        return true;
    }
    struct known *added = calloc(1, sizeof *added);
    if (added == NULL) {
        return false;
    }
    added->name = name;
    HASH_ADD_KEYPTR(hh, *set, added->name, strlen(name), added);
    if (added->hh.tbl == NULL) {
        free(added);
        return false;
    }
    return true;
}

/* An event about a node; `properties` is stolen, NULL leaves it out. `time_us` 0: left out. */
static json_t *node_event(const char *type, int64_t time_us, const char *name, json_t *properties) {
    json_t *event = json_pack("{s: s, s: s+, s: [s+], s: {s: s, s: o*}}", "type", type, "stream", "node:", name, "tags",
                              "node:", name, "data", "node", name, "properties", properties);
    if (time_us != 0 && json_object_set_new(event, "time", json_integer(time_us)) != 0) {
        json_decref(event);
        return NULL;
    }
    return event;
}

static json_t *edge_event(const struct package *package, const struct need *need) {
    char edge[600];
    (void)snprintf(edge, sizeof edge, "edge:%s>%s", package->name, need->name);
    json_t *event =
        json_pack("{s: s, s: s+, s: [s+, s+, s], s: {s: s, s: s, s: s, s: {s: s*, s: b}}}", "type", "edge_created",
                  "stream", "node:", package->name, "tags", "node:", package->name, "node:", need->name, edge, "data",
                  "from", package->name, "to", need->name, "kind", need_kind_name(need->kind), "properties", "version",
                  need->version, "alternative", need->alternative);
    if (package->installed_us != 0 && json_object_set_new(event, "time", json_integer(package->installed_us)) != 0) {
        json_decref(event);
        return NULL;
    }
    return event;
}

static json_t *package_event(const struct package *package) {
    json_t *properties =
        json_pack("{s: b, s: s, s: s, s: s, s: I}", "installed", 1, "version", package->version, "architecture",
                  package->architecture, "section", package->section, "size_kib", (json_int_t)package->size_kib);
    return node_event("node_created", package->installed_us, package->name, properties);
}

static bool emit_event(changes_emit *emit, void *context, json_t *event, struct failure *failure) {
    if (event == NULL) {
        return failure_set(failure, "no memory for an event of a package");
    }
    return emit(context, event, failure);
}

bool changes_describe(const struct packages *packages, changes_emit *emit, void *context, struct failure *failure) {
    CLEANUP(known_done) struct known *known = NULL;
    bool is_new = false;
    for (size_t i = 0; i < packages->count; i++) {
        if (!known_add(&known, packages->items[i].name, &is_new)) {
            return failure_set(failure, "no memory for the names of the packages");
        }
        if (is_new && !emit_event(emit, context, package_event(&packages->items[i]), failure)) {
            return false;
        }
    }
    for (size_t i = 0; i < packages->count; i++) {
        const struct package *package = &packages->items[i];
        for (size_t j = 0; j < package->need_count; j++) {
            const struct need *need = &package->needs[j];
            if (!known_add(&known, need->name, &is_new)) {
                return failure_set(failure, "no memory for the names of the packages");
            }
            json_t *absent = is_new ? json_pack("{s: b}", "installed", 0) : NULL;
            if (is_new && !emit_event(emit, context,
                                      node_event("node_created", package->installed_us, need->name, absent), failure)) {
                return false;
            }
            if (!emit_event(emit, context, edge_event(package, need), failure)) {
                return false;
            }
        }
    }
    return true;
}

struct absent {
    const char **names;
    size_t count;
};

static void absent_done(struct absent *absent) {
    free(absent->names);
}

static void note_absent(void *context, const char *name, const json_t *properties) {
    struct absent *absent = context;
    if (json_is_false(json_object_get(properties, "installed"))) {
        absent->names[absent->count++] = name;
    }
}

static bool settle_absent(const struct graph *graph, int64_t now_us, changes_emit *emit, void *context,
                          struct failure *failure) {
    CLEANUP(absent_done) struct absent absent = {.names = calloc(graph_counts(graph).nodes + 1, sizeof(char *))};
    if (absent.names == NULL || !graph_each_node(graph, note_absent, &absent)) {
        return failure_set(failure, "no memory for the packages that are not installed");
    }
    for (size_t i = 0; i < absent.count; i++) {
        /* The event is made before the emitter may change the graph, which owns the name. */
        if (!emit_event(emit, context, node_event("node_deleted", now_us, absent.names[i], NULL), failure)) {
            return false;
        }
    }
    return true;
}

bool changes_settle(const struct packages *packages, const struct graph *graph, int64_t now_us, changes_emit *emit,
                    void *context, struct failure *failure) {
    for (size_t i = 0; i < packages->count; i++) {
        size_t out = 0, in = 0;
        graph_degree(graph, packages->items[i].name, &out, &in);
        json_t *properties = json_pack("{s: I}", "needed_by", (json_int_t)in);
        json_t *event = node_event("node_updated", now_us, packages->items[i].name, properties);
        if (!emit_event(emit, context, event, failure)) {
            return false;
        }
    }
    return settle_absent(graph, now_us, emit, context, failure);
}

json_t *changes_check(const struct package *package, int64_t sequence) {
    return node_event("node_updated", 0, package->name, json_pack("{s: I}", "checked", (json_int_t)sequence));
}
