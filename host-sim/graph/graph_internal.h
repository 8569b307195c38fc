/* graph_internal.h: how graph.c keeps nodes and edges; for digest.c as well, and for nobody else. */
#ifndef POLARIS_HOST_GRAPH_INTERNAL_H
#define POLARIS_HOST_GRAPH_INTERNAL_H

#include <utlist.h>

#include "graph/graph.h"
#include "hash_table.h"

struct edge;

struct node {
    char *name;
    json_t *properties;
    struct edge *out, *in; /* lists of its edges, so that deleting a node does not walk all edges */
    size_t out_count, in_count;
    UT_hash_handle hh;
};

struct edge {
    char *key; /* from, to and kind, each with its NUL */
    size_t key_size;
    struct node *from, *to;
    json_t *properties;
    struct edge *out_prev, *out_next; /* among the edges that begin at `from` */
    struct edge *in_prev, *in_next;   /* among the edges that end at `to` */
    UT_hash_handle hh;
};

struct graph {
    struct node *nodes;
    struct edge *edges;
    struct graph_counts counts; /* without nodes and edges, which the tables count */
};

/* The data of an event, borrowed from it. */
struct change {
    const char *node;
    const char *from, *to, *kind;
    const json_t *properties; /* NULL: none */
};

/* The nodes in the order of their names, ended by NULL; free() it. NULL: no memory. */
const struct node **graph_sorted_nodes(const struct graph *graph);

#endif
