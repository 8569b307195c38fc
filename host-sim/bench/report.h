/* report.h: the report of a benchmark, for people: tables, a page with plots, two runs side by side. */
#ifndef POLARIS_BENCH_REPORT_H
#define POLARIS_BENCH_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "cleanup.h"
#include "failure.h"

/* Tables. */
void report_print(FILE *out, const json_t *report);

/* One self-contained page with plots. */
bool report_write_html(FILE *out, const json_t *report, struct failure *failure) WARN_UNUSED;

/* The plugin's figures of both, how they changed, and whether that is more than the runs of either differ. */
void report_print_comparison(FILE *out, const json_t *old, const json_t *report);

/* Of two parties' figures (maps with `median` and `spread`). */
struct report_change {
    double percent;
    bool is_beyond_spread; /* the change is larger than both spreads together */
    bool is_better;
};
struct report_change report_compare(const json_t *before, const json_t *after, bool lower_is_better);

/* ---- what both tables are made with ---- */

enum { REPORT_CELL = 24 };

/* A number with three digits that matter, its thousands set off; and a number of events: "10k", "1M". */
void report_format(double value, char ret_text[REPORT_CELL]);
void report_format_size(json_int_t size, char ret_text[REPORT_CELL]);

/* A field of an object; 0, or "?", if it has none. */
double report_number(const json_t *object, const char *name);
const char *report_text(const json_t *object, const char *name);

#endif
