/* SPDX-License-Identifier: MIT */

/*
 * The benchmark: what a message costs by the library, beside what it costs by sd-bus alone, over the same dbus-daemon.
 *
 * Everything runs on one CPU, so that the figures are the work that is done and not where the kernel puts whom. The
 * contenders take turns in every round, so that what disturbs the machine disturbs all of them, and a ratio is the
 * median of the rounds' ratios.
 *
 * A limit that is missed is reported, and no failure: a benchmark is not a test.
 */

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench-bus.h"
#include "bench-contender.h"
#include "bench-daemon.h"
#include "bench-report.h"
#include "macro.h"

#define N_CALLS 600u
#define N_SENDS 3000u
#define ROUNDS_DEFAULT 41u

typedef struct Measure {
    Contender *contender;
    Act act;
    unsigned n;
    Title title;
} Measure;

enum {
    BARE_CALL,
    BARE_INVOKE,
    IPCBUS_INVOKE,
    IPCBUS_SEND_SYNC,
    BARE_EVENT,
    IPCBUS_EVENT,
    BARE_SEND,
    IPCBUS_SEND,
    N_MEASURES,
    RESIDENT = N_MEASURES, /* measured once, without a contender */
    N_SERIES,
};

static Contender *const contenders[] = {
    &bare_contender, &ipcbus_contender, &bare_event_contender, &ipcbus_event_contender,
};

#define US "us"
#define RATE "/s"

static const Measure measures[N_MEASURES] = {
    [BARE_CALL] = { &bare_contender, ACT_CALL, N_CALLS, { "sd-bus-call", "sd-bus, blocking call", US } },
    [BARE_INVOKE] = { &bare_contender, ACT_INVOKE, N_CALLS, { "sd-bus-async", "sd-bus, call with callback", US } },
    [IPCBUS_INVOKE] = { &ipcbus_contender, ACT_INVOKE, N_CALLS, { "invoke", "ipcbus, invoke", US } },
    [IPCBUS_SEND_SYNC] = { &ipcbus_contender, ACT_CALL, N_CALLS, { "send-sync", "ipcbus, send_sync", US } },
    [BARE_EVENT] = { &bare_event_contender, ACT_INVOKE, N_CALLS,
                     { "sd-bus-async-event", "sd-bus, call with callback, in sd-event", US } },
    [IPCBUS_EVENT] = { &ipcbus_event_contender, ACT_INVOKE, N_CALLS,
                       { "invoke-event", "ipcbus, invoke, in sd-event", US } },
    [BARE_SEND] = { &bare_contender, ACT_SEND, N_SENDS, { "sd-bus-send", "sd-bus, call without answer", RATE } },
    [IPCBUS_SEND] = { &ipcbus_contender, ACT_SEND, N_SENDS, { "send", "ipcbus, send", RATE } },
};

typedef struct Options {
    unsigned n_rounds;
    bool is_json;
    const char *daemon; /* ipcbusd */
} Options;

/* ---- measuring ---- */

static int measure(const Measure *measure, double *ret_value)
{
    uint64_t nsec = 0;
    int r;

    r = contender_act(measure->contender, measure->act, measure->n, &nsec);
    if (r < 0)
        return r;
    *ret_value = measure->act == ACT_SEND ? measure->n * 1e9 / (double)nsec : (double)nsec / 1e3 / measure->n;
    return 0;
}

/* The first round is for warming up, and does not count. */
static int run_rounds(Series series[N_MEASURES], unsigned n_rounds)
{
    double value = 0;
    unsigned round, i;
    int r;

    for (i = 0; i < N_MEASURES; i++)
        series[i].title = measures[i].title;
    for (round = 0; round <= n_rounds; round++) {
        for (i = 0; i < N_MEASURES; i++) {
            r = measure(&measures[i], &value);
            if (r < 0) {
                fprintf(stderr, "bench: Failed to measure '%s': %s\n", measures[i].title.label, strerror(-r));
                return r;
            }
            if (round > 0)
                series_add(&series[i], value);
        }
    }
    return 0;
}

static int measure_contenders(const Bus *bus, Series series[N_MEASURES], unsigned n_rounds)
{
    size_t i;
    int r = 0;

    for (i = 0; i < ELEMENTSOF(contenders) && r >= 0; i++) {
        r = contender_start(contenders[i], bus->address);
        if (r < 0)
            fprintf(stderr, "bench: Failed to start '%s': %s\n", contenders[i]->bus_name, strerror(-r));
    }
    if (r >= 0)
        r = run_rounds(series, n_rounds);
    for (i = 0; i < ELEMENTSOF(contenders); i++)
        contender_stop(contenders[i]);
    return r;
}

/* ---- reporting ---- */

enum {
    INVOKE_RATIO,
    EVENT_RATIO,
    SEND_SYNC_RATIO,
    SEND_RATIO,
    AT_REST,
    PER_RENDERER,
    WAKE_UPS,
    RENDERER_WAKE_UPS,
    N_LIMITS,
};

