/* compile_graph.c: what leads where: circles that would consume nothing, and subschemas that are reached twice. */
#include "validate/compile.h"

#include <stdlib.h>

/* The edges in place, by where they start. */
struct graph {
    uint32_t *starts; /* of unit i: targets from starts[i] to starts[i + 1] */
    uint32_t *targets;
    uint32_t *next; /* the walk's place among the targets of each unit */
    uint32_t *stack;
    uint8_t *states;
};

enum { UNSEEN, OPEN, DONE };

static void graph_done(struct graph *graph) {
    free(graph->starts);
    free(graph->targets);
    free(graph->next);
    free(graph->stack);
    free(graph->states);
}

static bool graph_init(struct graph *graph, const struct compiler *compiler) {
    uint32_t units = compiler->units.count;
    graph->starts = calloc((size_t)units + 1, sizeof(uint32_t));
    graph->targets = calloc((size_t)compiler->edges.count + 1, sizeof(uint32_t));
    graph->next = calloc(units, sizeof(uint32_t));
    graph->stack = calloc(units, sizeof(uint32_t));
    graph->states = calloc(units, 1);
    if (graph->starts == NULL || graph->targets == NULL || graph->next == NULL || graph->stack == NULL ||
        graph->states == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < compiler->edges.count; i++) {
        const struct edge *edge = VECTOR_AT(compiler->edges, struct edge, i);
        graph->starts[edge->from + 1] += edge->in_place;
    }
    for (uint32_t i = 0; i < units; i++) {
        graph->starts[i + 1] += graph->starts[i];
        graph->next[i] = graph->starts[i];
    }
    for (uint32_t i = 0; i < compiler->edges.count; i++) {
        const struct edge *edge = VECTOR_AT(compiler->edges, struct edge, i);
        if (edge->in_place) {
            graph->targets[graph->next[edge->from]++] = edge->to;
        }
    }
    for (uint32_t i = 0; i < units; i++) {
        graph->next[i] = graph->starts[i];
    }
    return true;
}

/* Depth first; a unit that is met while it is open closes a circle. NO_INDEX: none does. */
static uint32_t find_circle(struct graph *graph, struct compiler *compiler, uint32_t root) {
    uint32_t depth = 0;
    graph->stack[depth++] = root;
    graph->states[root] = OPEN;
    while (depth > 0) {
        uint32_t unit = graph->stack[depth - 1];
        if (graph->next[unit] == graph->starts[unit + 1]) {
            graph->states[unit] = DONE;
            if (!vector_append(&compiler->order, sizeof unit, &unit, 1)) {
                compile_no_memory(compiler);
                return NO_INDEX;
            }
            depth--;
            continue;
        }
        uint32_t to = graph->targets[graph->next[unit]++];
        if (graph->states[to] == OPEN) {
            return to;
        }
        if (graph->states[to] == UNSEEN) {
            graph->states[to] = OPEN;
            graph->stack[depth++] = to;
        }
    }
    return NO_INDEX;
}

static void mark_shared(struct compiler *compiler) {
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < compiler->edges.count; i++) {
            const struct edge *edge = VECTOR_AT(compiler->edges, struct edge, i);
            struct schema_node *node = SECTION(compiler, schemas, struct schema_node, edge->to);
            if (pass == 0) {
                /* Counted in a field that the fast code fills later; the root is reached from outside as well. */
                node->run.fast = edge->to == 0 && node->run.fast == 0 ? 2 : node->run.fast + 1;
            } else if (node->run.fast >= 2) {
                node->run.flags |= SCHEMA_SHARED;
            }
        }
    }
}

enum status compile_graph(struct compiler *compiler) {
    CLEANUP(graph_done) struct graph graph = {0};
    if (!graph_init(&graph, compiler)) {
        return compile_no_memory(compiler);
    }
    for (uint32_t i = 0; i < compiler->units.count; i++) {
        uint32_t found = graph.states[i] == UNSEEN ? find_circle(&graph, compiler, i) : NO_INDEX;
        if (found != NO_INDEX) {
            const struct unit *unit = UNIT(compiler, found);
            return compile_refuse(compiler, INVALID, unit->source, unit->item,
                                  "the references from here lead back to here without looking into the value: no value "
                                  "could ever be judged");
        }
    }
    mark_shared(compiler);
    return compiler->status;
}
