/* histogram.h: how long calls took: a log-linear histogram of nanoseconds in fixed memory, exact to three significant
 * digits from 1 ns to more than an hour, after Gil Tene's HDR histogram (hdrhistogram.org).
 *
 * Values below 2048 have a bucket each; above, every power of two is cut into 1024 equal buckets, so that a bucket is
 * never wider than a thousandth of its values. */
#ifndef POLARIS_BENCH_HISTOGRAM_H
#define POLARIS_BENCH_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_HALF = 1024, /* buckets of one power of two */
    HISTOGRAM_SHIFT_MAX = 31,
    HISTOGRAM_SIZE = (HISTOGRAM_SHIFT_MAX + 2) * HISTOGRAM_HALF
};
#define HISTOGRAM_VALUE_MAX ((INT64_C(2048) << HISTOGRAM_SHIFT_MAX) - 1)

/* Zeroed is empty. */
struct histogram {
    _Atomic uint32_t counts[HISTOGRAM_SIZE];
    _Atomic int64_t max; /* exact */
};

/* From any thread. A negative value counts as 0, one above HISTOGRAM_VALUE_MAX as that. */
void histogram_record(struct histogram *histogram, int64_t value);

/* The others are for when nobody records. */
uint64_t histogram_count(const struct histogram *histogram);
int64_t histogram_max(const struct histogram *histogram);
/* The value that this part of what was recorded does not exceed: the upper end of its bucket, never above the maximum.
 * 0 when empty. */
int64_t histogram_quantile(const struct histogram *histogram, double part);
void histogram_add(struct histogram *histogram, const struct histogram *other);

/* The bucket of a value, and the highest value in it. */
size_t histogram_bucket(int64_t value);
int64_t histogram_bucket_end(size_t bucket);

#endif
