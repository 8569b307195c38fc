/* arithmetic_test.c: medians, spreads and histograms say what was measured. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bench/histogram.h"
#include "bench/page.h"
#include "bench/report.h"
#include "bench/request.h"
#include "bench/series.h"
#include "bench/targets.h"

/* ---- series ---- */

static struct bench_series series_of(uint32_t count, const double *rates) {
    struct bench_series series = {.count = count};
    for (uint32_t i = 0; i < count; i++) {
        series.figures[i] = rates[i];
    }
    return series;
}

Test(bench_series, median_of_an_odd_number_of_runs_is_the_middle_one) {
    struct bench_series series = series_of(5, (const double[]){50, 10, 40, 20, 30});
    cr_expect_float_eq(bench_median(&series), 30, 1e-9);
    cr_expect_float_eq(bench_smallest(&series), 10, 1e-9);
}

Test(bench_series, median_of_an_even_number_of_runs_lies_between_the_middle_two) {
    struct bench_series series = series_of(4, (const double[]){40, 10, 20, 30});
    cr_expect_float_eq(bench_median(&series), 25, 1e-9);
}

Test(bench_series, spread_is_half_the_distance_of_the_quartiles_as_a_part_of_the_median) {
    struct bench_series series = series_of(5, (const double[]){10, 20, 30, 40, 50});
    cr_expect_float_eq(bench_spread(&series), 10.0 / 30.0, 1e-9);
}

Test(bench_series, series_without_runs_has_no_median_and_no_spread) {
    struct bench_series series = {0};
    cr_expect_float_eq(bench_median(&series), 0, 1e-9);
    cr_expect_float_eq(bench_spread(&series), 0, 1e-9);
}

/* ---- histograms ---- */

static void done(struct histogram **histogram) {
    free(*histogram);
}
#define HISTOGRAM __attribute__((cleanup(done))) struct histogram *

Test(bench_histogram, every_value_lies_in_its_bucket_and_buckets_are_never_wider_than_a_thousandth) {
    size_t last = 0;
    for (int64_t value = 0; value < HISTOGRAM_VALUE_MAX; value += 1 + value / 700) {
        size_t bucket = histogram_bucket(value);
        int64_t end = histogram_bucket_end(bucket);
        cr_assert(bucket >= last && bucket < HISTOGRAM_SIZE, "%lld", (long long)value);
        cr_assert(end >= value && end - value <= value / 1000, "%lld is in a bucket to %lld", (long long)value,
                  (long long)end);
        cr_assert_eq(histogram_bucket(end), bucket);
        cr_assert_eq(histogram_bucket(end + 1), bucket + 1);
        last = bucket;
    }
    cr_expect_eq(histogram_bucket(HISTOGRAM_VALUE_MAX), (size_t)HISTOGRAM_SIZE - 1);
    cr_expect_eq(histogram_bucket_end(HISTOGRAM_SIZE - 1), HISTOGRAM_VALUE_MAX);
}

Test(bench_histogram, small_values_are_exact) {
    HISTOGRAM histogram = calloc(1, sizeof *histogram);
    for (int64_t value = 1; value <= 1000; value++) {
        histogram_record(histogram, value);
    }
    cr_expect_eq(histogram_count(histogram), 1000u);
    cr_expect_eq(histogram_quantile(histogram, 0), 1);
    cr_expect_eq(histogram_quantile(histogram, 0.5), 500);
    cr_expect_eq(histogram_quantile(histogram, 0.99), 990);
    cr_expect_eq(histogram_quantile(histogram, 0.999), 999);
    cr_expect_eq(histogram_quantile(histogram, 1), 1000);
    cr_expect_eq(histogram_max(histogram), 1000);
}

