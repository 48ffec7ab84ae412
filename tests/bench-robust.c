/* SPDX-License-Identifier: MIT */

/*
 * What an innocent renderer notices of others: its latency and rate while a renderer is stopped and main sends it a
 * million messages, and while ten callers flood main with invokes whose answers they never read. On buses with the
 * limits of a session, of a system, and small ones.
 *
 * Processes run where the kernel puts them. A figure is to be read beside the one that was measured undisturbed, a
 * moment before, on the same bus.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench-bus.h"
#include "bench-contender.h"
#include "ipc-main.h"
#include "ipc-renderer.h"
#include "macro.h"

#define NAME "org.ipcbus.BenchRobust"
#define N_INVOKES 5000u
#define NSEC_MAX (10ull * 1000 * 1000 * 1000) /* a measurement, whatever it has got to */
#define N_BLAST 1000000u
#define BLAST_BATCH 5
#define N_FLOODERS 10u
#define FLOODER_NICENESS 15
#define MESSAGE_SIZE 1024

#define LIMITS_SMALL "<limit name='max_incoming_bytes'>10000000</limit><limit name='max_outgoing_bytes'>10000000</limit>"
#define LIMITS_SYSTEM                                                                                       \
    "<limit name='max_incoming_bytes'>133169152</limit><limit name='max_outgoing_bytes'>133169152</limit>" \
    "<limit name='max_replies_per_connection'>128</limit>"

typedef struct Figures {
    int r;
    double rate;  /* 1/s */
    double p50;   /* us */
    double p99;   /* us */
    double worst; /* us */
} Figures;

/* ---- the service ---- */

typedef struct Blast {
    ipc_app *app;
    uint32_t id;
    unsigned n_left;
    unsigned n_accepted;
    unsigned n_refused;
    json_t *filling;
} Blast;

static int handle_echo(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolve(invocation, args);
}

static void on_echo(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    (void)ipc_event_return(event, args);
}

static void on_blast(ipc_event *event, json_t *args, void *userdata)
{
    Blast *blast = userdata;

    blast->id = (uint32_t)json_integer_value(json_array_get(args, 0));
    blast->n_left = N_BLAST;
    (void)ipc_event_return(event, args);
}

static void on_count(ipc_event *event, json_t *args, void *userdata)
{
    Blast *blast = userdata;

    (void)args;
    (void)ipc_event_returnf(event, "[iii]", blast->n_left, blast->n_accepted, blast->n_refused);
}

static void blast_some(Blast *blast)
{
    ipc_web_contents *contents = ipc_web_contents_from_id(blast->app, blast->id);
    int i, r;

    for (i = 0; i < BLAST_BATCH && blast->n_left > 0; i++, blast->n_left--) {
        r = ipc_web_contents_sendf(contents, "n", "iO", blast->n_accepted, blast->filling);
        if (r < 0)
            blast->n_refused++;
        else
            blast->n_accepted++;
    }
}

static int serve(int control, void *userdata)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    char filling[MESSAGE_SIZE + 1];
    Blast blast = { 0 };
    ipc_main *main;
    int r;

    memset(filling, 'x', MESSAGE_SIZE);
    filling[MESSAGE_SIZE] = '\0';
    blast.filling = json_string(filling);
    r = bus_open(userdata, &bus);
    if (r >= 0)
        r = ipc_app_new(&blast.app, bus, NAME);
    if (r < 0)
        return r;
    main = ipc_app_get_main(blast.app);
    r = ipc_main_handle(main, NULL, "echo", handle_echo, NULL);
    if (r >= 0)
        r = ipc_main_on(main, NULL, "echo", on_echo, NULL);
    if (r >= 0)
        r = ipc_main_on(main, NULL, "blast", on_blast, &blast);
    if (r >= 0)
        r = ipc_main_on(main, NULL, "count", on_count, &blast);
    if (r >= 0)
        r = ipc_app_start(blast.app);
    if (r >= 0)
        r = child_write(control, &r, sizeof(r));
    while (r >= 0) {
        blast_some(&blast);
        r = ipc_app_process(blast.app);
        if (r == 0)
            r = ipc_app_wait(blast.app, blast.n_left > 0 ? 0 : UINT64_MAX);
    }
    return r;
}

