/* failures.h: how the failures of a validation look in messages. */
#ifndef POLARIS_PLUGIN_FAILURES_H
#define POLARIS_PLUGIN_FAILURES_H

#include "validate/validate.h"
#include "wire/writer.h"

/* Writes an array of maps. `base`: where the payload begins in its document, as offsets are counted from the payload.
 * Returns whether the report was truncated. */
bool failures_put(struct wire_writer *writer, const struct validate_report *report, uint32_t base);

/* The same for what could not be judged: one entry of the code `limit`. */
void failures_put_limit(struct wire_writer *writer, const struct error *error);

/* Lets the error map's details have `failures` and `truncated`. `details` must outlive the error. */
void failures_add_details(struct error *error, struct wire_writer *details, const struct validate_report *report,
                          uint32_t base);

#endif
