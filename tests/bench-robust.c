/* SPDX-License-Identifier: MIT */

/*
 * What an innocent client notices of others: its latency and rate while a renderer is stopped and main sends it a
 * million messages, and while ten callers flood main with invokes whose answers they never read. On buses with the
 * limits of a session, of a system, and small ones, and on dbus-broker.
 *
 * A figure is to be read beside the one that was measured undisturbed, a moment before, on the same bus; and what
 * floods by the bus beside what a service of plain sd-bus makes of the same, and beside what the bus itself, asked by
 * the same innocent client, takes for an answer: a bus daemon is one thread that serves its connections in turn, and no
 * service can make it faster than that.
 *
 * Processes run where the kernel puts them.
 */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench-bus.h"
#include "bench-contender.h"
#include "bench-robust.h"
#include "ipc-renderer.h"
#include "macro.h"

#define N_FLOODERS 10u
#define NICENESS 15 /* of the flooders: what they take from others shall be their place on the bus, not the processor */

/* Those of other users may come, too. */
#define ALL_USERS "<policy context='mandatory'><allow user='*'/></policy>"
#define LIMITS_SMALL ALL_USERS "<limit name='max_incoming_bytes'>10000000</limit><limit name='max_outgoing_bytes'>10000000</limit>"
#define LIMITS_SYSTEM ALL_USERS                                                                                       \
    "<limit name='max_incoming_bytes'>133169152</limit><limit name='max_outgoing_bytes'>133169152</limit>" \
    "<limit name='max_replies_per_connection'>128</limit>"

Robust *robust;

/* ---- what there is ---- */

typedef struct Disturbance {
    const char *key;
    const char *label;
    ChildRun run;
    unsigned n;
    bool is_stopped; /* else it floods */
    ChildRun serve;
    Innocent innocents[N_INNOCENTS];
    unsigned n_innocents;
} Disturbance;

#define OURS { INNOCENT_RENDERER, INNOCENT_MANY, INNOCENT_LANE, INNOCENT_BUS }, 4

static const Disturbance disturbances[] = {
    { "stopped", "one stopped", robust_read, 1, true, robust_serve, OURS },
    { "stopped-lane", "one stopped on a lane", robust_read_lane, 1, true, robust_serve, OURS },
    { "flood", "ten flood", robust_flood, N_FLOODERS, false, robust_serve, OURS },
    { "flood-lane", "ten flood by lanes", robust_flood_lane, N_FLOODERS, false, robust_serve, OURS },
    { "bare", "ten flood plain sd-bus", robust_flood, N_FLOODERS, false, robust_serve_bare,
      { INNOCENT_BARE, INNOCENT_BUS }, 2 },
};

typedef struct BusKind {
    const char *label;
    const char *limits;
    bool is_broker;
} BusKind;

static const BusKind buses[] = {
    { "small", LIMITS_SMALL, false },
    { "session", ALL_USERS, false },
    { "system", LIMITS_SYSTEM, false },
    { "broker", ALL_USERS, true },
};

static const char *const innocent_labels[N_INNOCENTS] = {
    [INNOCENT_RENDERER] = "one call at a time",
    [INNOCENT_MANY] = "100 calls at a time",
    [INNOCENT_LANE] = "by a lane",
    [INNOCENT_BARE] = "plain sd-bus",
    [INNOCENT_BUS] = "asks the bus only",
};

typedef struct RobustScene {
    const Disturbance *disturbance;
    Bus bus;
    Bus broker;
    Child service;
    Child innocents[N_INNOCENTS];
    Child others[N_FLOODERS];
    Figures quiet[N_INNOCENTS];
} RobustScene;

/* ---- measuring ---- */

static int measure(const Child *innocent, Figures *ret_figures)
{
    int r, go = 1;

    r = child_write(innocent->control, &go, sizeof(go));
    if (r >= 0)
        r = child_read(innocent->control, ret_figures, sizeof(*ret_figures));
    return r < 0 ? r : ret_figures->r;
}

