/* report.c: results as JSON and as JUnit XML. */
#include "check/report.h"

#include <string.h>

#include "owned.h"
#include "text.h"

const char *check_verdict_name(enum verdict verdict) {
    return verdict == VERDICT_PASSED ? "passed" : verdict == VERDICT_SKIPPED ? "skipped" : "FAILED";
}

size_t check_report_count(const struct check_report *report, enum verdict verdict) {
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++) {
        count += report->results[i].verdict == verdict ? 1 : 0;
    }
    return count;
}

/* ---- JSON ---- */

json_t *check_text_json(const char *text) {
    CLEANUP(freep) char *good = strdup(text);
    if (good == NULL) {
        return NULL;
    }
    text_make_good(good, TEXT_KEEPS_CONTROLS);
    return json_string(good);
}

json_t *check_report_json(const struct check_report *report) {
    json_t *checks = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct check_result *result = &report->results[i];
        const char *verdict = result->verdict == VERDICT_FAILED ? "failed" : check_verdict_name(result->verdict);
        json_t *one =
            json_pack("{s: s, s: s, s: s, s: I, s: o*}", "name", result->check->name, "promise", result->check->summary,
                      "verdict", verdict, "elapsed_us", (json_int_t)result->elapsed_us, "reason",
                      result->reason[0] != '\0' ? check_text_json(result->reason) : NULL);
        if (json_array_append_new(checks, one) != 0) {
            json_decref(checks);
            return NULL;
        }
    }
    const struct check_build *build = report->build;
    return json_pack("{s: {s: o, s: o, s: o, s: o, s: s, s: I, s: I}, s: I, s: I, s: I, s: I, s: o}", "build", "path",
                     check_text_json(build->path), "name", check_text_json(build->name), "version",
                     check_text_json(build->version), "build_id", check_text_json(build->build_id), "sha256",
                     build->sha256, "abi_major", (json_int_t)build->major, "abi_minor", (json_int_t)build->minor,
                     "passed", (json_int_t)check_report_count(report, VERDICT_PASSED), "failed",
                     (json_int_t)check_report_count(report, VERDICT_FAILED), "skipped",
                     (json_int_t)check_report_count(report, VERDICT_SKIPPED), "elapsed_us",
                     (json_int_t)report->elapsed_us, "checks", checks);
}

/* ---- JUnit XML ---- */

/* U+FFFE and U+FFFF, which are no characters of XML. */
static bool is_no_character(const unsigned char *at) {
    return at[0] == 0xEF && at[1] == 0xBF && at[2] >= 0xBE;
}

/* Text of an attribute: XML allows neither control characters, however they are written, nor what is no UTF-8. */
static void put_text(FILE *out, const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    while (*at != '\0') {
        size_t size = text_character_size(at);
        const char *entity = *at == '&'                                                     ? "&amp;"
                             : *at == '<'                                                   ? "&lt;"
                             : *at == '>'                                                   ? "&gt;"
                             : *at == '"'                                                   ? "&quot;"
                             : *at < ' ' || *at == 0x7F || size == 0 || is_no_character(at) ? "?"
                                                                                            : NULL;
        if (entity != NULL) {
            (void)fputs(entity, out);
        } else {
            (void)fwrite(at, size, 1, out);
        }
        at += size > 0 ? size : 1;
    }
}

static void put_attribute(FILE *out, const char *name, const char *text) {
    (void)fprintf(out, " %s=\"", name);
    put_text(out, text);
    (void)fputc('"', out);
}

static size_t group_size(const struct check_result *result) {
    return strcspn(result->check->name, "/");
}

static bool same_group(const struct check_result *one, const struct check_result *other) {
    size_t size = group_size(one);
    return size == group_size(other) && strncmp(one->check->name, other->check->name, size) == 0;
}

static void put_counts(FILE *out, const struct check_report *part) {
    int64_t elapsed_us = 0;
    for (size_t i = 0; i < part->count; i++) {
        elapsed_us += part->results[i].elapsed_us;
    }
    (void)fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.6f\"", part->count,
                  check_report_count(part, VERDICT_FAILED), check_report_count(part, VERDICT_SKIPPED),
                  (double)elapsed_us / 1e6);
}

static void put_case(FILE *out, const struct check_result *result, const char *group) {
    (void)fputs("    <testcase", out);
    put_attribute(out, "classname", group);
    put_attribute(out, "name", result->check->name + strlen(group) + 1);
    (void)fprintf(out, " time=\"%.6f\"", (double)result->elapsed_us / 1e6);
    if (result->verdict == VERDICT_PASSED) {
        (void)fputs("/>\n", out);
        return;
    }
    (void)fputs(result->verdict == VERDICT_SKIPPED ? ">\n      <skipped" : ">\n      <failure", out);
    put_attribute(out, "message", result->reason);
    (void)fputs("/>\n    </testcase>\n", out);
}

bool check_report_junit(const struct check_report *report, FILE *out) {
    (void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
    put_attribute(out, "name", "polaris-host-sim check");
    put_counts(out, report);
    (void)fputs(">\n", out);
    for (size_t begin = 0, end; begin < report->count; begin = end) {
        for (end = begin + 1; end < report->count && same_group(&report->results[begin], &report->results[end]);) {
            end++;
        }
        char group[64];
        (void)snprintf(group, sizeof group, "%.*s", (int)group_size(&report->results[begin]),
                       report->results[begin].check->name);
        const struct check_report part = {.results = report->results + begin, .count = end - begin};
        (void)fputs("  <testsuite", out);
        put_attribute(out, "name", group);
        put_counts(out, &part);
        (void)fputs(">\n    <properties><property name=\"build\"", out);
        put_attribute(out, "value", report->build->build_id);
        (void)fputs("/></properties>\n", out);
        for (size_t i = begin; i < end; i++) {
            put_case(out, &report->results[i], group);
        }
        (void)fputs("  </testsuite>\n", out);
    }
    (void)fputs("</testsuites>\n", out);
    return ferror(out) == 0;
}
