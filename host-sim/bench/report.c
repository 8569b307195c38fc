/* report.c: the report as tables of text. */
#include "bench/report.h"

#include <math.h>
#include <string.h>

double report_number(const json_t *object, const char *name) {
    return json_number_value(json_object_get(object, name));
}

const char *report_text(const json_t *object, const char *name) {
    const char *value = json_string_value(json_object_get(object, name));
    return value != NULL ? value : "?";
}

/* Three digits, more only before the point; thousands are set off. */
void report_format(double value, char ret_text[REPORT_CELL]) {
    if (value >= 99.95 || value == 0) {
        char digits[24];
        int size = snprintf(digits, sizeof digits, "%.0f", value);
        int written = 0;
        for (int i = 0; i < size && written < REPORT_CELL - 2; i++) {
            ret_text[written++] = digits[i];
            if ((size - i) % 3 == 1 && i + 1 < size) {
                ret_text[written++] = ',';
            }
        }
        ret_text[written] = '\0';
    } else {
        (void)snprintf(ret_text, REPORT_CELL, value >= 9.995 ? "%.1f" : value >= 0.9995 ? "%.2f" : "%.3f", value);
    }
}

void report_format_size(json_int_t size, char ret_text[REPORT_CELL]) {
    if (size % 1000000 == 0) {
        (void)snprintf(ret_text, REPORT_CELL, "%" JSON_INTEGER_FORMAT "M", size / 1000000);
    } else if (size % 1000 == 0) {
        (void)snprintf(ret_text, REPORT_CELL, "%" JSON_INTEGER_FORMAT "k", size / 1000);
    } else {
        (void)snprintf(ret_text, REPORT_CELL, "%" JSON_INTEGER_FORMAT, size);
    }
}

/* Pads by what is seen, as some signs are more than a byte. */
static void print_cell(FILE *out, const char *value, int width) {
    int seen = 0;
    for (const char *at = value; *at != '\0'; at++) {
        seen += ((unsigned char)*at & 0xc0) != 0x80;
    }
    int pad = (width < 0 ? -width : width) - seen;
    (void)fprintf(out, "%*s%s%*s", width > 0 && pad > 0 ? pad : 0, "", value, width < 0 && pad > 0 ? pad : 0, "");
}

static void print_number(FILE *out, const json_t *value, int width) {
    char cell[REPORT_CELL] = "-";
    if (json_is_integer(value) && json_integer_value(value) < 100) {
        (void)snprintf(cell, sizeof cell, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_number(value)) {
        report_format(json_number_value(value), cell);
    }
    print_cell(out, cell, width);
}

/* ---- workloads ---- */

static void print_party(FILE *out, const json_t *workload, const json_t *party, bool is_first) {
    const json_t *latency = json_object_get(party, "latency_us");
    print_cell(out, is_first ? report_text(workload, "title") : "", -40);
    print_cell(out, report_text(party, "name"), -18);
    print_number(out, json_object_get(party, "median"), 10);
    (void)fprintf(out, " %3.0f%%  ", 100 * report_number(party, "spread"));
    print_cell(out, report_text(workload, "unit"), -9);
    if (is_first && json_is_number(json_object_get(workload, "ratio"))) {
        (void)fprintf(out, "%7.2f %3.0f%%", report_number(workload, "ratio"),
                      100 * report_number(workload, "ratio_spread"));
    } else {
        (void)fprintf(out, "%12s", "");
    }
    static const char *const PARTS[] = {"p50", "p99", "p999", "max"};
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        print_number(out, json_object_get(latency, PARTS[i]), 9);
    }
    print_number(out, json_object_get(party, "fsyncs"), 8);
    print_number(out, json_object_get(party, "commits"), 8);
    print_number(out, json_object_get(party, "events_per_commit"), 8);
    print_number(out, json_object_get(party, "resident_mib"), 8);
    (void)fputc('\n', out);
}

static void print_workload(FILE *out, const json_t *workload) {
    if (json_is_true(json_object_get(workload, "unsupported"))) {
        print_cell(out, report_text(workload, "title"), -40);
        (void)fputs("unsupported\n", out);
        return;
    }
    print_party(out, workload, json_object_get(workload, "plugin"), true);
    if (json_is_object(json_object_get(workload, "reference"))) {
        print_party(out, workload, json_object_get(workload, "reference"), false);
    }
}