static void print_figures(const char *when, Innocent innocent, const Figures *figures, const Figures *quiet)
{
    printf("  %-22s %-20s %8.0f /s", when, innocent_labels[innocent], figures->rate);
    if (figures->p50 > 0)
        printf(" %8.0f us %8.0f us %9.0f us", figures->p50, figures->p99, figures->worst);
    else
        printf(" %37s", "");
    if (quiet)
        printf("   rate x %.3f", figures->rate / quiet->rate);
    if (quiet && quiet->p99 > 0)
        printf(", p99 x %.2f", figures->p99 / quiet->p99);
    if (figures->n_failed > 0)
        printf(", %u FAILED", figures->n_failed);
    printf("\n");
}

static int measure_all(RobustScene *scene, bool is_quiet)
{
    const Disturbance *disturbance = scene->disturbance;
    Figures figures;
    unsigned i;
    int r = 0;

    for (i = 0; i < disturbance->n_innocents && r >= 0; i++) {
        Innocent innocent = disturbance->innocents[i];

        /* The first time is for warming up. */
        if (is_quiet)
            r = measure(&scene->innocents[innocent], &figures);
        if (r >= 0)
            r = measure(&scene->innocents[innocent], &figures);
        if (r < 0)
            return r;
        if (is_quiet)
            scene->quiet[innocent] = figures;
        print_figures(is_quiet ? "undisturbed" : disturbance->label, innocent, &figures,
                      is_quiet ? NULL : &scene->quiet[innocent]);
    }
    return r;
}

static double peak_memory(pid_t pid)
{
    char path[64], line[256];
    double kilobytes = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "VmHWM: %lf", &kilobytes) == 1)
            break;
    if (file)
        fclose(file);
    return kilobytes / 1024;
}

static void print_memory(const RobustScene *scene)
{
    pid_t pid = scene->broker.daemon.pid > 0 ? scene->broker.daemon.pid : scene->bus.daemon.pid;

    printf("  peak memory of the service %.0f MiB, of the bus %.0f MiB\n", peak_memory(scene->service.pid),
           peak_memory(pid));
}

/* ---- one stopped ---- */

static int open_renderer(ipc_renderer **ret_renderer)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    int r;

    r = bus_open(robust->address, &bus);
    return r < 0 ? r : ipc_renderer_new(ret_renderer, bus, ROBUST_NAME);
}

/* How many are left to send, were accepted, and were refused. */
static int ask_count(ipc_renderer *renderer, unsigned *ret_left, unsigned *ret_accepted, unsigned *ret_refused)
{
    json_auto_t *counts = NULL;
    int r;

    r = ipc_renderer_send_syncf(renderer, "count", &counts, NULL, NULL);
    if (r < 0)
        return r;
    return json_unpack(counts, "[iii]", ret_left, ret_accepted, ret_refused) < 0 ? -EPROTO : 0;
}

static int await_blast(ipc_renderer *renderer, unsigned *ret_accepted, unsigned *ret_refused)
{
    unsigned left = 1;
    int r = 0;

    while (r >= 0 && left > 0) {
        r = ask_count(renderer, &left, ret_accepted, ret_refused);
        usleep(10000);
    }
    return r;
}

static int print_queued(const Reading *reading)
{
    _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
    char path[64];
    uint64_t n;
    int r;

    snprintf(path, sizeof(path), "%s/%u", IPC_WEB_CONTENTS_PATH, reading->id);
    r = bus_open(robust->address, &bus);
    if (r >= 0)
        r = sd_bus_get_property_trivial(bus, ROBUST_NAME, path, IPC_WEB_CONTENTS_INTERFACE, "BytesQueued", NULL, 't',
                                        &n);
    if (r >= 0)
        printf("  BytesQueued of the one that is stopped: %.1f MiB\n", (double)n / 1024 / 1024);
    return r;
}

