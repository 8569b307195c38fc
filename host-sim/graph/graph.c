/* graph.c: nodes and edges in hash tables, and the events that change them. */
#include "graph/graph.h"

#include <stdlib.h>
#include <string.h>

#include "graph/graph_internal.h"

static void edge_free(struct edge *edge) {
    json_decref(edge->properties);
    free(edge->key);
    free(edge);
}

static void node_free(struct node *node) {
    json_decref(node->properties);
    free(node->name);
    free(node);
}

struct graph *graph_new(void) {
    return calloc(1, sizeof(struct graph));
}

void graph_free(struct graph *graph) {
    if (graph == NULL) {
        return;
    }
    struct edge *edge, *next_edge;
    HASH_ITER(hh, graph->edges, edge, next_edge) {
        HASH_DEL(graph->edges, edge);
        edge_free(edge);
    }
    struct node *node, *next_node;
    HASH_ITER(hh, graph->nodes, node, next_node) {
        HASH_DEL(graph->nodes, node);
        node_free(node);
    }
    free(graph);
}

void graph_freep(struct graph **graph) {
    graph_free(*graph);
    *graph = NULL;
}

/* ---- Finding ----------------------------------------------------------------------------------------------------- */

static struct node *find_node(const struct graph *graph, const char *name) {
    struct node *node = NULL;
    HASH_FIND(hh, graph->nodes, name, strlen(name), node);
    return node;
}

/* Names hold no NUL, so that a NUL between them keeps ("a", "bc") and ("ab", "c") apart. NULL: no memory. */
static char *edge_key(const char *from, const char *to, const char *kind, size_t *ret_size) {
    size_t from_size = strlen(from) + 1, to_size = strlen(to) + 1, kind_size = strlen(kind) + 1;
    char *key = malloc(from_size + to_size + kind_size);
    if (key == NULL) {
        return NULL;
    }
    memcpy(key, from, from_size);
    memcpy(key + from_size, to, to_size);
    memcpy(key + from_size + to_size, kind, kind_size);
    *ret_size = from_size + to_size + kind_size;
    return key;
}

const json_t *graph_node(const struct graph *graph, const char *name) {
    const struct node *node = find_node(graph, name);
    return node != NULL ? node->properties : NULL;
}

const json_t *graph_edge(const struct graph *graph, const char *from, const char *to, const char *kind) {
    size_t size = 0;
    char *key = edge_key(from, to, kind, &size);
    if (key == NULL) {
        return NULL;
    }
    struct edge *edge = NULL;
    HASH_FIND(hh, graph->edges, key, size, edge);
    free(key);
    return edge != NULL ? edge->properties : NULL;
}

void graph_degree(const struct graph *graph, const char *name, size_t *ret_out, size_t *ret_in) {
    const struct node *node = find_node(graph, name);
    *ret_out = node != NULL ? node->out_count : 0;
    *ret_in = node != NULL ? node->in_count : 0;
}

struct graph_counts graph_counts(const struct graph *graph) {
    struct graph_counts counts = graph->counts;
    counts.nodes = HASH_COUNT(graph->nodes);
    counts.edges = HASH_COUNT(graph->edges);
    return counts;
}