/* ---- the innocent one ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int invoke_many(ipc_renderer *renderer, Figures *figures)
{
    static double usec[N_INVOKES];
    uint64_t begin = now_nsec(), before;
    unsigned n;
    int r;

    for (n = 0; n < N_INVOKES && now_nsec() - begin < NSEC_MAX; n++) {
        before = now_nsec();
        r = ipc_renderer_send_syncf(renderer, "echo", NULL, NULL, "s", PAYLOAD);
        if (r < 0)
            return r;
        usec[n] = (double)(now_nsec() - before) / 1e3;
    }
    figures->rate = n * 1e9 / (double)(now_nsec() - begin);
    qsort(usec, n, sizeof(*usec), compare);
    figures->p50 = usec[n / 2];
    figures->p99 = usec[n * 99 / 100];
    figures->worst = usec[n - 1];
    return 0;
}

static int open_renderer(const char *address, ipc_renderer **ret_renderer)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    int r;

    r = bus_open(address, &bus);
    if (r >= 0)
        r = ipc_renderer_new(ret_renderer, bus, NAME);
    return r;
}

/* Measures whenever it is told to. */
static int be_innocent(int control, void *userdata)
{
    ipc_renderer *renderer;
    Figures figures;
    int r, go;

    r = open_renderer(userdata, &renderer);
    while (r >= 0) {
        r = child_read(control, &go, sizeof(go));
        if (r < 0)
            break;
        figures = (Figures){ 0 };
        figures.r = invoke_many(renderer, &figures);
        r = child_write(control, &figures, sizeof(figures));
    }
    return r == -ECONNRESET ? 0 : r;
}

static int measure(const Child *innocent, Figures *ret_figures)
{
    int r, go = 1;

    r = child_write(innocent->control, &go, sizeof(go));
    if (r >= 0)
        r = child_read(innocent->control, ret_figures, sizeof(*ret_figures));
    return r < 0 ? r : ret_figures->r;
}

/* ---- the others ---- */

static int new_call(sd_bus *bus, sd_bus_message **ret_call, const char *member)
{
    return sd_bus_message_new_method_call(bus, ret_call, NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member);
}

static int register_with(sd_bus *bus, uint32_t *ret_id)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
    int r;

    r = new_call(bus, &call, "Register");
    if (r >= 0)
        r = sd_bus_message_append(call, "a{sv}", 0);
    if (r >= 0)
        r = sd_bus_call(bus, call, 0, NULL, &reply);
    return r < 0 ? r : sd_bus_message_read(reply, "u", ret_id);
}

/* What the one that is stopped has read in the end. */
typedef struct Reading {
    uint32_t id;
    unsigned n;
    unsigned n_disorders;
} Reading;

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Reading *reading = userdata;
    const char *args;
    unsigned number;

    (void)error;
    if (sd_bus_message_is_signal(message, IPC_MAIN_INTERFACE, "Message") <= 0)
        return 0;
    if (sd_bus_message_read(message, "ss", NULL, &args) < 0 || sscanf(args, "[%u", &number) != 1 ||
        number != reading->n)
        reading->n_disorders++;
    reading->n++;
    return 0;
}

/* Tells its id, then reads until it has read as many as it is told, and tells what it was. */
static int read_on(int control, void *userdata)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    Reading reading = { 0 };
    unsigned n = 0;
    int r;

    r = bus_open(userdata, &bus);
    if (r >= 0)
        r = sd_bus_add_filter(bus, NULL, on_message, &reading);
    if (r >= 0)
        r = register_with(bus, &reading.id);
    if (r >= 0)
        r = child_write(control, &reading, sizeof(reading));
    if (r >= 0)
        r = child_read(control, &n, sizeof(n));
    while (r >= 0 && reading.n < n) {
        r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, UINT64_MAX);
    }
    return r < 0 ? r : child_write(control, &reading, sizeof(reading));
}

/* What it takes from others shall be their place on the bus, not the processor. */
static int flood(int control, void *userdata)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    uint64_t cookie;
    int r;

    (void)control;
    (void)setpriority(PRIO_PROCESS, 0, FLOODER_NICENESS);
    r = bus_open(userdata, &bus);
    while (r >= 0) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;

        r = new_call(bus, &call, "Invoke");
        if (r >= 0)
            r = sd_bus_message_append(call, "ss", "echo", "[\"" PAYLOAD "\"]");
        if (r >= 0)
            r = sd_bus_send(bus, call, &cookie);
        if (r >= 0)
            r = sd_bus_flush(bus);
    }
    return r;
}

/* ---- the scenes ---- */

typedef struct RobustScene {
    const char *label;
    const char *limits;
    Bus bus;
    Child service;
    Child innocent;
    Child others[N_FLOODERS];
    Figures quiet;
} RobustScene;

static double peak_memory(const Child *child)
{
    char path[64], line[256];
    double kilobytes = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", child->pid);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "VmHWM: %lf", &kilobytes) == 1)
            break;
    if (file)
        fclose(file);
    return kilobytes / 1024;
}

