/* changes.h: the events that make the graph of packages. */
#ifndef POLARIS_HOST_CHANGES_H
#define POLARIS_HOST_CHANGES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "demo/packages.h"
#include "failure.h"
#include "graph/graph.h"

/* Takes an event, as SPEC.md has it in a request (stolen). False, with the failure set: no more of them. */
typedef bool changes_emit(void *context, json_t *event, struct failure *failure);

/* The graph as dpkg tells it. Every package is a node, created when it was installed. So is every package that another
 * one names and that is not installed: dpkg allows "a | b" and recommendations that nobody followed. Every need is an
 * edge. A package's events are its stream; each event is tagged with the nodes and the edge that it touches. */
bool changes_describe(const struct packages *packages, changes_emit *emit, void *context, struct failure *failure)
    __attribute__((warn_unused_result));

/* What follows from that graph, at `now_us`: each package learns how many need it, and what is not installed leaves the
 * graph, together with the edges that lead there. */
bool changes_settle(const struct packages *packages, const struct graph *graph, int64_t now_us, changes_emit *emit,
                    void *context, struct failure *failure) __attribute__((warn_unused_result));

/* "checked as number `sequence`": what the child process that is going to be killed writes about a package. */
json_t *changes_check(const struct package *package, int64_t sequence);

#endif
