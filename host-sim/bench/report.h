/* report.h: the report of a benchmark, for people: tables, a page with plots, two runs side by side. */
#ifndef POLARIS_BENCH_REPORT_H
#define POLARIS_BENCH_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "cleanup.h"
#include "failure.h"

/* Tables. */
void report_print(FILE *out, const json_t *report);

/* A number with three digits that matter, its thousands set off; and a number of events: "10k", "1M". */
void report_format(double value, char ret_text[24]);
void report_format_size(json_int_t size, char ret_text[24]);

#endif
