/* failures.h: how the failures of a validation look in messages. */
#ifndef POLARIS_PLUGIN_FAILURES_H
#define POLARIS_PLUGIN_FAILURES_H

#include "validate/validate.h"
#include "wire/writer.h"

/* Writes an array of maps. `base`: where the payload begins in its document, as offsets are counted from the payload.
 * Returns whether the report was truncated. */
bool failures_put(struct wire_writer *writer, const struct validate_report *report, uint32_t base);

/* One failure that is known by a line only: of what could not be judged (code `limit`), or told in brief. */
void failures_put_line(struct wire_writer *writer, const char *code, const char *line);

/* Lets the error map's details have `failures` and `truncated`. `details` must outlive the error. */
void failures_add_details(struct error *error, struct wire_writer *details, const struct validate_report *report,
                          uint32_t base);

#endif