static int wake_up(const Child *child, unsigned n_accepted)
{
    Reading reading;
    int r;

    kill(child->pid, SIGCONT);
    r = child_write(child->control, &n_accepted, sizeof(n_accepted));
    if (r >= 0)
        r = child_read(child->control, &reading, sizeof(reading));
    if (r >= 0)
        printf("  after waking it has read %u, %u of them out of order\n", reading.n, reading.n_disorders);
    return r;
}

static int stop_other(RobustScene *scene, Reading *reading)
{
    Child *other = &scene->others[0];
    int r;

    r = child_start(other, scene->disturbance->run, NULL);
    if (r >= 0)
        r = child_read(other->control, reading, sizeof(*reading));
    if (r < 0)
        return r;
    kill(other->pid, SIGSTOP);
    waitpid(other->pid, NULL, WUNTRACED);
    return 0;
}

static int run_stopped(RobustScene *scene)
{
    _cleanup_(ipc_renderer_unrefp) ipc_renderer *renderer = NULL;
    unsigned n_accepted = 0, n_refused = 0;
    Reading reading = { 0 };
    int r;

    r = open_renderer(&renderer);
    if (r >= 0)
        r = stop_other(scene, &reading);
    if (r >= 0)
        r = ipc_renderer_send_syncf(renderer, "blast", NULL, NULL, "i", reading.id);
    if (r >= 0)
        r = measure_all(scene, false);
    if (r >= 0)
        r = await_blast(renderer, &n_accepted, &n_refused);
    if (r >= 0)
        r = print_queued(&reading);
    if (r < 0)
        return r;
    printf("  of %u messages %u were accepted, %u refused\n", ROBUST_N_BLAST, n_accepted, n_refused);
    print_memory(scene);
    return wake_up(&scene->others[0], n_accepted);
}

/* ---- ten flood ---- */

static int run_flooded(RobustScene *scene)
{
    uint64_t begin = now_nsec();
    unsigned i;
    int r = 0;

    robust->n_flooded = 0;
    for (i = 0; i < N_FLOODERS && r >= 0; i++)
        r = child_start(&scene->others[i], scene->disturbance->run, NULL);
    if (r >= 0)
        r = measure_all(scene, false);
    if (r < 0)
        return r;
    printf("  they wrote %.0f calls a second\n", (double)robust->n_flooded * 1e9 / (double)(now_nsec() - begin));
    print_memory(scene);
    return 0;
}

/* ---- scenes ---- */

static void scene_stop(RobustScene *scene)
{
    size_t i;

    for (i = 0; i < N_FLOODERS; i++)
        child_stop(&scene->others[i]);
    for (i = 0; i < N_INNOCENTS; i++)
        child_stop(&scene->innocents[i]);
    child_stop(&scene->service);
    child_stop(&scene->broker.daemon);
    bus_stop(&scene->bus);
}

/* What the bus itself lets in, the files should not keep out. */
static int let_others_in(void)
{
    char path[192];

    snprintf(path, sizeof(path), "%s/broker", bus_get_folder());
    if (chmod(bus_get_folder(), 0711) < 0 || (chmod(path, 0666) < 0 && errno != ENOENT))
        return -errno;
    return 0;
}

static int start_bus(RobustScene *scene, const BusKind *kind)
{
    int r;

    r = bus_start(&scene->bus, kind->limits);
    if (r >= 0 && kind->is_broker)
        r = bus_start_broker(&scene->broker);
    if (r >= 0 && robust->uid > 0)
        r = let_others_in();
    snprintf(robust->address, sizeof(robust->address), "%s",
             kind->is_broker ? scene->broker.address : scene->bus.address);
    return r;
}

static int scene_start(RobustScene *scene, const BusKind *kind)
{
    const Disturbance *disturbance = scene->disturbance;
    unsigned i;
    int r, ready;

    r = start_bus(scene, kind);
    if (r >= 0)
        r = child_start(&scene->service, disturbance->serve, NULL);
    if (r >= 0)
        r = child_read(scene->service.control, &ready, sizeof(ready));
    for (i = 0; i < disturbance->n_innocents && r >= 0; i++)
        r = child_start(&scene->innocents[disturbance->innocents[i]], robust_innocents[disturbance->innocents[i]], NULL);
    return r < 0 ? r : measure_all(scene, true);
}