static int compare_nodes(const void *left, const void *right) {
    const struct node *const *a = left;
    const struct node *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

const struct node **graph_sorted_nodes(const struct graph *graph) {
    const struct node **nodes = calloc(HASH_COUNT(graph->nodes) + 1, sizeof(struct node *));
    if (nodes == NULL) {
        return NULL;
    }
    size_t count = 0;
    for (const struct node *node = graph->nodes; node != NULL; node = node->hh.next) {
        nodes[count++] = node;
    }
    qsort(nodes, count, sizeof(struct node *), compare_nodes);
    return nodes;
}

bool graph_each_node(const struct graph *graph, graph_visit_node *visit, void *context) {
    const struct node **nodes = graph_sorted_nodes(graph);
    if (nodes == NULL) {
        return false;
    }
    for (size_t i = 0; nodes[i] != NULL; i++) {
        visit(context, nodes[i]->name, nodes[i]->properties);
    }
    free(nodes);
    return true;
}

/* ---- Properties -------------------------------------------------------------------------------------------------- */

/* What the graph keeps of an event is a copy: the event is the caller's. NULL: no memory. */
static json_t *copy_properties(const json_t *properties) {
    return properties != NULL ? json_deep_copy(properties) : json_object();
}

/* A new object: `base` with the members of `changes` set, and those that are null there removed. NULL: no memory. */
static json_t *merge_properties(json_t *base, const json_t *changes) {
    json_t *merged = json_copy(base);
    json_t *copied = copy_properties(changes);
    bool merged_all = merged != NULL && copied != NULL;
    const char *name;
    json_t *value;
    json_object_foreach(copied, name, value) {
        if (!merged_all) {
            break;
        }
        if (json_is_null(value)) {
            (void)json_object_del(merged, name); /* one that was not there is gone as well */
        } else {
            merged_all = json_object_set(merged, name, value) == 0;
        }
    }
    json_decref(copied);
    if (!merged_all) {
        json_decref(merged);
        return NULL;
    }
    return merged;
}

/* Replaces *place by `properties` (stolen; NULL: no memory). */
static enum graph_outcome replace_properties(json_t **place, json_t *properties) {
    if (properties == NULL) {
        return GRAPH_NO_MEMORY;
    }
    json_decref(*place);
    *place = properties;
    return GRAPH_APPLIED;
}

/* ---- Nodes ------------------------------------------------------------------------------------------------------- */

static enum graph_outcome node_create(struct graph *graph, const struct change *change) {
    struct node *node = find_node(graph, change->node);
    if (node != NULL) {
        return replace_properties(&node->properties, copy_properties(change->properties));
    }
    node = calloc(1, sizeof *node);
    if (node == NULL) {
        return GRAPH_NO_MEMORY;
    }
    node->name = strdup(change->node);
    node->properties = copy_properties(change->properties);
    if (node->name != NULL && node->properties != NULL) {
        HASH_ADD_KEYPTR(hh, graph->nodes, node->name, strlen(node->name), node);
    }
    if (node->hh.tbl == NULL) {
        node_free(node);
        return GRAPH_NO_MEMORY;
    }
    return GRAPH_APPLIED;
}

static enum graph_outcome node_update(struct graph *graph, const struct change *change) {
    struct node *node = find_node(graph, change->node);
    if (node == NULL) {
        return GRAPH_REFUSED;
    }
    return replace_properties(&node->properties, merge_properties(node->properties, change->properties));
}

static void remove_edge(struct graph *graph, struct edge *edge) {
    DL_DELETE2(edge->from->out, edge, out_prev, out_next);
    DL_DELETE2(edge->to->in, edge, in_prev, in_next);
    edge->from->out_count--;
    edge->to->in_count--;
    HASH_DEL(graph->edges, edge);
    edge_free(edge);
}

static enum graph_outcome node_delete(struct graph *graph, const struct change *change) {
    struct node *node = find_node(graph, change->node);
    if (node == NULL) {
        return GRAPH_REFUSED;
    }
    while (node->out != NULL) {
        remove_edge(graph, node->out);
    }
    while (node->in != NULL) {
        remove_edge(graph, node->in);
    }
    HASH_DEL(graph->nodes, node);
    node_free(node);
    return GRAPH_APPLIED;
}

/* ---- Edges ------------------------------------------------------------------------------------------------------- */

/* The edge that the change names, or NULL. False: no memory. */
static bool find_edge(const struct graph *graph, const struct change *change, struct edge **ret_edge) {
    size_t size = 0;
    char *key = edge_key(change->from, change->to, change->kind, &size);
    if (key == NULL) {
        return false;
    }
    struct edge *edge = NULL;
    HASH_FIND(hh, graph->edges, key, size, edge);
    free(key);
    *ret_edge = edge;
    return true;
}

static enum graph_outcome add_edge(struct graph *graph, struct node *from, struct node *to,
                                   const struct change *change) {
    struct edge *edge = calloc(1, sizeof *edge);
    if (edge == NULL) {
        return GRAPH_NO_MEMORY;
    }
    edge->key = edge_key(change->from, change->to, change->kind, &edge->key_size);
    edge->properties = copy_properties(change->properties);
    if (edge->key != NULL && edge->properties != NULL) {
        HASH_ADD_KEYPTR(hh, graph->edges, edge->key, edge->key_size, edge);
    }
    if (edge->hh.tbl == NULL) {
        edge_free(edge);
        return GRAPH_NO_MEMORY;
    }
    edge->from = from;
    edge->to = to;
    DL_PREPEND2(from->out, edge, out_prev, out_next);
    DL_PREPEND2(to->in, edge, in_prev, in_next);
    from->out_count++;
    to->in_count++;
    return GRAPH_APPLIED;
}

static enum graph_outcome edge_create(struct graph *graph, const struct change *change) {
    struct node *from = find_node(graph, change->from);
    struct node *to = find_node(graph, change->to);
    if (from == NULL || to == NULL) {
        return GRAPH_REFUSED;
    }
    struct edge *edge = NULL;
    if (!find_edge(graph, change, &edge)) {
        return GRAPH_NO_MEMORY;
    }
    if (edge != NULL) {
        return replace_properties(&edge->properties, copy_properties(change->properties));
    }
    return add_edge(graph, from, to, change);
}

static enum graph_outcome edge_update(struct graph *graph, const struct change *change) {
    struct edge *edge = NULL;
    if (!find_edge(graph, change, &edge)) {
        return GRAPH_NO_MEMORY;
    }
    if (edge == NULL) {
        return GRAPH_REFUSED;
    }
    return replace_properties(&edge->properties, merge_properties(edge->properties, change->properties));
}

static enum graph_outcome edge_delete(struct graph *graph, const struct change *change) {
    struct edge *edge = NULL;
    if (!find_edge(graph, change, &edge)) {
        return GRAPH_NO_MEMORY;
    }
    if (edge == NULL) {
        return GRAPH_REFUSED;
    }
    remove_edge(graph, edge);
    return GRAPH_APPLIED;
}

/* ---- Events ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *type;
    bool is_edge;
    enum graph_outcome (*apply)(struct graph *graph, const struct change *change);
} CHANGES[] = {
    {"node_created", false, node_create}, {"node_updated", false, node_update}, {"node_deleted", false, node_delete},
    {"edge_created", true, edge_create},  {"edge_updated", true, edge_update},  {"edge_deleted", true, edge_delete},
};

/* A name is a string that is not empty and holds no NUL; NULL otherwise. */
static const char *name_of(const json_t *data, const char *member) {
    const json_t *value = json_object_get(data, member);
    const char *name = json_string_value(value);
    return name != NULL && name[0] != '\0' && strlen(name) == json_string_length(value) ? name : NULL;
}

static bool read_change(const json_t *data, bool is_edge, struct change *ret_change) {
    const json_t *properties = json_object_get(data, "properties");
    if (properties != NULL && !json_is_object(properties)) {
        return false;
    }
    *ret_change = (struct change){
        .node = name_of(data, "node"),
        .from = name_of(data, "from"),
        .to = name_of(data, "to"),
        .kind = name_of(data, "kind"),
        .properties = properties,
    };
    if (is_edge) {
        return ret_change->from != NULL && ret_change->to != NULL && ret_change->kind != NULL;
    }
    return ret_change->node != NULL;
}

static enum graph_outcome dispatch(struct graph *graph, const json_t *event) {
    const char *type = json_string_value(json_object_get(event, "type"));
    for (size_t i = 0; type != NULL && i < sizeof CHANGES / sizeof CHANGES[0]; i++) {
        if (strcmp(type, CHANGES[i].type) == 0) {
            struct change change;
            if (!read_change(json_object_get(event, "data"), CHANGES[i].is_edge, &change)) {
                return GRAPH_REFUSED;
            }
            return CHANGES[i].apply(graph, &change);
        }
    }
    return GRAPH_IGNORED;
}

enum graph_outcome graph_apply(struct graph *graph, const json_t *event) {
    enum graph_outcome outcome = dispatch(graph, event);
    switch (outcome) {
    case GRAPH_APPLIED:
        graph->counts.applied++;
        break;
    case GRAPH_IGNORED:
        graph->counts.ignored++;
        break;
    case GRAPH_REFUSED:
        graph->counts.refused++;
        break;
    case GRAPH_NO_MEMORY:
        return outcome;
    }
    graph->counts.last_id = json_integer_value(json_object_get(event, "id"));
    return outcome;
}
