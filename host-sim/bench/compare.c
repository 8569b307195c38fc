/* compare.c: two reports side by side. */
#include <math.h>
#include <string.h>

#include "bench/report.h"

/* The same workload on the same store in the other report; NULL: it has none. */
static const json_t *counterpart(const json_t *report, const json_t *workload) {
    static const char *const SAME[] = {"name", "size", "body"};
    const json_t *each = NULL;
    size_t i = 0;
    json_array_foreach(json_object_get(report, "workloads"), i, each) {
        bool same = json_is_object(json_object_get(each, "plugin"));
        for (size_t k = 0; k < sizeof SAME / sizeof SAME[0]; k++) {
            same = same && json_equal(json_object_get(each, SAME[k]), json_object_get(workload, SAME[k]));
        }
        if (same) {
            return each;
        }
    }
    return NULL;
}

struct report_change report_compare(const json_t *before, const json_t *after, bool lower_is_better) {
    double old_median = report_number(before, "median");
    double new_median = report_number(after, "median");
    double noise = report_number(before, "spread") + report_number(after, "spread");
    struct report_change change = {.percent = old_median > 0 ? 100 * (new_median / old_median - 1) : 0};
    change.is_beyond_spread = old_median > 0 ? fabs(change.percent) > 100 * noise : new_median > 0;
    change.is_better = (new_median < old_median) == lower_is_better && new_median != old_median;
    return change;
}

static void print_change(FILE *out, const json_t *workload, const json_t *old) {
    const json_t *before = json_object_get(old, "plugin");
    const json_t *after = json_object_get(workload, "plugin");
    bool lower = json_is_true(json_object_get(workload, "lower_is_better"));
    struct report_change change = report_compare(before, after, lower);
    char size[REPORT_CELL];
    char medians[2][REPORT_CELL];
    report_format_size(json_integer_value(json_object_get(workload, "size")), size);
    report_format(report_number(before, "median"), medians[0]);
    report_format(report_number(after, "median"), medians[1]);
    (void)fprintf(out, "%-40s%6s %5.0f%12s %3.0f%% %11s %3.0f%%  %-9s%+8.1f%%  ", report_text(workload, "title"), size,
                  report_number(workload, "body"), medians[0], 100 * report_number(before, "spread"), medians[1],
                  100 * report_number(after, "spread"), report_text(workload, "unit"), change.percent);
    (void)fputs(!change.is_beyond_spread ? "within the spread" : change.is_better ? "better" : "worse", out);
    if (json_is_number(json_object_get(workload, "ratio")) && json_is_number(json_object_get(old, "ratio"))) {
        (void)fprintf(out, "; ratio %.2f to %.2f", report_number(old, "ratio"), report_number(workload, "ratio"));
    }
    (void)fputc('\n', out);
}

void report_print_comparison(FILE *out, const json_t *old, const json_t *report) {
    const json_t *workload = NULL;
    size_t i = 0;
    (void)fprintf(out, "before: build %s, on %s\nnow:    build %s, on %s\n\n",
                  report_text(json_object_get(old, "plugin"), "build_id"),
                  report_text(json_object_get(old, "machine"), "cpu"),
                  report_text(json_object_get(report, "plugin"), "build_id"),
                  report_text(json_object_get(report, "machine"), "cpu"));
    (void)fprintf(out, "%-40s%6s %5s%12s %4s %11s %4s  %-9s%9s\n", "workload", "events", "bytes", "before", "+-", "now",
                  "+-", "", "change");
    json_array_foreach(json_object_get(report, "workloads"), i, workload) {
        const json_t *before = counterpart(old, workload);
        if (before != NULL && json_is_object(json_object_get(workload, "plugin"))) {
            print_change(out, workload, before);
        }
    }
    json_array_foreach(json_object_get(report, "validation"), i, workload) {
        const json_t *before = json_array_get(json_object_get(old, "validation"), i);
        if (before != NULL) {
            (void)fprintf(out, "validation: %-28s%12s%12.0f %4s %11.0f %4s  %-9s%+8.1f%%\n",
                          report_text(workload, "payload"), "", report_number(before, "both_ns"), "",
                          report_number(workload, "both_ns"), "", "ns",
                          100 * (report_number(workload, "both_ns") / report_number(before, "both_ns") - 1));
        }
    }
}
