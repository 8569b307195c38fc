/* compatible_report.h: filling a report on two schemas. */
#ifndef POLARIS_PLUGIN_VALIDATE_COMPATIBLE_REPORT_H
#define POLARIS_PLUGIN_VALIDATE_COMPATIBLE_REPORT_H

#include "validate/compatible.h"

/* Appends a difference, copying its texts. One too many is only noted. False: no memory. */
WARN_UNUSED bool compatible_report_add(struct compatible_report *report,
                                       const struct compatible_difference *difference);

/* Before the message of a difference that is UNKNOWN. */
#define COMPATIBLE_UNPROVED "not proved, nor is there a payload that shows it: "

/* A witness was found later. */
WARN_UNUSED bool compatible_report_settle(struct compatible_report *report, uint32_t index, struct bytes witness);

#endif
