/* SPDX-License-Identifier: MIT */

/*
 * The whole picture: the same work done by everything that one might use for it, side by side in one run. As in the
 * benchmark of the limits, all of it is pinned to one CPU and takes turns; the first round is for warming up. A peer
 * that this machine lacks is named, and not left out.
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench-activation.h"
#include "bench-bus.h"
#include "bench-daemon.h"
#include "bench-fanout.h"
#include "bench-pair.h"
#include "bench-picture.h"
#include "macro.h"

#define ROUNDS_DEFAULT 21u

const unsigned picture_sizes[N_SIZES] = { 64, 4 * 1024, 64 * 1024, 1024 * 1024 };
const unsigned picture_crowds[N_CROWDS] = { 1, 10, 100, 1000 };

/* How many in a row are measured of each size: some ms of work. */
static const unsigned n_calls[N_SIZES] = { 200, 60, 10, 2 };
static const unsigned n_sends[N_SIZES] = { 1000, 200, 30, 4 };

#define SOCKET "lc rgb '#888888' "
#define IPCBUS_PORT "lc rgb '#7fb2ff' "
#define IPCBUS_TEXT "lc rgb '#00a3a3' "
#define SD_BUS "lc rgb '#e66100' "
#define GDBUS "lc rgb '#3a9a3a' "
#define NODE "lc rgb '#8e44ad' "

static Peer peers[] = {
    { .key = "socket", .label = "a socket, no JSON", .style = SOCKET DIRECT, .model = &raw_contender },
    { .key = "ipcbus-lane-text", .label = "ipcbus, lane, JSON as text", .style = IPCBUS_TEXT DIRECT,
      .model = &ipcbus_text_contender },
    { .key = "ipcbus-port", .label = "ipcbus, port", .style = IPCBUS_PORT DIRECT, .model = &port_contender },
    { .key = "ipcbus-lane", .label = "ipcbus, lane", .style = STYLE_LANE, .model = &ipcbus_lane_contender },
    { .key = "sd-bus-socket", .label = "sd-bus, socket", .style = SD_BUS DIRECT, .model = &pair_contender },
    { .key = "sd-bus", .label = "sd-bus, dbus-daemon", .style = SD_BUS BY_DAEMON, .model = &bare_contender },
    { .key = "ipcbus", .label = "ipcbus, dbus-daemon", .style = STYLE_BUS, .model = &ipcbus_contender },
#ifdef HAVE_GLIB
    { .key = "gdbus", .label = "GDBus, dbus-daemon", .style = GDBUS BY_DAEMON, .model = &gdbus_contender },
#else
    { .key = "gdbus", .label = "GDBus, dbus-daemon", .style = GDBUS BY_DAEMON, .missing = "built without GLib" },
#endif
    { .key = "sd-bus-broker", .label = "sd-bus, dbus-broker", .style = SD_BUS BY_BROKER,
      .model = &bare_contender, .is_on_broker = true },
    { .key = "ipcbus-broker", .label = "ipcbus, dbus-broker", .style = IPCBUS BY_BROKER,
      .model = &ipcbus_contender, .is_on_broker = true },
    { .key = "node", .label = "Node, child_process", .style = NODE DIRECT, .model = &node_contender },
};

typedef struct Options {
    unsigned n_rounds;
    const char *daemon;
    const char *json;
    const char *chart;
    const char *serve; /* the address, when the bus started us */
} Options;

/* ---- measuring ---- */

static void find_missing(const Bus *broker)
{
    for (size_t i = 0; i < ELEMENTSOF(peers); i++) {
        Peer *peer = &peers[i];

        if (peer->is_on_broker && !*broker->address)
            peer->missing = "dbus-broker is not installed";
        else if (peer->model == &node_contender && !child_program_exists("node"))
            peer->missing = "node is not installed";
    }
}