static const Limit limits[N_LIMITS] = {
    [INVOKE_RATIO] = { { "invoke-ratio", "invoke, times sd-bus", "" }, 1.25, false },
    [EVENT_RATIO] = { { "invoke-event-ratio", "invoke in sd-event, times sd-bus in sd-event", "" }, 1.25, false },
    [SEND_SYNC_RATIO] = { { "send-sync-ratio", "send_sync, times sd-bus", "" }, 1.25, false },
    [SEND_RATIO] = { { "send-ratio", "rate of send, times sd-bus", "" }, 0.8, true },
    [AT_REST] = { { "rest-memory", "ipcbusd at rest, private memory", "MiB" }, 4, false },
    [PER_RENDERER] = { { "renderer-memory", "ipcbusd, more for each of 1000 renderers", "KiB" }, 4, false },
    [WAKE_UPS] = { { "idle-wake-ups", "ipcbusd, wake-ups in an idle second", "" }, 0, false },
    [RENDERER_WAKE_UPS] = { { "renderer-idle-wake-ups", "a renderer, the same", "" }, 0, false },
};

static const Title resident = { "rest-resident", "ipcbusd at rest, with what it shares", "MiB" };

static void judge(const Series series[N_SERIES], const Series *faster, const DaemonFigures *figures,
                  Series limited[N_LIMITS])
{
    series_divide(&series[IPCBUS_INVOKE], faster, &limited[INVOKE_RATIO]);
    series_divide(&series[IPCBUS_EVENT], &series[BARE_EVENT], &limited[EVENT_RATIO]);
    series_divide(&series[IPCBUS_SEND_SYNC], faster, &limited[SEND_SYNC_RATIO]);
    series_divide(&series[IPCBUS_SEND], &series[BARE_SEND], &limited[SEND_RATIO]);
    series_add(&limited[AT_REST], figures->bytes_at_rest / 1024 / 1024);
    series_add(&limited[PER_RENDERER], figures->bytes_per_renderer / 1024);
    series_add(&limited[WAKE_UPS], figures->wake_ups);
    series_add(&limited[RENDERER_WAKE_UPS], figures->renderer_wake_ups);
}

static int report(const Options *options, Series series[N_SERIES], const DaemonFigures *figures, unsigned cpu)
{
    static Series limited[N_LIMITS];
    const Series *call = &series[BARE_CALL], *async = &series[BARE_INVOKE];
    const Series *faster = series_get_spread(call).median < series_get_spread(async).median ? call : async;
    Report report = {
        .cpu = cpu,
        .n_calls = N_CALLS,
        .n_sends = N_SENDS,
        .faster = faster->title.label,
        .series = series,
        .n_series = N_SERIES,
        .limits = limits,
        .limited = limited,
        .n_limits = N_LIMITS,
    };

    series[RESIDENT].title = resident;
    series_add(&series[RESIDENT], figures->bytes_resident / 1024 / 1024);
    judge(series, faster, figures, limited);
    if (options->is_json)
        return report_print_json(&report);
    report_print(&report);
    return 0;
}

static int run(const Options *options)
{
    static Series series[N_SERIES];
    DaemonFigures figures = { 0 };
    Bus bus = { 0 };
    unsigned cpu = 0;
    int r;

    r = pin_to_cpu(&cpu);
    if (r >= 0)
        r = bus_start(&bus, "");
    if (r < 0) {
        fprintf(stderr, "bench: Failed to start dbus-daemon: %s\n", strerror(-r));
    } else {
        r = daemon_measure(bus.address, options->daemon, &figures);
        if (r < 0)
            fprintf(stderr, "bench: Failed to measure '%s': %s\n", options->daemon, strerror(-r));
    }
    if (r >= 0)
        r = measure_contenders(&bus, series, options->n_rounds);
    bus_stop(&bus);
    return r < 0 ? r : report(options, series, &figures, cpu);
}

/* ---- options ---- */

static void print_help(void)
{
    puts("Usage: bench [OPTION]...\n"
         "Measure ipcbus beside bare sd-bus, on a bus of its own.\n"
         "\n"
         "  --rounds=N         measure each thing N times (default: 41)\n"
         "  --daemon=PROGRAM   the ipcbusd to measure (default: that of the build tree)\n"
         "  --json             print JSON\n"
         "  -h, --help         print this help and exit");
}

static const struct option long_options[] = {
    { "rounds", required_argument, NULL, 'r' },
    { "daemon", required_argument, NULL, 'd' },
    { "json", no_argument, NULL, 'j' },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

/* 0: all is done; negative: usage. */
static int parse(Options *options, int argc, char *argv[])
{
    int option;

    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
        switch (option) {
        case 'r':
            options->n_rounds = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'd':
            options->daemon = optarg;
            break;
        case 'j':
            options->is_json = true;
            break;
        case 'h':
            print_help();
            return 0;
        default:
            return -EINVAL;
        }
    }
    return rounds_check(options->n_rounds, argc - optind);
}

int main(int argc, char *argv[])
{
    Options options = { .n_rounds = ROUNDS_DEFAULT, .daemon = daemon_get_program() };
    int r;

    r = parse(&options, argc, argv);
    if (r <= 0)
        return r < 0 ? 2 : 0;
    return run(&options) < 0;
}
