/* SPDX-License-Identifier: MIT */

/*
 * The benchmark of lanes and ports: what a message costs by them, beside what it costs on a bare socket, and by sd-bus
 * with a socket of its own and no bus daemon between. As in bench.c all run on one CPU, the contenders take turns, and
 * a ratio is the median of the rounds' ratios.
 *
 * What limits the ratios that are missed, on a virtual machine of two cores (EPYC, Linux 6.18):
 *
 * - Texts. What one process alone spends on a memfd that it fills, seals, maps and drops is all that a lane spends:
 *   the ratio of the two is 1. Of 1 MiB, that is 420 us: 300 us to write 256 pages, of which the copy is a fifth and
 *   the rest is to find, charge and index each page; 115 us to free them; 10 us each for all else. sd-bus takes nine
 *   times as long, so no lane can be ten times as fast. Huge pages would help, and are off where the administrator
 *   has not turned them on for shared memory. A text that goes on as it came costs nothing more, and one of its own
 *   the same again.
 *
 * - One-way messages. A message is a packet, and two system calls: send() 1.1 us, recvmsg() 1.1 us, mostly to make,
 *   charge and free what the kernel keeps it in. That alone is 2.1 to 2.4 times the rate of sd-bus, and leaves 0.2 to
 *   0.4 us for JSON and dispatch at both ends together. Reading eight packets by one recvmmsg() gains 5 %. Writing 32
 *   by one sendmmsg() would gain as much as 10 %, but a message would then wait for the next one, or for the loop: it
 *   leaves at once instead, since whoever sends may be busy for long.
 */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench-bus.h"
#include "bench-lane.h"
#include "bench-pair.h"
#include "bench-report.h"
#include "macro.h"

#define ROUNDS 31u
#define POOL_MAX (ROUNDS * SAMPLES_MAX)

typedef struct Row {
    Contender *contender;
    Act act;
    unsigned n;
    Title title;
} Row;

enum {
    RAW_CALL,
    BARE_CALL,
    LANE_INVOKE,
    LANE_SEND_SYNC,
    PORT_PING,
    RAW_SEND,
    BARE_SEND,
    LANE_SEND,
    BARE_TEXT,
    FILE_TEXT,
    LANE_TEXT,
    LANE_BACK,
    LANE_OTHER,
    BARE_LARGE,
    FILE_LARGE,
    LANE_LARGE,
    PLAIN_FILE,
    LANE_FILE,
    N_ROWS,
};

#define N_CALLS 1000u
#define N_SENDS 500u
#define BURSTS 11u

static const Row rows[N_ROWS] = {
    [RAW_CALL] = { &raw_contender, ACT_CALL, N_CALLS, { "raw", "a socket, there and back", "us" } },
    [BARE_CALL] = { &pair_contender, ACT_CALL, N_CALLS, { "sd-bus", "sd-bus on a socket, call", "us" } },
    [LANE_INVOKE] = { &lane_contender, ACT_INVOKE, N_CALLS, { "lane-invoke", "lane, invoke", "us" } },
    [LANE_SEND_SYNC] = { &lane_contender, ACT_CALL, N_CALLS, { "lane-send-sync", "lane, send_sync", "us" } },
    [PORT_PING] = { &port_contender, ACT_CALL, N_CALLS, { "port", "port, there and back", "us" } },
    [RAW_SEND] = { &raw_contender, ACT_SEND, N_SENDS, { "raw-send", "a socket, one way", "/s" } },
    [BARE_SEND] = { &pair_contender, ACT_SEND, N_SENDS, { "sd-bus-send", "sd-bus on a socket, without answer", "/s" } },
    [LANE_SEND] = { &lane_contender, ACT_SEND, N_SENDS, { "lane-send", "lane, send", "/s" } },
    [BARE_TEXT] = { &pair_contender, ACT_TEXT, 8, { "sd-bus-1M", "sd-bus on a socket, call with 1 MiB", "us" } },
    [FILE_TEXT] = { &file_contender, ACT_TEXT, 8, { "memfd-1M", "1 MiB made, sealed, mapped in one process", "us" } },
    [LANE_TEXT] = { &lane_contender, ACT_TEXT, 8, { "lane-1M", "lane, invoke with 1 MiB of text", "us" } },
    [LANE_BACK] = { &lane_contender, ACT_BACK, 8, { "lane-back-1M", "the same, which comes back as it went", "us" } },
    [LANE_OTHER] = { &lane_contender, ACT_OTHER, 8, { "lane-other-1M", "the same, another 1 MiB comes back", "us" } },
    [BARE_LARGE] = { &pair_contender, ACT_LARGE, 1, { "sd-bus-16M", "sd-bus on a socket, call with 16 MiB", "us" } },
    [FILE_LARGE] = { &file_contender, ACT_LARGE, 1,
                     { "memfd-16M", "16 MiB made, sealed, mapped in one process", "us" } },
    [LANE_LARGE] = { &lane_contender, ACT_LARGE, 1, { "lane-16M", "lane, invoke with 16 MiB of text", "us" } },
    [PLAIN_FILE] = { &file_contender, ACT_FILE, 1, { "memfd-64M", "64 MiB made, mapped, read in one process", "us" } },
    [LANE_FILE] = { &lane_contender, ACT_FILE, 1, { "lane-file-64M", "lane, 64 MiB as a file, there and read", "us" } },
};

