/* SPDX-License-Identifier: MIT */
#pragma once

/* The report: figures with their spread, their ratios, and whether these are within the limits. */

#include <stdbool.h>
#include <stddef.h>

#define ROUNDS_MAX 101u

/* Of the command line: 1 if it makes sense, else -EINVAL, and it is said what does not. */
int rounds_check(unsigned n_rounds, int n_arguments);

typedef struct Title {
    const char *key;   /* in JSON */
    const char *label; /* in tables */
    const char *unit;
} Title;

/* What was measured again and again; the nth values of all series are of the same round. */
typedef struct Series {
    Title title;
    double values[ROUNDS_MAX];
    size_t n;
} Series;

typedef struct Spread {
    double median;
    double min;
    double max;
    double low, high; /* between them lies the middle half */
} Spread;

Spread series_get_spread(const Series *series);

void series_add(Series *series, double value);

/* The ratio round by round: what slows a whole round down, slows down both. */
void series_divide(const Series *series, const Series *by, Series *ratio);

typedef struct Limit {
    Title title;
    double value;
    bool is_minimum; /* the least that is allowed; else the most */
} Limit;

typedef struct Report {
    unsigned cpu;
    unsigned n_calls;
    unsigned n_sends;
    const char *faster; /* of the bare calls: the one that calls are compared with */
    const Series *series;
    size_t n_series;
    const Limit *limits;
    const Series *limited; /* what each limit is for */
    size_t n_limits;
} Report;

void report_print(const Report *report);
int report_print_json(const Report *report);
