/* validation_cases.c: the payloads that validation is measured with, from 100 bytes to 4 KiB, and their schemas. */
#include "bench/validation.h"

#include <stdio.h>

/* JSON as it is written; the compiler quotes it. */
#define JSON(...) #__VA_ARGS__

/* clang-format off */

static const char TINY_SCHEMA[] = JSON({
    "type": "object",
    "required": ["id", "name", "rank"],
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "name": {"type": "string", "minLength": 1, "maxLength": 64},
        "rank": {"type": "number", "minimum": 0, "maximum": 1},
        "summary": {"type": "string", "maxLength": 200}
    },
    "additionalProperties": false
});

static const char NODE_SCHEMA[] = JSON({
    "type": "object",
    "required": ["kind", "properties", "tags", "weight", "installed_kib"],
    "properties": {
        "kind": {"enum": ["package", "source", "person", "place"]},
        "properties": {
            "type": "object",
            "required": ["section", "maintainer"],
            "properties": {
                "section": {"type": "string", "minLength": 1, "maxLength": 32},
                "maintainer": {"type": "string", "maxLength": 128},
                "essential": {"type": "boolean"}
            },
            "additionalProperties": false
        },
        "tags": {
            "type": "array",
            "maxItems": 16,
            "items": {"type": "string", "pattern": "^[a-z]+:[a-z0-9.+-]+$"}
        },
        "weight": {"type": "number", "minimum": 0, "maximum": 1},
        "installed_kib": {"type": "integer", "minimum": 0, "maximum": 1000000000}
    },
    "additionalProperties": false
});

static const char EDGE_SCHEMA[] = JSON({
    "$defs": {
        "node": {"type": "string", "pattern": "^[a-z][a-z0-9.+-]*$", "maxLength": 64},
        "evidence": {
            "type": "object",
            "required": ["source", "confidence"],
            "properties": {
                "source": {"type": "string", "minLength": 1},
                "confidence": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                "seen_at": {"type": "integer", "minimum": 0}
            }
        }
    },
    "type": "object",
    "required": ["from", "to", "kind"],
    "properties": {
        "from": {"$ref": "#/$defs/node"},
        "to": {"$ref": "#/$defs/node"},
        "kind": {"enum": ["depends", "recommends", "suggests", "conflicts"]},
        "directed": {"type": "boolean"},
        "evidence": {"type": "array", "minItems": 1, "maxItems": 8, "items": {"$ref": "#/$defs/evidence"}},
        "labels": {"type": "array", "uniqueItems": true, "items": {"type": "string"}},
        "properties": {
            "type": "object",
            "propertyNames": {"maxLength": 32},
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]}
        }
    },
    "if": {"properties": {"kind": {"const": "conflicts"}}},
    "then": {"properties": {"directed": {"const": false}}},
    "additionalProperties": false
});

static const char GRAPH_SCHEMA[] = JSON({
    "$defs": {
        "node": {
            "type": "object",
            "required": ["id", "kind", "position"],
            "properties": {
                "id": {"type": "string", "pattern": "^node-[0-9]+$"},
                "kind": {"enum": ["package", "source", "person", "place"]},
                "position": {
                    "type": "array",
                    "prefixItems": [{"type": "number"}, {"type": "number"}],
                    "items": false,
                    "minItems": 2
                },
                "degree": {"type": "integer", "minimum": 0},
                "tags": {"type": "array", "items": {"type": "string", "maxLength": 32}}
            },
            "additionalProperties": false
        }
    },
    "type": "object",
    "required": ["layout", "nodes"],
    "properties": {
        "layout": {"type": "string"},
        "nodes": {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"$ref": "#/$defs/node"}}
    }
});

static const char TABLE_SCHEMA[] = JSON({
    "type": "object",
    "required": ["names", "sizes", "scores", "notes"],
    "properties": {
        "names": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 64}},
        "sizes": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 10000000}},
        "scores": {"type": "array", "items": {"type": "number", "minimum": 0, "exclusiveMaximum": 1}},
        "notes": {
            "type": "object",
            "patternProperties": {"^note_": {"type": "string", "maxLength": 100}},
            "additionalProperties": false
        }
    },
    "additionalProperties": false
});