/* A limit of 0 is none: what one contender without the library does beside another tells what could be had. */
typedef struct Ratio {
    unsigned of;
    unsigned to;
    Limit limit;
} Ratio;

static const Ratio ratios[] = {
    { LANE_INVOKE, BARE_CALL, { { "invoke-sd-bus", "lane invoke, times sd-bus", "" }, 0.9, false } },
    { LANE_INVOKE, RAW_CALL, { { "invoke-raw", "lane invoke, times a socket", "" }, 2.2, false } },
    { LANE_SEND_SYNC, BARE_CALL, { { "send-sync-sd-bus", "lane send_sync, times sd-bus", "" }, 0.9, false } },
    { LANE_SEND_SYNC, RAW_CALL, { { "send-sync-raw", "lane send_sync, times a socket", "" }, 2.2, false } },
    { PORT_PING, RAW_CALL, { { "port-raw", "port, times a socket", "" }, 1.9, false } },
    { LANE_SEND, BARE_SEND, { { "send-sd-bus", "rate of lane send, times sd-bus", "" }, 2.0, true } },
    { RAW_SEND, BARE_SEND, { { "raw-send-sd-bus", "rate of a socket, times sd-bus", "" }, 0, true } },
    { BARE_TEXT, LANE_TEXT, { { "text-1M", "1 MiB of text, times as fast as sd-bus", "" }, 10, true } },
    { BARE_LARGE, LANE_LARGE, { { "text-16M", "16 MiB of text, times as fast as sd-bus", "" }, 10, true } },
    { BARE_TEXT, FILE_TEXT, { { "memfd-1M", "1 MiB in one process, times as fast as sd-bus", "" }, 0, true } },
    { BARE_LARGE, FILE_LARGE, { { "memfd-16M", "16 MiB in one process, times as fast as sd-bus", "" }, 0, true } },
    { LANE_TEXT, FILE_TEXT, { { "text-1M-memfd", "1 MiB of text, times within one process", "" }, 1.3, false } },
    { LANE_LARGE, FILE_LARGE, { { "text-16M-memfd", "16 MiB of text, times within one process", "" }, 1.3, false } },
    { LANE_FILE, PLAIN_FILE, { { "file-64M", "64 MiB as a file, times within one process", "" }, 1.3, false } },
};

/* ---- measuring ---- */

static Series series[N_ROWS], limited[ELEMENTSOF(ratios)];
static unsigned *pools[N_ROWS]; /* nsec of single acts, of all rounds */
static size_t n_pooled[N_ROWS];

static int compare(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    return (x > y) - (x < y);
}

/* The value of a round is the median of its acts: who else takes the CPU for a while has no say. */
static double round_value(unsigned row)
{
    Tally *tally = rows[row].contender->tally;

    qsort(tally->samples, tally->n_samples, sizeof(unsigned), compare);
    return tally->samples[tally->n_samples / 2] / 1e3;
}

static void pool(unsigned row)
{
    const Tally *tally = rows[row].contender->tally;

    memcpy(pools[row] + n_pooled[row], tally->samples, tally->n_samples * sizeof(unsigned));
    n_pooled[row] += tally->n_samples;
}

/* Sends have no end that one could time, so the value is the median of some runs. */
static int measure_sends(unsigned row, double *ret_rate)
{
    unsigned nsecs[BURSTS], i;
    uint64_t nsec;
    int r;

    for (i = 0; i < BURSTS; i++) {
        r = contender_act(rows[row].contender, ACT_SEND, rows[row].n, &nsec);
        if (r < 0)
            return r;
        nsecs[i] = (unsigned)nsec;
    }
    qsort(nsecs, BURSTS, sizeof(unsigned), compare);
    *ret_rate = rows[row].n * 1e9 / nsecs[BURSTS / 2];
    return 0;
}

static int measure(unsigned row, unsigned round)
{
    bool is_rate = rows[row].act == ACT_SEND;
    uint64_t nsec;
    double rate = 0;
    int r;

    r = is_rate ? measure_sends(row, &rate)
                : contender_act(rows[row].contender, rows[row].act, rows[row].n, &nsec);
    if (r < 0) {
        fprintf(stderr, "bench: Failed to measure '%s': %s\n", rows[row].title.label, strerror(-r));
        return r;
    }
    if (round == 0)
        return 0; /* for warming up */
    series_add(&series[row], is_rate ? rate : round_value(row));
    if (!is_rate)
        pool(row);
    return 0;
}