Test(bench_histogram, large_values_are_right_to_three_digits_and_the_maximum_exact) {
    HISTOGRAM histogram = calloc(1, sizeof *histogram);
    for (int64_t i = 1; i <= 100000; i++) {
        histogram_record(histogram, i * 12345);
    }
    static const double PARTS[] = {0.5, 0.9, 0.99, 0.999, 0.9999};
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        double wanted = PARTS[i] * 100000 * 12345;
        double given = (double)histogram_quantile(histogram, PARTS[i]);
        cr_expect(given >= wanted && given <= wanted * 1.001, "%g: %g, not %g", PARTS[i], given, wanted);
    }
    cr_expect_eq(histogram_quantile(histogram, 1), INT64_C(100000) * 12345);
}

Test(bench_histogram, what_is_out_of_range_counts_as_the_nearest_value) {
    HISTOGRAM histogram = calloc(1, sizeof *histogram);
    histogram_record(histogram, -5);
    histogram_record(histogram, INT64_MAX);
    cr_expect_eq(histogram_count(histogram), 2u);
    cr_expect_eq(histogram_quantile(histogram, 0.5), 0);
    cr_expect_eq(histogram_max(histogram), HISTOGRAM_VALUE_MAX);
}

Test(bench_histogram, empty_one_has_zeroes_and_a_sum_has_both) {
    HISTOGRAM one = calloc(1, sizeof *one);
    HISTOGRAM other = calloc(1, sizeof *other);
    cr_expect_eq(histogram_count(one), 0u);
    cr_expect_eq(histogram_quantile(one, 0.99), 0);
    histogram_record(one, 10);
    histogram_record(other, 5000000);
    histogram_add(one, other);
    cr_expect_eq(histogram_count(one), 2u);
    cr_expect_eq(histogram_quantile(one, 0.5), 10);
    cr_expect_eq(histogram_max(one), 5000000);
}

/* ---- requests, replies, numbers ---- */

Test(bench_request, number_and_text_are_found_at_the_end_of_a_reply) {
    /* {"events": [], "count": 300, "more": false, "cursor": "abc", "last_id": 7} */
    static const char REPLY[] = "\x85\xa6"
                                "events\x90\xa5"
                                "count\xcd\x01\x2c\xa4more\xc2\xa6"
                                "cursor\xa3"
                                "abc\xa7last_id\x07";
    struct reply reply = {.data = (uint8_t *)(uintptr_t)REPLY, .size = sizeof REPLY - 1};
    uint64_t number = 0;
    polaris_bytes text = {0};
    cr_assert(reply_number(&reply, "count", &number));
    cr_expect_eq(number, 300u);
    cr_assert(reply_number(&reply, "last_id", &number));
    cr_expect_eq(number, 7u);
    cr_assert(reply_text(&reply, "cursor", &text));
    cr_expect(text.size == 3 && memcmp(text.data, "abc", 3) == 0);
    cr_expect_not(reply_number(&reply, "nothing", &number));
    cr_expect_not(reply_number(&reply, "more", &number));
    reply.size = sizeof REPLY - 2;
    cr_expect_not(reply_number(&reply, "last_id", &number));
}

Test(bench_report, numbers_have_three_digits_that_matter) {
    static const struct {
        double value;
        const char *text;
    } CASES[] = {{0, "0"},       {0.0123, "0.012"}, {0.9996, "1.00"},  {1.234, "1.23"},       {12.34, "12.3"},
                 {99.96, "100"}, {999.4, "999"},    {1234.5, "1,234"}, {1234567, "1,234,567"}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char text[24];
        report_format(CASES[i].value, text);
        cr_expect_str_eq(text, CASES[i].text);
    }
}

static struct report_change change_of(double before, double after, double spread, bool lower_is_better) {
    json_auto_t *old = json_pack("{s: f, s: f}", "median", before, "spread", spread);
    json_auto_t *now = json_pack("{s: f, s: f}", "median", after, "spread", spread);
    return report_compare(old, now, lower_is_better);
}