static void print_figures(const RobustScene *scene, const char *disturbance, const Figures *figures)
{
    printf("%-8s %-12s %8.0f /s %8.0f us %8.0f us %9.0f us   rate x %.2f, p99 x %.2f\n", scene->label, disturbance,
           figures->rate, figures->p50, figures->p99, figures->worst, figures->rate / scene->quiet.rate,
           figures->p99 / scene->quiet.p99);
}

static void print_memory(const RobustScene *scene)
{
    printf("%-8s peak memory of the service %.0f MiB, of the bus %.0f MiB\n", scene->label,
           peak_memory(&scene->service), peak_memory(&scene->bus.daemon));
}

static void scene_stop(RobustScene *scene)
{
    size_t i;

    for (i = 0; i < N_FLOODERS; i++)
        child_stop(&scene->others[i]);
    child_stop(&scene->innocent);
    child_stop(&scene->service);
    bus_stop(&scene->bus);
}

static int scene_start(RobustScene *scene)
{
    int r, ready;

    r = bus_start(&scene->bus, scene->limits);
    if (r >= 0)
        r = child_start(&scene->service, serve, scene->bus.address);
    if (r >= 0)
        r = child_read(scene->service.control, &ready, sizeof(ready));
    if (r >= 0)
        r = child_start(&scene->innocent, be_innocent, scene->bus.address);
    /* The first time is for warming up. */
    if (r >= 0)
        r = measure(&scene->innocent, &scene->quiet);
    if (r >= 0)
        r = measure(&scene->innocent, &scene->quiet);
    if (r >= 0)
        print_figures(scene, "undisturbed", &scene->quiet);
    return r;
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

static int wake_up(const Child *child, unsigned n_accepted)
{
    Reading reading;
    int r;

    kill(child->pid, SIGCONT);
    r = child_write(child->control, &n_accepted, sizeof(n_accepted));
    if (r >= 0)
        r = child_read(child->control, &reading, sizeof(reading));
    if (r >= 0)
        printf("%-8s after waking it has read %u, %u of them out of order\n", "", reading.n, reading.n_disorders);
    return r;
}

static int run_stopped(RobustScene *scene)
{
    _cleanup_(ipc_renderer_unrefp) ipc_renderer *renderer = NULL;
    unsigned n_accepted = 0, n_refused = 0;
    Reading reading = { 0 };
    Figures figures;
    int r;

    r = open_renderer(scene->bus.address, &renderer);
    if (r >= 0)
        r = child_start(&scene->others[0], read_on, scene->bus.address);
    if (r >= 0)
        r = child_read(scene->others[0].control, &reading, sizeof(reading));
    if (r < 0)
        return r;
    kill(scene->others[0].pid, SIGSTOP);
    waitpid(scene->others[0].pid, NULL, WUNTRACED);
    r = ipc_renderer_send_syncf(renderer, "blast", NULL, NULL, "i", reading.id);
    if (r >= 0)
        r = measure(&scene->innocent, &figures);
    if (r < 0)
        return r;
    print_figures(scene, "one stopped", &figures);
    r = await_blast(renderer, &n_accepted, &n_refused);
    if (r < 0)
        return r;
    printf("%-8s of %u messages %u were accepted, %u refused\n", "", N_BLAST, n_accepted, n_refused);
    print_memory(scene);
    return wake_up(&scene->others[0], n_accepted);
}

static int run_flooded(RobustScene *scene)
{
    Figures figures;
    unsigned i;
    int r = 0;

    for (i = 0; i < N_FLOODERS && r >= 0; i++)
        r = child_start(&scene->others[i], flood, scene->bus.address);
    if (r >= 0)
        r = measure(&scene->innocent, &figures);
    if (r < 0)
        return r;
    print_figures(scene, "ten flood", &figures);
    print_memory(scene);
    return 0;
}

static int run(const char *label, const char *limits, int (*disturb)(RobustScene *scene))
{
    RobustScene scene = { .label = label, .limits = limits };
    int r;

    r = scene_start(&scene);
    if (r >= 0)
        r = disturb(&scene);
    if (r < 0)
        fprintf(stderr, "bench-robust: Failed on the bus '%s': %s\n", label, strerror(-r));
    scene_stop(&scene);
    return r;
}

int main(void)
{
    static const char *const buses[][2] = {
        { "session", "" }, { "system", LIMITS_SYSTEM }, { "small", LIMITS_SMALL }
    };
    int failed = 0;
    size_t i;

    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("An innocent renderer, %u calls at a time\n%-8s %-12s %11s %11s %11s %12s\n", N_INVOKES, "bus", "", "rate",
           "p50", "p99", "worst");
    for (i = 0; i < ELEMENTSOF(buses); i++) {
        failed |= run(buses[i][0], buses[i][1], run_stopped) < 0;
        failed |= run(buses[i][0], buses[i][1], run_flooded) < 0;
    }
    return failed;
}
