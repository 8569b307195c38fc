/* example.h: the "…" of worked examples: any value in a reply, the value of the reply before in a request. */
#ifndef POLARIS_TESTS_SPEC_EXAMPLE_H
#define POLARIS_TESTS_SPEC_EXAMPLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* JSON text; fails the test, naming the line of SPEC.md, when it is none. */
json_t *example_parse(const char *text, int line);

/* Is `actual` what `expected` says? "…" in place of a value is any value; all else must be equal, and no field may be
 * missing or more. If not, *ret_where tells where they differ first. */
bool example_matches(json_t *expected, json_t *actual, char *ret_where, size_t where_size);

/* Puts in place of each "…" of the request the value that the reply before has under the same name, at any depth.
 * False: it has none; *ret_name names it. */
bool example_fill(json_t *request, json_t *reply_before, char *ret_name, size_t name_size);

#endif