static int measure_peer(Peer *peer, unsigned size, bool counts)
{
    uint64_t nsec;
    int r;

    r = contender_act(&peer->contender, ACT_INVOKE, n_calls[size], &nsec);
    if (r >= 0 && counts)
        series_add(&peer->latency[size], (double)nsec / 1e3 / n_calls[size]);
    if (r >= 0)
        r = contender_act(&peer->contender, ACT_SEND, n_sends[size], &nsec);
    if (r >= 0 && counts)
        series_add(&peer->rate[size], n_sends[size] * 1e9 / (double)nsec);
    return r;
}

static int start_peer(Peer *peer, const char *payload, const Bus *bus, const Bus *broker)
{
    peer->contender = *peer->model;
    peer->contender.payload = payload;
    return contender_start(&peer->contender, peer->is_on_broker ? broker->address : bus->address);
}

static int measure_rounds(unsigned size, unsigned n_rounds)
{
    int r = 0;

    for (unsigned round = 0; round <= n_rounds; round++)
        for (size_t i = 0; i < ELEMENTSOF(peers) && r >= 0; i++)
            if (!peers[i].missing && (r = measure_peer(&peers[i], size, round > 0)) < 0)
                fprintf(stderr, "bench: Failed to measure '%s': %s\n", peers[i].label, strerror(-r));
    return r;
}

static int measure_size(unsigned size, unsigned n_rounds, const Bus *bus, const Bus *broker)
{
    _cleanup_free_ char *payload = malloc(picture_sizes[size] + 1);
    int r = 0;

    if (!payload)
        return -ENOMEM;
    memset(payload, 'x', picture_sizes[size]);
    payload[picture_sizes[size]] = '\0';
    r = pair_prepare(picture_sizes[size]);
    if (r >= 0)
        r = port_prepare();
    for (size_t i = 0; i < ELEMENTSOF(peers) && r >= 0; i++)
        if (!peers[i].missing && (r = start_peer(&peers[i], payload, bus, broker)) < 0)
            fprintf(stderr, "bench: Failed to start '%s': %s\n", peers[i].label, strerror(-r));
    if (r >= 0)
        r = measure_rounds(size, n_rounds);
    for (size_t i = 0; i < ELEMENTSOF(peers); i++)
        contender_stop(&peers[i].contender);
    return r;
}

static int measure_fanout(Picture *picture, const Bus *bus, const char *program)
{
    Child daemon = { 0 };
    int r;

    r = daemon_start(&daemon, bus->address, program);
    for (unsigned i = 0; i < N_CROWDS && r >= 0; i++)
        r = fanout_measure(bus->address, 0, picture_crowds[i], picture->n_rounds, &picture->fanout[i]);
    for (unsigned i = 0; i < N_CROWDS && r >= 0; i++)
        r = fanout_measure(bus->address, IPC_RENDERER_LANE, picture_crowds[i], picture->n_rounds,
                           &picture->fanout_lanes[i]);
    child_stop(&daemon);
    return r;
}

static int measure_activation(Picture *picture, const Bus *bus, const char *program)
{
    char file[4096], self[4224];
    ssize_t n = readlink("/proc/self/exe", file, sizeof(file) - 1);

    if (n < 0)
        return -errno;
    snprintf(self, sizeof(self), "%.*s --serve=", (int)n, file);
    return activation_measure(bus, program, self, picture->n_rounds, &picture->cold, &picture->cold_bare);
}

/* The one who fails says what. */
static int tell(int r, const char *what)
{
    if (r < 0)
        fprintf(stderr, "bench: Failed to measure %s: %s\n", what, strerror(-r));
    return r;
}

static int measure_all(Picture *picture, const Options *options, const Bus *bus, const Bus *broker)
{
    DaemonFigures figures = { 0 };
    int r;

    r = tell(daemon_measure(bus->address, options->daemon, &figures), "ipcbusd");
    picture->bytes_per_renderer = figures.bytes_per_renderer;
    if (r >= 0)
        r = tell(daemon_measure_lanes(bus->address, options->daemon, &picture->bytes_per_lane), "ipcbusd with lanes");
    if (r >= 0)
        r = tell(measure_fanout(picture, bus, options->daemon), "broadcasts");
    for (unsigned size = 0; size < N_SIZES && r >= 0; size++)
        r = measure_size(size, picture->n_rounds, bus, broker);
    /* From then on the bus would start a service whose contender takes the name, too. */
    return r < 0 ? r : tell(measure_activation(picture, bus, options->daemon), "activation");
}

