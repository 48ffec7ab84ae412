/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench-bus.h"
#include "bench-contender.h"
#include "bench-robust.h"
#include "ipc-renderer.h"
#include "lane.h"
#include "macro.h"

#define N_CALLS 5000u
#define NSEC_MAX (5ull * 1000 * 1000 * 1000) /* a measurement, whatever it has got to */
#define AT_ONCE 100u

#define ARGS "[\"" PAYLOAD "\"]"

/* ---- the innocent ---- */

static int open_renderer(ipc_renderer **ret_renderer, ipc_renderer_flags flags)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    int r;

    r = bus_open(robust->address, &bus);
    if (r >= 0)
        r = ipc_renderer_new(ret_renderer, bus, ROBUST_NAME);
    return r < 0 ? r : ipc_renderer_set_flags(*ret_renderer, flags);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* What calls one by one takes long enough to say something about each. */
typedef int (*CallOne)(void *client);

static void call_many(CallOne call, void *client, Figures *figures)
{
    static double usec[N_CALLS];
    uint64_t begin = now_nsec(), before;
    unsigned n;

    for (n = 0; n < N_CALLS && now_nsec() - begin < NSEC_MAX; n++) {
        before = now_nsec();
        if (call(client) < 0)
            figures->n_failed++;
        usec[n] = (double)(now_nsec() - before) / 1e3;
    }
    figures->rate = (n - figures->n_failed) * 1e9 / (double)(now_nsec() - begin);
    qsort(usec, n, sizeof(*usec), compare);
    figures->p50 = usec[n / 2];
    figures->p99 = usec[n * 99 / 100];
    figures->worst = usec[n - 1];
}

static int measure_whenever(int control, CallOne call, void *client)
{
    Figures figures;
    int r = 0, go;

    while (r >= 0) {
        r = child_read(control, &go, sizeof(go));
        if (r < 0)
            break;
        figures = (Figures){ 0 };
        call_many(call, client, &figures);
        r = child_write(control, &figures, sizeof(figures));
    }
    return r == -ECONNRESET ? 0 : r;
}

static int call_renderer(void *renderer)
{
    return ipc_renderer_send_syncf(renderer, "echo", NULL, NULL, "s", PAYLOAD);
}

static int be_renderer(int control, void *unused)
{
    ipc_renderer *renderer;
    int r = open_renderer(&renderer, 0);

    (void)unused;
    return r < 0 ? r : measure_whenever(control, call_renderer, renderer);
}

static int be_lane(int control, void *unused)
{
    ipc_renderer *renderer;
    int r = open_renderer(&renderer, IPC_RENDERER_LANE);

    (void)unused;
    return r < 0 ? r : measure_whenever(control, call_renderer, renderer);
}

static int new_call(sd_bus *bus, sd_bus_message **ret_call, const char *member)
{
    return sd_bus_message_new_method_call(bus, ret_call, ROBUST_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member);
}

static int new_invoke(sd_bus *bus, sd_bus_message **ret_call)
{
    int r = new_call(bus, ret_call, "Invoke");

    return r < 0 ? r : sd_bus_message_append(*ret_call, "ss", "echo", ARGS);
}

static int call_bare(void *bus)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    int r = new_invoke(bus, &call);

    return r < 0 ? r : sd_bus_call(bus, call, 0, NULL, NULL);
}

static int be_bare(int control, void *unused)
{
    sd_bus *bus;
    int r = bus_open(robust->address, &bus);

    (void)unused;
    return r < 0 ? r : measure_whenever(control, call_bare, bus);
}

static int call_bus(void *bus)
{
    return sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId",
                              NULL, NULL, "");
}

static int be_at_the_bus(int control, void *unused)
{
    sd_bus *bus;
    int r = bus_open(robust->address, &bus);

    (void)unused;
    return r < 0 ? r : measure_whenever(control, call_bus, bus);
}

typedef struct Many {
    unsigned n_done;
    unsigned n_failed;
    unsigned n_pending;
} Many;

static void on_done(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    Many *many = userdata;

    (void)renderer, (void)result;
    many->n_pending--;
    if (error)
        many->n_failed++;
    else
        many->n_done++;
}

static int invoke_many(ipc_renderer *renderer, Many *many)
{
    uint64_t begin = now_nsec();
    int r = 0;

    while (r >= 0 && many->n_done < 4 * N_CALLS && now_nsec() - begin < NSEC_MAX) {
        for (; r >= 0 && many->n_pending < AT_ONCE; many->n_pending++)
            r = ipc_renderer_invokef(renderer, NULL, "echo", on_done, many, "s", PAYLOAD);
        if (r >= 0)
            r = ipc_renderer_process(renderer);
        if (r == 0)
            r = ipc_renderer_wait(renderer, 1000 * 1000);
    }
    return r;
}

