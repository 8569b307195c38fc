/* explain.h: texts of failures: what was expected, and what came. */
#ifndef POLARIS_PLUGIN_VALIDATE_EXPLAIN_H
#define POLARIS_PLUGIN_VALIDATE_EXPLAIN_H

#include "validate/evaluate.h"
#include "validate/model.h"

enum { EXPLAIN_VALUE_SIZE = 64 };

/* A value, short: scalars as JSON, others by their type; all by their type if values are hidden. */
void explain_print_value(struct wire_value value, bool hide, char text[EXPLAIN_VALUE_SIZE]);

/* The one failure of a payload that is not JSON. */
void explain_model(struct validate_report *report, uint32_t size_max, struct wire_value root,
                   const struct model_fault *fault);

#endif
