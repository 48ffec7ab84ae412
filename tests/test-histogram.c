/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <stdint.h>

#include "histogram.h"

/* Percentiles out of fixed memory. */

/* ---- verbs ---- */

static void add(Histogram *histogram, uint64_t value, unsigned times)
{
    while (times-- > 0)
        histogram_add(histogram, value);
}

static void assert_percentile(const Histogram *histogram, double percent, uint64_t expected)
{
    uint64_t value = histogram_get_percentile(histogram, percent), tolerance = expected / 32;

    g_assert_cmpuint(value, >=, expected - tolerance);
    g_assert_cmpuint(value, <=, expected + tolerance);
}

/* ---- stories ---- */

static void test_nothing(void)
{
    Histogram histogram = { 0 };

    g_assert_cmpuint(histogram_get_percentile(&histogram, 50), ==, 0);
    g_assert_cmpuint(histogram_get_percentile(&histogram, 100), ==, 0);
    g_assert_cmpuint(histogram.min, ==, 0);
    g_assert_cmpuint(histogram.max, ==, 0);
}

/* One value is told exactly, whatever its bucket: it is the least and the greatest. */
static void test_one(void)
{
    const uint64_t values[] = { 0, 1, 31, 32, 33, 63, 64, 1000003, (UINT64_C(1) << 40) - 1, UINT64_C(1) << 40, UINT64_MAX };

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        Histogram histogram = { 0 };

        histogram_add(&histogram, values[i]);
        g_assert_cmpuint(histogram_get_percentile(&histogram, 0), ==, values[i]);
        g_assert_cmpuint(histogram_get_percentile(&histogram, 50), ==, values[i]);
        g_assert_cmpuint(histogram_get_percentile(&histogram, 100), ==, values[i]);
    }
}

/* Small values have a bucket each. */
static void test_small(void)
{
    Histogram histogram = { 0 };

    for (uint64_t value = 1; value <= 50; value++)
        histogram_add(&histogram, value);
    for (uint64_t value = 1; value <= 50; value++)
        g_assert_cmpuint(histogram_get_percentile(&histogram, 2 * (double)value), ==, value);
}

static void test_uniform(void)
{
    Histogram histogram = { 0 };

    for (uint64_t value = 1; value <= 100000; value++)
        histogram_add(&histogram, value * 1000);
    assert_percentile(&histogram, 1, 1000 * 1000);
    assert_percentile(&histogram, 50, 50 * 1000 * 1000);
    assert_percentile(&histogram, 99, 99 * 1000 * 1000);
    g_assert_cmpuint(histogram.n, ==, 100000);
    g_assert_cmpuint(histogram.min, ==, 1000);
    g_assert_cmpuint(histogram.max, ==, 100000 * 1000);
}

/* A percentile is a value that so many do not exceed: the tail shows where it begins, and not before. */
static void test_tail(void)
{
    Histogram histogram = { 0 };

    add(&histogram, 100, 99);
    add(&histogram, 1000000, 1);
    assert_percentile(&histogram, 99, 100);
    assert_percentile(&histogram, 99.5, 1000000);
    g_assert_cmpuint(histogram_get_percentile(&histogram, 100), ==, 1000000);
}

/* Every value is near enough to the middle of its bucket, over the whole range. */
static void test_precision(void)
{
    for (uint64_t value = 1; value < UINT64_C(1) << 40; value += value / 7 + 1) {
        Histogram histogram = { 0 };

        add(&histogram, value, 3);
        add(&histogram, value / 2, 1);
        add(&histogram, value * 2, 1);
        assert_percentile(&histogram, 50, value);
    }
}

/* What is beyond the range counts with the longest, and loses nobody. */
static void test_beyond(void)
{
    Histogram histogram = { 0 };

    add(&histogram, UINT64_MAX, 10);
    add(&histogram, 5, 1);
    g_assert_cmpuint(histogram_get_percentile(&histogram, 50), >=, (UINT64_C(1) << 40) / 33 * 32);
    g_assert_cmpuint(histogram.max, ==, UINT64_MAX);
    g_assert_cmpuint(histogram.n, ==, 11);
}

/* What was there before counts for less and less. */
static void test_fade(void)
{
    Histogram histogram = { 0 };

    add(&histogram, 1000, 1000);
    add(&histogram, 10, 1);
    histogram_fade(&histogram);
    g_assert_cmpuint(histogram.n, ==, 500);
    g_assert_cmpuint(histogram.min, ==, 10);
    g_assert_cmpuint(histogram.max, ==, 1000);
    add(&histogram, 50, 501);
    assert_percentile(&histogram, 50, 50);
    assert_percentile(&histogram, 99, 1000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/histogram/nothing", test_nothing);
    g_test_add_func("/histogram/one", test_one);
    g_test_add_func("/histogram/small", test_small);
    g_test_add_func("/histogram/uniform", test_uniform);
    g_test_add_func("/histogram/tail", test_tail);
    g_test_add_func("/histogram/precision", test_precision);
    g_test_add_func("/histogram/beyond", test_beyond);
    g_test_add_func("/histogram/fade", test_fade);
    return g_test_run();
}