static int run(const BusKind *kind, const Disturbance *disturbance)
{
    RobustScene scene = { .disturbance = disturbance };
    int r;

    printf("%s\n", kind->label);
    r = scene_start(&scene, kind);
    if (r >= 0)
        r = disturbance->is_stopped ? run_stopped(&scene) : run_flooded(&scene);
    if (r == -ENOENT && kind->is_broker)
        printf("  dbus-broker is not here\n");
    else if (r < 0)
        fprintf(stderr, "bench-robust: Failed on the bus '%s': %s\n", kind->label, strerror(-r));
    scene_stop(&scene);
    return r == -ENOENT ? 0 : r;
}

/* ---- options ---- */

static void print_help(void)
{
    size_t i;

    printf("Usage: bench-robust [OPTION]...\n"
           "Measure what an innocent client notices of others, on buses of its own.\n"
           "\n"
           "  --bus=KIND           on this bus only:");
    for (i = 0; i < ELEMENTSOF(buses); i++)
        printf(" %s", buses[i].label);
    printf("\n  --disturbance=WHAT   by this only:");
    for (i = 0; i < ELEMENTSOF(disturbances); i++)
        printf(" %s", disturbances[i].key);
    printf("\n  --uid=N              of those who flood, for root (default: our own)\n"
           "  --niceness=N         the same (default: %d)\n  -h, --help           print this help and exit\n",
           NICENESS);
}

static const struct option long_options[] = {
    { "bus", required_argument, NULL, 'b' },
    { "disturbance", required_argument, NULL, 'd' },
    { "niceness", required_argument, NULL, 'n' },
    { "uid", required_argument, NULL, 'u' },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

typedef struct Options {
    const char *bus;         /* NULL: all */
    const char *disturbance; /* the same */
} Options;

/* 0: all is done; negative: usage. */
static int parse(Options *options, int argc, char *argv[])
{
    int option;

    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
        switch (option) {
        case 'b':
            options->bus = optarg;
            break;
        case 'd':
            options->disturbance = optarg;
            break;
        case 'n':
            robust->niceness = atoi(optarg);
            break;
        case 'u':
            robust->uid = (uid_t)strtoul(optarg, NULL, 10);
            break;
        case 'h':
            print_help();
            return 0;
        default:
            return -EINVAL;
        }
    }
    if (optind == argc)
        return 1;
    fprintf(stderr, "bench-robust: there are no arguments\n");
    return -EINVAL;
}

static bool is_chosen(const char *choice, const char *name)
{
    return !choice || strcmp(choice, name) == 0;
}

static int run_chosen(const Options *options)
{
    int failed = 0;
    unsigned n = 0;
    size_t i, j;

    for (i = 0; i < ELEMENTSOF(buses); i++) {
        for (j = 0; j < ELEMENTSOF(disturbances); j++) {
            if (!is_chosen(options->bus, buses[i].label) || !is_chosen(options->disturbance, disturbances[j].key))
                continue;
            failed |= run(&buses[i], &disturbances[j]) < 0;
            n++;
        }
    }
    if (n > 0)
        return failed;
    fprintf(stderr, "bench-robust: there is no such bus or disturbance: see --help\n");
    return 2;
}

int main(int argc, char *argv[])
{
    Options options = { 0 };
    int r;

    setvbuf(stdout, NULL, _IOLBF, 0);
    robust = mmap(NULL, sizeof(*robust), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (robust == MAP_FAILED)
        return 1;
    robust->niceness = NICENESS;
    r = parse(&options, argc, argv);
    if (r <= 0)
        return r < 0 ? 2 : 0;
    printf("  %-22s %-20s %11s %11s %11s %12s\n", "", "the innocent", "rate", "p50", "p99", "worst");
    return run_chosen(&options);
}
