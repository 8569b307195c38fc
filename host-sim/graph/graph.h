/* graph.h: the graph that the host keeps in memory: nodes and edges, changed by events and by nothing else.
 *
 * The data of the events, and what each type does:
 *
 *     node_created   {"node": name, "properties": {...}}   the node is there with exactly these properties
 *     node_updated   {"node": name, "properties": {...}}   these properties are set; null removes one
 *     node_deleted   {"node": name}                        the node and all its edges are gone
 *     edge_created   {"from": name, "to": name, "kind": name, "properties": {...}}
 *     edge_updated   the same                              as for nodes
 *     edge_deleted   {"from": name, "to": name, "kind": name}
 *
 * `properties` may be absent: none. Between two nodes there is at most one edge of each kind, in each direction; both
 * nodes must be there first. Events of other types are none of the graph's business. An event whose data does not fit
 * changes nothing. By convention an event is tagged `node:NAME` for each node that it touches, and `edge:FROM>TO`.
 *
 * The same events in the same order give the same graph, and the same digest. Not safe for use by several threads. */
#ifndef POLARIS_HOST_GRAPH_H
#define POLARIS_HOST_GRAPH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct graph;

/* NULL: no memory. graph_free(NULL) is allowed. */
struct graph *graph_new(void);
void graph_free(struct graph *graph);
void graph_freep(struct graph **graph);

/* What became of an event. */
enum graph_outcome {
    GRAPH_APPLIED,
    GRAPH_IGNORED,  /* a type that the graph does not know */
    GRAPH_REFUSED,  /* a member is missing or of the wrong type, or it names a node or an edge that is not there */
    GRAPH_NO_MEMORY /* the graph is as it was */
};

/* Applies an event as the store gives it: {"id": ..., "type": ..., "data": {...}, ...}. Counts what became of it. */
enum graph_outcome graph_apply(struct graph *graph, const json_t *event) __attribute__((warn_unused_result));

struct graph_counts {
    uint64_t nodes, edges; /* now */
    uint64_t applied, ignored, refused;
    int64_t last_id; /* of the last event seen; 0: none, or it had none */
};
struct graph_counts graph_counts(const struct graph *graph);

/* The properties, borrowed until the graph changes; NULL: there is no such node or edge. */
const json_t *graph_node(const struct graph *graph, const char *name);
const json_t *graph_edge(const struct graph *graph, const char *from, const char *to, const char *kind);

/* How many edges begin and end at the node; 0 and 0 if there is none of that name. */
void graph_degree(const struct graph *graph, const char *name, size_t *ret_out, size_t *ret_in);

/* Visits the nodes in the order of their names. False: no memory, and nothing was visited. The visitor must not change
 * the graph. */
typedef void graph_visit_node(void *context, const char *name, const json_t *properties);
bool graph_each_node(const struct graph *graph, graph_visit_node *visit, void *context)
    __attribute__((warn_unused_result));

enum { GRAPH_DIGEST_SIZE = 65 }; /* 64 hexadecimal digits and a NUL */

/* SHA-256 over all nodes, then all edges, in the order of their names, every part preceded by its length or count. Two
 * graphs have the same digest if and only if they hold the same. False: no memory. */
bool graph_digest(const struct graph *graph, char ret_digest[GRAPH_DIGEST_SIZE]) __attribute__((warn_unused_result));

#endif
