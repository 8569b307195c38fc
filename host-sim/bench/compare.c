/* compare.c: two reports side by side. */
#include <math.h>
#include <string.h>

#include "bench/report.h"

/* With fewer runs the quartiles say nothing, and neither does their distance. */
enum { RUNS_MIN = 3 };

/* What makes a row of one report the same as one of another: its name, and the store it was measured on. */
static bool is_same(const json_t *row, const json_t *other) {
    static const char *const SAME[] = {"name", "size", "body", "payload"};
    bool same = true;
    for (size_t i = 0; i < sizeof SAME / sizeof SAME[0]; i++) {
        const json_t *value = json_object_get(row, SAME[i]);
        same = same && (value == json_object_get(other, SAME[i]) || json_equal(value, json_object_get(other, SAME[i])));
    }
    return same;
}

/* Was it measured? A build may lack what a workload is about. */
static bool has_figures(const json_t *row) {
    return json_is_object(json_object_get(row, "plugin")) || json_is_number(json_object_get(row, "both_ns"));
}

/* The same row of another report; NULL: it has none. */
static const json_t *counterpart(const json_t *report, const char *list, const json_t *row) {
    const json_t *each = NULL;
    size_t i = 0;
    json_array_foreach(json_object_get(report, list), i, each) {
        if (has_figures(each) && is_same(each, row)) {
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

/* The figures of a workload, or of the validation of a payload, as report_compare() wants them. */
static json_t *figures_of(const json_t *row) {
    const json_t *plugin = json_object_get(row, "plugin");
    if (plugin != NULL) {
        return json_pack("{s: f, s: f}", "median", report_number(plugin, "median"), "spread",
                         report_number(plugin, "spread"));
    }
    return json_pack("{s: f, s: f}", "median", report_number(row, "both_ns"), "spread",
                     report_number(row, "both_spread"));
}

static bool has_spread(const json_t *row) {
    return json_is_object(json_object_get(row, "plugin")) || json_is_number(json_object_get(row, "both_spread"));
}

static void print_change(FILE *out, const json_t *row, const json_t *old, bool enough_runs) {
    json_auto_t *before = figures_of(old);
    json_auto_t *after = figures_of(row);
    bool is_validation = !json_is_object(json_object_get(row, "plugin"));
    bool lower = is_validation || json_is_true(json_object_get(row, "lower_is_better"));
    struct report_change change = report_compare(before, after, lower);
    char size[REPORT_CELL] = "";
    char body[REPORT_CELL] = "";
    char title[64];
    char medians[2][REPORT_CELL];
    if (!is_validation) {
        report_format_size(json_integer_value(json_object_get(row, "size")), size);
        (void)snprintf(body, sizeof body, "%.0f", report_number(row, "body"));
    }
    (void)snprintf(title, sizeof title, "%s%s", is_validation ? "validation: " : "",
                   report_text(row, is_validation ? "payload" : "title"));
    report_format(report_number(before, "median"), medians[0]);
    report_format(report_number(after, "median"), medians[1]);
    (void)fprintf(out, "%-40s%6s %5s%12s %3.0f%% %11s %3.0f%%  %-9s", title, size, body, medians[0],
                  100 * report_number(before, "spread"), medians[1], 100 * report_number(after, "spread"),
                  is_validation ? "ns" : report_text(row, "unit"));
    (void)(report_number(before, "median") > 0 ? fprintf(out, "%+8.1f%%  ", change.percent)
                                               : fprintf(out, "%9s  ", "-"));
    (void)fputs(!enough_runs || !has_spread(row) || !has_spread(old) ? "no verdict"
                : !change.is_beyond_spread                           ? "within the spread"
                : change.is_better                                   ? "better"
                                                                     : "worse",
                out);
    if (!is_validation && json_is_number(json_object_get(row, "ratio")) &&
        json_is_number(json_object_get(old, "ratio"))) {
        (void)fprintf(out, "; ratio %.2f to %.2f", report_number(old, "ratio"), report_number(row, "ratio"));
    }
    (void)fputc('\n', out);
}

/* One line on what makes the figures differ whatever the builds do. */
static void print_options(FILE *out, const json_t *old, const json_t *report, bool enough_runs) {
    const json_t *before = json_object_get(old, "options");
    const json_t *now = json_object_get(report, "options");
    bool was_quick = json_is_true(json_object_get(before, "quick"));
    bool is_quick = json_is_true(json_object_get(now, "quick"));
    if (report_number(before, "runs") != report_number(now, "runs") || was_quick != is_quick) {
        (void)fprintf(out, "measured differently: --runs %.0f%s before, --runs %.0f%s now\n",
                      report_number(before, "runs"), was_quick ? " --quick" : "", report_number(now, "runs"),
                      is_quick ? " --quick" : "");
    }
    if (!enough_runs) {
        (void)fprintf(out, "no verdict on fewer than %d runs: how far they differ is not known\n", (int)RUNS_MIN);
    }
}

/* The rows of a report that the other has not, on one line. */
static void print_unmatched(FILE *out, const char *where, const json_t *report, const json_t *other) {
    static const char *const LISTS[] = {"workloads", "validation"};
    const char *separator = "";
    for (size_t list = 0; list < sizeof LISTS / sizeof LISTS[0]; list++) {
        const json_t *row = NULL;
        size_t i = 0;
        json_array_foreach(json_object_get(report, LISTS[list]), i, row) {
            if (!has_figures(row) || counterpart(other, LISTS[list], row) != NULL) {
                continue;
            }
            (void)fputs(separator[0] != '\0' ? separator : where, out);
            separator = "; ";
            if (list == 0) {
                char size[REPORT_CELL];
                report_format_size(json_integer_value(json_object_get(row, "size")), size);
                (void)fprintf(out, "%s, %s events of %.0f", report_text(row, "title"), size,
                              report_number(row, "body"));
            } else {
                (void)fprintf(out, "validation: %s", report_text(row, "payload"));
            }
        }
    }
    (void)fputs(separator[0] != '\0' ? "\n" : "", out);
}

void report_print_comparison(FILE *out, const json_t *old, const json_t *report) {
    static const char *const LISTS[] = {"workloads", "validation"};
    bool enough_runs = report_number(json_object_get(old, "options"), "runs") >= RUNS_MIN &&
                       report_number(json_object_get(report, "options"), "runs") >= RUNS_MIN;
    (void)fprintf(out, "before: build %s, on %s\nnow:    build %s, on %s\n",
                  report_text(json_object_get(old, "plugin"), "build_id"),
                  report_text(json_object_get(old, "machine"), "cpu"),
                  report_text(json_object_get(report, "plugin"), "build_id"),
                  report_text(json_object_get(report, "machine"), "cpu"));
    print_options(out, old, report, enough_runs);
    (void)fprintf(out, "\n%-40s%6s %5s%12s %4s %11s %4s  %-9s%9s\n", "workload", "events", "bytes", "before", "+-",
                  "now", "+-", "", "change");
    for (size_t list = 0; list < sizeof LISTS / sizeof LISTS[0]; list++) {
        const json_t *row = NULL;
        size_t i = 0;
        json_array_foreach(json_object_get(report, LISTS[list]), i, row) {
            const json_t *before = counterpart(old, LISTS[list], row);
            if (before != NULL && has_figures(row)) {
                print_change(out, row, before, enough_runs);
            }
        }
    }
    print_unmatched(out, "not measured now: ", old, report);
    print_unmatched(out, "not measured before: ", report, old);
}
