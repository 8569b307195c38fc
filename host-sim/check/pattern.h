/* pattern.h: JSON patterns, in which replies are written down: ' stands for ". */
#ifndef POLARIS_CHECK_PATTERN_H
#define POLARIS_CHECK_PATTERN_H

#include <jansson.h>
#include <stdbool.h>

#include "cleanup.h"

/* JSON in which ' stands for ". A text that is none is a defect of the check, and ends its process. */
json_t *pattern_parse(const char *text) WARN_UNUSED;

/* Objects: the pattern's fields are there and match, others may be. Arrays: of the same length, each matches. The
 * string "*" matches any value, "!" only one that is absent. Anything else: the same value.
 *
 * A string "#name" stands for an id that the build chooses, which may be any above 0: where it stands first it takes
 * what is there, and is kept in `names`, an object; then it matches nothing else. Numbers for names keep their order:
 * what "#2" stands for is above what "#1" stands for. */
bool pattern_matches(const json_t *value, const json_t *pattern, json_t *names);

/* The first value under that name, wherever it is in `value`; NULL: nowhere. Borrowed. */
json_t *pattern_find(json_t *value, const char *name);

/* Replaces each field that is a string "$name" by what `from` has under that name, and "#name" by what `names` has.
 * False: it has not, and *ret_name says which. */
bool pattern_fill(json_t *value, json_t *from, json_t *names, const char **ret_name) WARN_UNUSED;

#endif