/* ---- showing ---- */

static const char *machine(void)
{
    static char line[256] = "an unknown processor";
    FILE *file = fopen("/proc/cpuinfo", "re");
    char *name;

    while (file && fgets(line, sizeof(line), file) && strncmp(line, "model name", 10) != 0)
        ;
    if (file)
        fclose(file);
    name = strchr(line, ':');
    line[strcspn(line, "\n'")] = '\0';
    return name && strncmp(line, "model name", 10) == 0 ? name + 2 : "an unknown processor";
}

static const char *today(void)
{
    static char date[32];
    time_t now = time(NULL);
    struct tm parts;

    strftime(date, sizeof(date), "%Y-%m-%d", gmtime_r(&now, &parts));
    return date;
}

static int show(const Picture *picture, const Options *options)
{
    int r = 0;

    picture_print(picture);
    if (options->json)
        r = picture_write_json(picture, options->json);
    if (r >= 0 && options->json)
        printf("\nThe figures are in %s\n", options->json);
    if (r < 0 || !options->chart)
        return tell(r, "the file of figures");
    r = picture_draw(picture, options->chart);
    if (r == -ENOENT)
        puts("The chart is missing: gnuplot is not installed");
    else if (r >= 0)
        printf("The chart is in %s\n", options->chart);
    return r == -ENOENT ? 0 : tell(r, "the chart");
}

static int run(const Options *options)
{
    static Picture picture;
    Bus bus = { 0 }, broker = { 0 };
    int r;

    picture = (Picture){ .n_rounds = options->n_rounds, .machine = machine(), .date = today(), .peers = peers,
                         .n_peers = ELEMENTSOF(peers) };
    r = pin_to_cpu(&picture.cpu);
    if (r >= 0)
        r = bus_start(&bus, "");
    if (tell(r, "anything: dbus-daemon does not start") >= 0 && bus_start_broker(&broker) < 0)
        *broker.address = '\0';
    find_missing(&broker);
    if (r >= 0)
        r = measure_all(&picture, options, &bus, &broker);
    bus_stop(&broker);
    bus_stop(&bus);
    return r < 0 ? r : show(&picture, options);
}

/* ---- options ---- */

static const struct option long_options[] = {
    { "rounds", required_argument, NULL, 'r' }, { "daemon", required_argument, NULL, 'd' },
    { "json", required_argument, NULL, 'j' },   { "chart", required_argument, NULL, 'c' },
    { "serve", required_argument, NULL, 's' },  { "help", no_argument, NULL, 'h' },
    { 0 },
};

static void print_help(void)
{
    puts("Usage: bench-picture [OPTION]...\n"
         "Measure ipcbus beside what else one might use, on buses of its own.\n"
         "\n"
         "  --rounds=N         measure each thing N times (default: 21)\n"
         "  --daemon=PROGRAM   the ipcbusd to measure (default: that of the build tree)\n"
         "  --json=FILE        write the figures\n"
         "  --chart=FILE       draw them (SVG); needs gnuplot\n"
         "  -h, --help         print this help and exit");
}

/* 0: all is done; negative: usage. */
static int parse(Options *options, int argc, char *argv[])
{
    int option;

    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
        if (option == 'r')
            options->n_rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'd')
            options->daemon = optarg;
        else if (option == 'j')
            options->json = optarg;
        else if (option == 'c')
            options->chart = optarg;
        else if (option == 's')
            options->serve = optarg;
        else if (option == 'h')
            print_help();
        if (option == 'h' || option == '?')
            return option == 'h' ? 0 : -EINVAL;
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
    return (options.serve ? activation_serve(options.serve) : run(&options)) < 0;
}
