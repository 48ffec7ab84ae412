/* SPDX-License-Identifier: MIT */
#pragma once

/* A histogram: how long things took, in fixed memory, with percentiles that are right to a few per cent. */

#include <stdint.h>

#define HISTOGRAM_STEP_BITS 5u /* each power of two is cut into 32 steps: a step is at most 1/32 of its value wide */
#define HISTOGRAM_STEPS (1u << HISTOGRAM_STEP_BITS)
#define HISTOGRAM_VALUE_BITS 40u /* a longer time is taken for the longest: 18 minutes of nsec */
#define HISTOGRAM_BUCKETS ((HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS)

typedef struct Histogram {
    uint64_t n;
    uint64_t min; /* of nothing: 0 */
    uint64_t max;
    uint32_t counts[HISTOGRAM_BUCKETS];
} Histogram;

void histogram_add(Histogram *histogram, uint64_t value);

/* What was added counts half as much from here on; min and max stay. */
void histogram_fade(Histogram *histogram);

/* The value that `percent` of all values do not exceed; of nothing, 0. */
uint64_t histogram_get_percentile(const Histogram *histogram, double percent);