static int run_rounds(void)
{
    unsigned round, row;
    int r = 0;

    for (round = 0; round <= ROUNDS && r >= 0; round++)
        for (row = 0; row < N_ROWS && r >= 0; row++)
            r = measure(row, round);
    return r;
}

static int measure_all(const char *address)
{
    static Contender *const contenders[] = { &raw_contender, &pair_contender, &port_contender, &lane_contender,
                                            &file_contender };
    size_t i;
    int r;

    for (i = 0; i < N_ROWS; i++) {
        series[i].title = rows[i].title;
        pools[i] = malloc(POOL_MAX * sizeof(unsigned));
        if (!pools[i])
            return -ENOMEM;
    }
    r = pair_prepare(PAYLOAD_SIZE);
    if (r >= 0)
        r = port_prepare();
    for (i = 0; i < ELEMENTSOF(contenders) && r >= 0; i++) {
        r = contender_start(contenders[i], address);
        if (r < 0)
            fprintf(stderr, "bench: Failed to start '%s': %s\n", contenders[i]->bus_name, strerror(-r));
    }
    if (r >= 0)
        r = run_rounds();
    for (i = 0; i < ELEMENTSOF(contenders); i++)
        contender_stop(contenders[i]);
    return r;
}

/* ---- reporting ---- */

/* us; 0 where single acts are not timed. */
static double percentile(unsigned row, unsigned percent)
{
    size_t n = n_pooled[row];

    if (n == 0)
        return 0;
    qsort(pools[row], n, sizeof(unsigned), compare);
    return pools[row][(n - 1) * percent / 100] / 1e3;
}

static bool is_within(const Limit *limit, double value)
{
    return limit->is_minimum ? value >= limit->value : value <= limit->value;
}

static void print_report(unsigned cpu)
{
    unsigned i;

    printf("\nWithout a bus daemon, a %zu-byte argument, all on CPU %u, %u rounds\n", PAYLOAD_SIZE, cpu, ROUNDS);
    printf("\n%-48s %9s %9s\n", "Figures", "median", "p99");
    for (i = 0; i < N_ROWS; i++)
        printf("  %-46s %9.1f %9.1f  %s\n", rows[i].title.label, series_get_spread(&series[i]).median,
               percentile(i, 99), rows[i].title.unit);
    printf("\n%-48s %9s %9s %9s\n", "Limits", "median", "min", "max");
    for (i = 0; i < ELEMENTSOF(ratios); i++) {
        Spread spread = series_get_spread(&limited[i]);

        printf("  %-46s %9.2f %9.2f %9.2f", ratios[i].limit.title.label, spread.median, spread.min, spread.max);
        if (ratios[i].limit.value > 0)
            printf("  %s %-5g %s", ratios[i].limit.is_minimum ? ">=" : "<=", ratios[i].limit.value,
                   is_within(&ratios[i].limit, spread.median) ? "within" : "MISSED");
        putchar('\n');
    }
}

static int print_json(unsigned cpu)
{
    json_t *figures = json_array(), *limits = json_array(), *json;
    unsigned i;
    int r;

    for (i = 0; i < N_ROWS; i++)
        json_array_append_new(figures, json_pack("{s:s, s:s, s:f, s:f}", "key", rows[i].title.key, "unit",
                                                 rows[i].title.unit, "median", series_get_spread(&series[i]).median,
                                                 "p99", percentile(i, 99)));
    for (i = 0; i < ELEMENTSOF(ratios); i++) {
        double median = series_get_spread(&limited[i]).median;

        json_array_append_new(limits, json_pack("{s:s, s:f, s:f, s:b}", "key", ratios[i].limit.title.key, "median",
                                                median, ratios[i].limit.is_minimum ? "at_least" : "at_most",
                                                ratios[i].limit.value, "within",
                                                is_within(&ratios[i].limit, median)));
    }
    json = json_pack("{s:i, s:i, s:o, s:o}", "cpu", (int)cpu, "rounds", (int)ROUNDS, "figures", figures, "limits",
                     limits);
    if (!json)
        return -ENOMEM;
    r = json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(json);
    return r < 0 ? -EIO : 0;
}

int main(int argc, char *argv[])
{
    bool is_json = argc == 2 && strcmp(argv[1], "--json") == 0;
    Bus bus = { 0 };
    unsigned cpu = 0, i;
    int r;

    if (argc > 1 && !is_json) {
        fprintf(stderr, "Usage: bench-lanes [--json]\n");
        return 2;
    }
    r = pin_to_cpu(&cpu);
    if (r >= 0)
        r = bus_start(&bus, "");
    if (r >= 0)
        r = measure_all(bus.address);
    bus_stop(&bus);
    if (r < 0)
        return 1;
    for (i = 0; i < ELEMENTSOF(ratios); i++)
        series_divide(&series[ratios[i].of], &series[ratios[i].to], &limited[i]);
    if (is_json)
        return print_json(cpu) < 0;
    print_report(cpu);
    return 0;
}
