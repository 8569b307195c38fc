/* histogram.c: buckets of a thousandth. */
#include "bench/histogram.h"

#include <math.h>

size_t histogram_bucket(int64_t value) {
    uint64_t v = value < 0 ? 0 : value > HISTOGRAM_VALUE_MAX ? (uint64_t)HISTOGRAM_VALUE_MAX : (uint64_t)value;
    if (v < 2 * HISTOGRAM_HALF) {
        return v;
    }
    unsigned shift = 63u - (unsigned)__builtin_clzll(v) - 10u; /* so that v >> shift lies in [1024, 2047] */
    return (size_t)(shift + 1) * HISTOGRAM_HALF + ((v >> shift) - HISTOGRAM_HALF);
}

int64_t histogram_bucket_end(size_t bucket) {
    if (bucket < (size_t)2 * HISTOGRAM_HALF) {
        return (int64_t)bucket;
    }
    unsigned shift = (unsigned)(bucket / HISTOGRAM_HALF) - 1;
    int64_t place = (int64_t)(bucket % HISTOGRAM_HALF) + HISTOGRAM_HALF;
    return ((place + 1) << shift) - 1;
}

static void raise_max(struct histogram *histogram, int64_t value) {
    int64_t max = atomic_load_explicit(&histogram->max, memory_order_relaxed);
    while (value > max && !atomic_compare_exchange_weak(&histogram->max, &max, value)) {
    }
}

void histogram_record(struct histogram *histogram, int64_t value) {
    atomic_fetch_add_explicit(&histogram->counts[histogram_bucket(value)], 1, memory_order_relaxed);
    raise_max(histogram, value > HISTOGRAM_VALUE_MAX ? HISTOGRAM_VALUE_MAX : value);
}

uint64_t histogram_count(const struct histogram *histogram) {
    uint64_t count = 0;
    for (size_t i = 0; i < HISTOGRAM_SIZE; i++) {
        count += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    }
    return count;
}

int64_t histogram_max(const struct histogram *histogram) {
    return atomic_load(&histogram->max);
}

int64_t histogram_quantile(const struct histogram *histogram, double part) {
    uint64_t count = histogram_count(histogram);
    int64_t max = histogram_max(histogram);
    uint64_t wanted = (uint64_t)ceil(part * (double)count);
    wanted = wanted < 1 ? 1 : wanted;
    uint64_t seen = 0;
    for (size_t i = 0; count > 0 && i < HISTOGRAM_SIZE; i++) {
        seen += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        if (seen >= wanted) {
            int64_t end = histogram_bucket_end(i);
            return end < max ? end : max;
        }
    }
    return max;
}

void histogram_add(struct histogram *histogram, const struct histogram *other) {
    for (size_t i = 0; i < HISTOGRAM_SIZE; i++) {
        uint32_t count = atomic_load_explicit(&other->counts[i], memory_order_relaxed);
        if (count > 0) {
            atomic_fetch_add_explicit(&histogram->counts[i], count, memory_order_relaxed);
        }
    }
    raise_max(histogram, histogram_max(other));
}