static void print_store(FILE *out, const json_t *report, const json_t *store) {
    char size[REPORT_CELL];
    char data[REPORT_CELL];
    char disk[REPORT_CELL];
    report_format_size(json_integer_value(json_object_get(store, "size")), size);
    report_format(report_number(store, "data_bytes_per_event"), data);
    report_format(report_number(store, "disk_bytes_per_event"), disk);
    (void)fprintf(out, "\nA store of %s events of %s bytes (%s bytes on disk per event)\n\n", size, data, disk);
    (void)fprintf(out, "%-40s%-18s%10s %4s  %-9s%7s %4s%9s%9s%9s%9s%8s%8s%8s%8s\n", "workload", "", "median", "\u00b1 ",
                  "", "ratio", "\u00b1 ", "p50 us", "p99 us", "p99.9 us", "max us", "fsyncs", "commits", "ev/comm",
                  "RSS MiB");
    const json_t *workload = NULL;
    size_t i = 0;
    json_array_foreach(json_object_get(report, "workloads"), i, workload) {
        if (json_equal(json_object_get(workload, "size"), json_object_get(store, "size")) &&
            json_equal(json_object_get(workload, "body"), json_object_get(store, "body"))) {
            print_workload(out, workload);
        }
    }
}

/* ---- the rest ---- */

static void print_validation(FILE *out, const json_t *cases) {
    const json_t *each = NULL;
    size_t i = 0;
    (void)fprintf(out, "\n%-20s %6s %8s %10s %14s %8s %13s %6s %7s\n", "validation", "bytes", "tape ns", "tape MB/s",
                  "evaluation ns", "both ns", "msgpack-c ns", "ratio", "spread");
    json_array_foreach(cases, i, each) {
        (void)fprintf(out, "%-20s %6.0f %8.0f %10.0f %14.0f %8.0f %13.0f %6.2f %6.0f%%\n", report_text(each, "payload"),
                      report_number(each, "bytes"), report_number(each, "tape_ns"), report_number(each, "tape_mb_s"),
                      report_number(each, "evaluate_ns"), report_number(each, "both_ns"),
                      report_number(each, "msgpack_c_ns"), report_number(each, "ratio"),
                      100 * report_number(each, "spread"));
    }
}

static void print_targets(FILE *out, const json_t *targets) {
    const json_t *each = NULL;
    size_t i = 0;
    (void)fprintf(out, "\n%-66s %12s  holds\n", "target", "reached");
    json_array_foreach(targets, i, each) {
        const json_t *holds = json_object_get(each, "holds");
        print_cell(out, report_text(each, "target"), -66);
        print_number(out, json_object_get(each, "reached"), 13);
        (void)fprintf(out, " %s  %s\n", json_is_null(holds) ? " " : report_text(each, "unit"),
                      json_is_null(holds)   ? "not measured"
                      : json_is_true(holds) ? "yes"
                                            : "no");
    }
}

static void print_machine(FILE *out, const json_t *report) {
    const json_t *machine = json_object_get(report, "machine");
    const json_t *options = json_object_get(report, "options");
    (void)fprintf(out, "%s, %.0f cores, Linux %s, SQLite %s; plugin %s, build %s; %.0f runs%s\n",
                  report_text(machine, "cpu"), report_number(machine, "cores"), report_text(machine, "kernel"),
                  report_text(machine, "sqlite"), report_text(json_object_get(report, "plugin"), "version"),
                  report_text(json_object_get(report, "plugin"), "build_id"), report_number(options, "runs"),
                  json_is_true(json_object_get(options, "quick")) ? ", quick: too short to rely on" : "");
}

void report_print(FILE *out, const json_t *report) {
    const json_t *store = NULL;
    size_t i = 0;
    print_machine(out, report);
    json_array_foreach(json_object_get(report, "stores"), i, store) {
        print_store(out, report, store);
    }
    if (json_array_size(json_object_get(report, "validation")) > 0) {
        print_validation(out, json_object_get(report, "validation"));
    }
    print_targets(out, json_object_get(report, "targets"));
}
