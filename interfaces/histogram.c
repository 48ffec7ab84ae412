/* SPDX-License-Identifier: MIT */
#include "histogram.h"

/*
 * Log-linear buckets: small values have one each, and from there on every power of two is cut into equal steps. So a
 * bucket is found by shifting, and is never wider than 1/32 of what it counts.
 */

static unsigned bucket_of(uint64_t value)
{
    unsigned shift;

    if (value < HISTOGRAM_STEPS)
        return (unsigned)value;
    if (value >> HISTOGRAM_VALUE_BITS)
        return HISTOGRAM_BUCKETS - 1;
    shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    return (shift << HISTOGRAM_STEP_BITS) + (unsigned)(value >> shift);
}

/* The value in the middle. */
static uint64_t value_of(unsigned bucket)
{
    unsigned shift;

    if (bucket < 2 * HISTOGRAM_STEPS)
        return bucket;
    shift = (bucket >> HISTOGRAM_STEP_BITS) - 1;
    return ((uint64_t)(bucket - (shift << HISTOGRAM_STEP_BITS)) << shift) + ((uint64_t)1 << (shift - 1));
}

void histogram_add(Histogram *histogram, uint64_t value)
{
    if (histogram->n == 0 || value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
    histogram->n++;
    histogram->counts[bucket_of(value)]++;
}

void histogram_fade(Histogram *histogram)
{
    unsigned bucket;

    histogram->n = 0;
    for (bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        histogram->counts[bucket] /= 2;
        histogram->n += histogram->counts[bucket];
    }
}

uint64_t histogram_get_percentile(const Histogram *histogram, double percent)
{
    double rank = (double)histogram->n * percent / 100;
    uint64_t n = 0, value;
    unsigned bucket = 0;

    if (histogram->n == 0)
        return 0;
    while (bucket < HISTOGRAM_BUCKETS - 1 && (double)(n += histogram->counts[bucket]) < rank)
        bucket++;
    value = value_of(bucket);
    /* The ends are known better than their buckets tell. */
    if (value < histogram->min)
        return histogram->min;
    return value > histogram->max ? histogram->max : value;
}
