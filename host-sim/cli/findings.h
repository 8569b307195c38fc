/* findings.h: what validation and comparing found, line by line. */
#ifndef POLARIS_HOST_FINDINGS_H
#define POLARIS_HOST_FINDINGS_H

#include <jansson.h>
#include <stdio.h>

/* Failures (an array of maps, abi/SPEC.md, section 8), one a line, each after `prefix`. */
void findings_print_failures(FILE *out, const char *prefix, const json_t *failures);

/* Differences (of schema check), each in a line that begins with where it stands in the new schema, and below it which
 * way it matters, and a payload that shows it. `before` is what the older schema is called; NULL: by its version. */
void findings_print_differences(FILE *out, const json_t *differences, const char *before);

/* The `failures` and `differences` of a map. */
void findings_print(FILE *out, const json_t *map);

/* The message of an error map, to the end of its line, and where in a field of the request (in a schema, say) it found
 * what is wrong; below it the findings of its details. NULL: a reply that could not be read. */
void findings_print_error(FILE *out, const json_t *error);

#endif
