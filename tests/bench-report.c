/* SPDX-License-Identifier: MIT */
#include "bench-report.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench-contender.h"

static int compare_values(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int rounds_check(unsigned n_rounds, int n_arguments)
{
    if (n_arguments == 0 && n_rounds >= 1 && n_rounds <= ROUNDS_MAX)
        return 1;
    fprintf(stderr, "bench: --rounds wants a number from 1 to %u, and there are no arguments\n", ROUNDS_MAX);
    return -EINVAL;
}

Spread series_get_spread(const Series *series)
{
    double values[ROUNDS_MAX];
    size_t n = series->n;

    if (n == 0)
        return (Spread){ 0 };
    memcpy(values, series->values, n * sizeof(*values));
    qsort(values, n, sizeof(*values), compare_values);
    return (Spread){ (values[(n - 1) / 2] + values[n / 2]) / 2, values[0], values[n - 1], values[(n - 1) / 4],
                     values[n - 1 - (n - 1) / 4] };
}

void series_add(Series *series, double value)
{
    assert(series->n < ROUNDS_MAX);
    series->values[series->n++] = value;
}

void series_divide(const Series *series, const Series *by, Series *ratio)
{
    size_t i;

    for (i = 0; i < series->n && i < by->n; i++)
        series_add(ratio, series->values[i] / by->values[i]);
}

static bool is_within(const Limit *limit, const Series *series)
{
    double median = series_get_spread(series).median;

    return limit->is_minimum ? median >= limit->value : median <= limit->value;
}

/* ---- for people ---- */

static void print_spread(const Title *title, const Series *series)
{
    Spread spread = series_get_spread(series);
    int decimals = spread.median >= 1000 ? 0 : spread.median >= 10 ? 1 : 2;

    printf("  %-46s %9.*f %9.*f %9.*f  %s", title->label, decimals, spread.median, decimals, spread.min, decimals,
           spread.max, title->unit);
}

static void print_limit(const Limit *limit, const Series *series)
{
    int width = 5 - (int)strlen(limit->title.unit);

    print_spread(&limit->title, series);
    printf("%*s %s %-5g %s\n", width, "", limit->is_minimum ? ">=" : "<=", limit->value,
           is_within(limit, series) ? "within" : "MISSED");
}

static void print_heading(const char *heading)
{
    printf("\n%-48s %9s %9s %9s\n", heading, "median", "min", "max");
}

void report_print(const Report *report)
{
    size_t i;

    printf("A %zu-byte argument through one dbus-daemon, all on CPU %u, %zu rounds of %u calls and %u sends\n",
           PAYLOAD_SIZE, report->cpu, report->n_series > 0 ? report->series[0].n : 0, report->n_calls,
           report->n_sends);
    print_heading("Figures");
    for (i = 0; i < report->n_series; i++) {
        print_spread(&report->series[i].title, &report->series[i]);
        putchar('\n');
    }
    print_heading("Limits");
    for (i = 0; i < report->n_limits; i++)
        print_limit(&report->limits[i], &report->limited[i]);
    printf("\nCalls are compared with the faster way of bare sd-bus, here: %s.\n", report->faster);
}

/* ---- for machines ---- */

static json_t *spread_to_json(const Title *title, const Series *series)
{
    Spread spread = series_get_spread(series);

    return json_pack("{s:s, s:s, s:f, s:f, s:f}", "key", title->key, "unit", title->unit, "median", spread.median,
                     "min", spread.min, "max", spread.max);
}

static json_t *limit_to_json(const Limit *limit, const Series *series)
{
    json_t *json = spread_to_json(&limit->title, series);

    json_object_set_new(json, limit->is_minimum ? "at_least" : "at_most", json_real(limit->value));
    json_object_set_new(json, "within", json_boolean(is_within(limit, series)));
    return json;
}

int report_print_json(const Report *report)
{
    json_t *figures = json_array(), *limits = json_array(), *json;
    size_t i;
    int r;

    for (i = 0; i < report->n_series; i++)
        json_array_append_new(figures, spread_to_json(&report->series[i].title, &report->series[i]));
    for (i = 0; i < report->n_limits; i++)
        json_array_append_new(limits, limit_to_json(&report->limits[i], &report->limited[i]));
    json = json_pack("{s:i, s:i, s:i, s:i, s:i, s:s, s:o, s:o}", "payload", (int)PAYLOAD_SIZE, "cpu", report->cpu,
                     "rounds", report->n_series > 0 ? (int)report->series[0].n : 0, "calls", report->n_calls, "sends",
                     report->n_sends, "compared_with", report->faster, "figures", figures, "limits", limits);
    if (!json)
        return -ENOMEM;
    r = json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(json);
    return r < 0 ? -EIO : 0;
}