/* How many there are in a while: what a single one took is not asked. */
static int be_many(int control, void *unused)
{
    Many many = { 0 };
    ipc_renderer *renderer;
    uint64_t begin;
    int r, go;

    (void)unused;
    r = open_renderer(&renderer, 0);
    while (r >= 0) {
        Figures figures = { 0 };

        r = child_read(control, &go, sizeof(go));
        if (r < 0)
            break;
        many.n_done = many.n_failed = 0;
        begin = now_nsec();
        figures.r = invoke_many(renderer, &many);
        figures.rate = many.n_done * 1e9 / (double)(now_nsec() - begin);
        figures.n_failed = many.n_failed;
        r = child_write(control, &figures, sizeof(figures));
    }
    return r == -ECONNRESET ? 0 : r;
}

const ChildRun robust_innocents[N_INNOCENTS] = {
    [INNOCENT_RENDERER] = be_renderer, [INNOCENT_MANY] = be_many,     [INNOCENT_LANE] = be_lane,
    [INNOCENT_BARE] = be_bare,         [INNOCENT_BUS] = be_at_the_bus,
};

/* ---- those who flood ---- */

static int become_flooder(void)
{
    (void)setpriority(PRIO_PROCESS, 0, robust->niceness);
    return robust->uid > 0 && setresuid(robust->uid, robust->uid, robust->uid) < 0 ? -errno : 0;
}

int robust_flood(int control, void *unused)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    uint64_t cookie;
    int r;

    (void)control, (void)unused;
    r = become_flooder();
    if (r >= 0)
        r = bus_open(robust->address, &bus);
    while (r >= 0) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;

        r = new_invoke(bus, &call);
        if (r >= 0)
            r = sd_bus_send(bus, call, &cookie);
        if (r >= 0)
            r = sd_bus_flush(bus);
        robust->n_flooded++;
    }
    return r;
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

static int open_lane(sd_bus *bus, uint32_t *ret_id, int *ret_fd)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int fd, r;

    r = register_with(bus, ret_id);
    if (r >= 0)
        r = sd_bus_call_method(bus, ROBUST_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "OpenLane", NULL, &reply, "");
    if (r >= 0)
        r = sd_bus_message_read(reply, "h", &fd);
    if (r < 0)
        return r;
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

int robust_flood_lane(int control, void *unused)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    Packet packet = { .verb = LANE_INVOKE, .channel = "echo", .text = ARGS, .length = sizeof(ARGS) - 1, .text_fd = -1 };
    struct pollfd pollfd = { .events = POLLOUT };
    uint32_t id;
    int r;

    (void)control, (void)unused;
    r = become_flooder();
    if (r >= 0)
        r = bus_open(robust->address, &bus);
    if (r >= 0)
        r = open_lane(bus, &id, &pollfd.fd);
    while (r >= 0) {
        packet.serial++;
        r = packet_send(pollfd.fd, &packet);
        if (r == -EAGAIN)
            r = poll(&pollfd, 1, -1) < 0 ? -errno : 0;
        else
            robust->n_flooded++;
    }
    return r;
}

/* ---- those who are stopped ---- */

static void note(Reading *reading, const char *args)
{
    unsigned number;

    if (sscanf(args, "[%u", &number) != 1 || number != reading->n)
        reading->n_disorders++;
    reading->n++;
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *args;

    (void)error;
    if (sd_bus_message_is_signal(message, IPC_MAIN_INTERFACE, "Message") > 0 &&
        sd_bus_message_read(message, "ss", NULL, &args) >= 0)
        note(userdata, args);
    return 0;
}

int robust_read(int control, void *unused)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    Reading reading = { 0 };
    unsigned n = 0;
    int r;

    (void)unused;
    r = bus_open(robust->address, &bus);
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

int robust_read_lane(int control, void *unused)
{
    static char buffer[PACKET_BUFFER_SIZE];
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    Reading reading = { 0 };
    unsigned n = 0;
    int r, fd = -1;

    (void)unused;
    r = bus_open(robust->address, &bus);
    if (r >= 0)
        r = open_lane(bus, &reading.id, &fd);
    if (r >= 0)
        r = child_write(control, &reading, sizeof(reading));
    if (r >= 0)
        r = child_read(control, &n, sizeof(n));
    while (r >= 0 && reading.n < n) {
        Packet packet;

        r = packet_receive(fd, buffer, 0, &packet);
        if (r <= 0)
            continue;
        note(&reading, packet.text);
        packet_clear(&packet);
    }
    return r < 0 ? r : child_write(control, &reading, sizeof(reading));
}