Test(bench_report, change_is_told_in_percent_and_held_against_both_spreads) {
    struct report_change change = change_of(200, 250, 0.12, false);
    cr_expect_float_eq(change.percent, 25, 1e-9);
    cr_expect(change.is_beyond_spread && change.is_better);
    change = change_of(200, 250, 0.13, true);
    cr_expect(!change.is_beyond_spread && !change.is_better);
    change = change_of(200, 100, 0.1, true);
    cr_expect_float_eq(change.percent, -50, 1e-9);
    cr_expect(change.is_beyond_spread && change.is_better);
    change = change_of(0, 3, 0.1, true); /* wake-ups, where there were none */
    cr_expect(change.is_beyond_spread && !change.is_better);
}

/* ---- targets ---- */

/* An entry of "workloads". */
static json_t *workload_of(const char *name, int size, double median, double ratio) {
    return json_pack("{s: s, s: i, s: i, s: b, s: b, s: {s: f, s: n}, s: f}", "name", name, "size", size, "body", 200,
                     "lower_is_better", strncmp(name, "page", 4) == 0, "unsupported", 0, "plugin", "median", median,
                     "details", "ratio", ratio);
}

static const json_t *target_of(const json_t *targets, const char *begin) {
    const json_t *each = NULL;
    size_t i = 0;
    json_array_foreach(targets, i, each) {
        if (strncmp(json_string_value(json_object_get(each, "target")), begin, strlen(begin)) == 0) {
            return each;
        }
    }
    cr_assert_fail("there is no target '%s'", begin);
    return NULL;
}

static void expect_target(const json_t *targets, const char *begin, double reached, bool holds) {
    const json_t *target = target_of(targets, begin);
    cr_expect_float_eq(json_number_value(json_object_get(target, "reached")), reached, 1e-9, "%s", begin);
    cr_expect_eq(json_is_true(json_object_get(target, "holds")), holds, "%s", begin);
}

Test(bench_targets, figures_of_the_usual_size_are_held_against_limits) {
    json_auto_t *report = json_pack(
        "{s: [o, o, o, o, o], s: []}", "workloads", workload_of("append_1", 10000, 500, 2),
        workload_of("append_1", 100000, 1000, 0.94), workload_of("append_1", 1000000, 900, 3),
        workload_of("append_threads_64", 100000, 15000, 12), workload_of("page_tag", 10000, 300, 1.31), "validation");
    json_auto_t *targets = targets_json(report);
    expect_target(targets, "single append", 0.94, false);
    expect_target(targets, "64 threads", 15, true);
    expect_target(targets, "page of 100 by tag", 1.31, false);
    cr_expect(json_is_null(json_object_get(target_of(targets, "1,000"), "holds")));
    cr_expect(json_is_null(json_object_get(target_of(targets, "resident memory appending"), "reached")));
}

Test(bench_targets, growth_is_that_of_the_worst_workload_and_needs_all_of_them) {
    static const char *const NAMES[] = {"append_1",       "append_1000",   "append_threads_64",
                                        "submit_1024",    "append_schema", "page_stream",
                                        "page_type_time", "page_tag",      "read_all"};
    enum { COUNT = sizeof NAMES / sizeof NAMES[0] };
    json_auto_t *report = json_pack("{s: [], s: []}", "workloads", "validation");
    json_t *workloads = json_object_get(report, "workloads");
    for (size_t i = 0; i < COUNT; i++) {
        bool is_page = strncmp(NAMES[i], "page", 4) == 0;
        json_array_append_new(workloads, workload_of(NAMES[i], 100000, 100, 1));
        json_array_append_new(workloads, workload_of(NAMES[i], 10000000, is_page ? 120 : 80, 1));
    }
    json_auto_t *targets = targets_json(report);
    expect_target(targets, "any of these", 1.25, true);
    json_array_remove(workloads, 2 * COUNT - 1);
    json_auto_t *fewer = targets_json(report);
    cr_expect(json_is_null(json_object_get(target_of(fewer, "any of these"), "holds")));
}