/* clang-format on */

/* The n-th number of a row that looks like chance and is the same everywhere. */
static unsigned mixed(unsigned n) {
    return (n + 1) * 2654435761u >> 8;
}

static double part_of_one(unsigned n) {
    return (double)(mixed(n) % 100000) / 100000.0;
}

static json_t *tiny_payload(void) {
    return json_pack("{s: i, s: s, s: f, s: s}", "id", 4711, "name", "libjansson4", "rank", 0.25, "summary",
                     "a C library for encoding and decoding JSON data files");
}

static json_t *node_payload(void) {
    return json_pack("{s: s, s: {s: s, s: s, s: b}, s: [s, s, s], s: f, s: i}", "kind", "package", "properties",
                     "section", "libs", "maintainer", "The Maintainers of Packages <packages@example.org>", "essential",
                     0, "tags", "role:library", "language:c++", "reads:json", "weight", 0.75, "installed_kib", 92160);
}

static json_t *edge_payload(void) {
    return json_pack("{s: s, s: s, s: s, s: b, s: [{s: s, s: f, s: I}, {s: s, s: f, s: I}], s: [s, s, s],"
                     " s: {s: s, s: f, s: n, s: b}}",
                     "from", "polaris-event-store", "to", "libjansson4", "kind", "depends", "directed", 1, "evidence",
                     "source", "the control file of the package, as the index has it", "confidence", 0.99, "seen_at",
                     (json_int_t)1767225600000000, "source", "symbols of the shared object that nothing else defines",
                     "confidence", 0.95, "seen_at", (json_int_t)1767225601000000, "labels", "runtime", "versioned",
                     "transitive", "properties", "version", ">= 2.14", "strength", 0.5, "replaced_by", "automatic", 1);
}

static json_t *graph_payload(void) {
    static const char *const KINDS[] = {"package", "source", "person", "place"};
    json_auto_t *nodes = json_array();
    for (unsigned i = 0; i < 12; i++) {
        char id[24];
        (void)snprintf(id, sizeof id, "node-%u", 100 + mixed(i) % 900);
        json_t *node = json_pack("{s: s, s: s, s: [f, f], s: i, s: [s, s]}", "id", id, "kind", KINDS[i % 4], "position",
                                 part_of_one(2 * i), part_of_one(2 * i + 1), "degree", (int)(mixed(i) % 300), "tags",
                                 "indexed", i % 2 == 0 ? "leaf" : "hub");
        if (json_array_append_new(nodes, node) != 0) {
            return NULL;
        }
    }
    return json_pack("{s: s, s: O}", "layout", "force-directed", "nodes", nodes);
}

static json_t *table_payload(void) {
    json_auto_t *names = json_array();
    json_auto_t *sizes = json_array();
    json_auto_t *scores = json_array();
    json_auto_t *notes = json_object();
    bool made = notes != NULL;
    for (unsigned i = 0; i < 86 && made; i++) {
        char name[48];
        (void)snprintf(name, sizeof name, "package-%u-for-testing", mixed(i) % 100000);
        made = json_array_append_new(names, json_string(name)) == 0;
    }
    for (unsigned i = 0; i < 100 && made; i++) {
        made = json_array_append_new(sizes, json_integer((json_int_t)(mixed(i) % 5000000))) == 0 &&
               json_array_append_new(scores, json_real(part_of_one(i))) == 0;
    }
    for (unsigned i = 0; i < 8 && made; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "note_%u", i);
        made = json_object_set_new(notes, name, json_string("what somebody wanted to say about this")) == 0;
    }
    return made
               ? json_pack("{s: O, s: O, s: O, s: O}", "names", names, "sizes", sizes, "scores", scores, "notes", notes)
               : NULL;
}

const struct validation_case VALIDATION_CASES[VALIDATION_CASE_COUNT] = {
    {"tiny event", TINY_SCHEMA, tiny_payload},
    {"node event", NODE_SCHEMA, node_payload},
    {"edge event", EDGE_SCHEMA, edge_payload},
    {"arrays of objects", GRAPH_SCHEMA, graph_payload},
    {"strings and numbers", TABLE_SCHEMA, table_payload},
};
