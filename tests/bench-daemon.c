/* SPDX-License-Identifier: MIT */
#include "bench-daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench-bus.h"
#include "ipc-renderer.h"
#include "macro.h"

#define TRAFFIC 200 /* messages of each kind before the idle second */
#define IDLE_USEC (1000 * 1000)
#define SETTLE_USEC (50 * 1000)
#define SETTLE_ROUNDS_MAX 60

#define FILES (5 * CROWD) /* file descriptors: of a renderer with a lane there are some, all in one process */

/* ---- what the kernel tells of a process ---- */

static int proc_get(pid_t pid, const char *file_name, const char *key, double *ret_value)
{
    char path[64], line[256], name[64];
    double value;
    int r = -ENODATA;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, file_name);
    file = fopen(path, "re");
    if (!file)
        return -errno;
    while (r < 0 && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%63[^:]: %lf", name, &value) != 2 || strcmp(name, key) != 0)
            continue;
        *ret_value = value;
        r = 0;
    }
    fclose(file);
    return r;
}

static int private_bytes(const Child *child, double *ret_bytes)
{
    double clean, dirty;
    int r;

    r = proc_get(child->pid, "smaps_rollup", "Private_Clean", &clean);
    if (r >= 0)
        r = proc_get(child->pid, "smaps_rollup", "Private_Dirty", &dirty);
    if (r >= 0)
        *ret_bytes = (clean + dirty) * 1024;
    return r;
}

static int resident_bytes(const Child *child, double *ret_bytes)
{
    double kilobytes;
    int r;

    r = proc_get(child->pid, "smaps_rollup", "Rss", &kilobytes);
    if (r >= 0)
        *ret_bytes = kilobytes * 1024;
    return r;
}

static int wake_ups(const Child *child, double *ret_n)
{
    double voluntary, involuntary;
    int r;

    r = proc_get(child->pid, "status", "voluntary_ctxt_switches", &voluntary);
    if (r >= 0)
        r = proc_get(child->pid, "status", "nonvoluntary_ctxt_switches", &involuntary);
    if (r >= 0)
        *ret_n = voluntary + involuntary;
    return r;
}

/* What it had to do is done once it has not run for a while. */
static int settle(const Child *child)
{
    double before, after = -1;
    int i, r = 0;

    for (i = 0; r >= 0 && i < SETTLE_ROUNDS_MAX; i++) {
        before = after;
        r = wake_ups(child, &after);
        if (r < 0 || before == after)
            break;
        usleep(SETTLE_USEC);
    }
    return r;
}

/* ---- ipcbusd ---- */

typedef struct DaemonCommand {
    const char *program;
    const char *address;
} DaemonCommand;

static int run_daemon(int control, void *userdata)
{
    const DaemonCommand *command = userdata;
    char address[512];

    (void)control;
    snprintf(address, sizeof(address), "--address=%s", command->address);
    execlp(command->program, command->program, address, "--module=echo", NULL);
    return -errno;
}

const char *daemon_get_program(void)
{
    static char path[4096];
    const char *build = getenv("top_builddir");

    snprintf(path, sizeof(path), "%s/service/ipcbusd", build ? build : ".");
    return path;
}

int daemon_start(Child *daemon, const char *address, const char *program)
{
    DaemonCommand command = { program, address };
    int r;

    r = child_start(daemon, run_daemon, &command);
    if (r >= 0)
        r = bus_wait_for_name(address, IPC_MAIN_NAME, daemon);
    return r < 0 ? r : settle(daemon);
}

/* ---- its renderers ---- */

static int open_renderer(const char *address, ipc_renderer_flags flags, ipc_renderer **ret_renderer)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    int r;

    r = bus_open(address, &bus);
    if (r >= 0)
        r = ipc_renderer_new(ret_renderer, bus, NULL);
    return r < 0 ? r : ipc_renderer_set_flags(*ret_renderer, flags);
}

static int await_ready(ipc_renderer *renderer)
{
    int r = 0;

    while (r >= 0 && ipc_renderer_get_state(renderer) == IPC_RENDERER_CONNECTING) {
        r = ipc_renderer_process(renderer);
        if (r == 0)
            r = ipc_renderer_wait(renderer, UINT64_MAX);
    }
    if (r < 0)
        return r;
    return ipc_renderer_get_state(renderer) == IPC_RENDERER_READY ? 0 : -ENOTCONN;
}

int daemon_open_renderer(const char *address, ipc_renderer_flags flags, ipc_renderer **ret_renderer)
{
    int r;

    r = open_renderer(address, flags, ret_renderer);
    return r < 0 ? r : await_ready(*ret_renderer);
}

static int say_ready(int control, int r)
{
    int written = child_write(control, &r, sizeof(r));

    return r < 0 ? r : written;
}

/* Many renderers that do nothing, until they are told to go. */
static int run_crowd_by(const char *address, ipc_renderer_flags flags, int control)
{
    ipc_renderer *renderers[CROWD] = { NULL };
    unsigned i;
    int r = 0, go;

    for (i = 0; i < CROWD && r >= 0; i++)
        r = daemon_open_renderer(address, flags, &renderers[i]);
    r = say_ready(control, r);
    return r < 0 ? r : child_read(control, &go, sizeof(go));
}

static int run_crowd(int control, void *userdata)
{
    return run_crowd_by(userdata, 0, control);
}

static int run_lane_crowd(int control, void *userdata)
{
    return run_crowd_by(userdata, IPC_RENDERER_LANE, control);
}

static int make_traffic(ipc_renderer *renderer)
{
    int i, r = 0;

    for (i = 0; i < TRAFFIC && r >= 0; i++) {
        r = ipc_renderer_sendf(renderer, "echo", "s", "one way");
        if (r >= 0)
            r = ipc_renderer_invokef(renderer, NULL, "echo", NULL, NULL, "s", "there and back");
        if (r >= 0)
            r = ipc_renderer_send_syncf(renderer, "echo", NULL, NULL, "i", i);
    }
    return r;
}

/* One renderer in a loop, which has sent and received, and has no more to do. */
static int run_idle_renderer(int control, void *userdata)
{
    ipc_renderer *renderer;
    sd_event *event = NULL;
    int r;

    r = open_renderer(userdata, 0, &renderer);
    if (r >= 0)
        r = sd_event_new(&event);
    if (r >= 0)
        r = ipc_renderer_attach_event(renderer, event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = await_ready(renderer);
    if (r >= 0)
        r = make_traffic(renderer);
    r = say_ready(control, r);
    return r < 0 ? r : sd_event_loop(event);
}

static int start_renderers(Child *child, ChildRun run, const char *address)
{
    int r, told = 0;

    r = child_start(child, run, (void *)address);
    if (r >= 0)
        r = child_read(child->control, &told, sizeof(told));
    return r < 0 ? r : told;
}

/* ---- the figures ---- */

static int measure_crowd(const char *address, const Child *daemon, ChildRun run, double *ret_bytes)
{
    double at_rest = 0, with_crowd = 0;
    Child crowd = { 0 };
    int r;

    r = private_bytes(daemon, &at_rest);
    if (r >= 0)
        r = start_renderers(&crowd, run, address);
    if (r >= 0)
        r = settle(daemon);
    if (r >= 0)
        r = private_bytes(daemon, &with_crowd);
    child_stop(&crowd);
    *ret_bytes = (with_crowd - at_rest) / CROWD;
    return r;
}

static int measure_memory(const char *address, const Child *daemon, DaemonFigures *figures)
{
    int r;

    r = private_bytes(daemon, &figures->bytes_at_rest);
    if (r >= 0)
        r = resident_bytes(daemon, &figures->bytes_resident);
    return r < 0 ? r : measure_crowd(address, daemon, run_crowd, &figures->bytes_per_renderer);
}

static int measure_wake_ups(const char *address, const Child *daemon, DaemonFigures *figures)
{
    double before = 0, after = 0, renderer_before = 0, renderer_after = 0;
    Child renderer = { 0 };
    int r;

    r = start_renderers(&renderer, run_idle_renderer, address);
    if (r >= 0)
        r = settle(&renderer);
    if (r >= 0)
        r = settle(daemon);
    if (r >= 0)
        r = wake_ups(daemon, &before);
    if (r >= 0)
        r = wake_ups(&renderer, &renderer_before);
    usleep(IDLE_USEC);
    if (r >= 0)
        r = wake_ups(daemon, &after);
    if (r >= 0)
        r = wake_ups(&renderer, &renderer_after);
    child_stop(&renderer);
    figures->wake_ups = after - before;
    figures->renderer_wake_ups = renderer_after - renderer_before;
    return r;
}

void daemon_raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= FILES)
        return;
    limit.rlim_cur = limit.rlim_max < FILES ? limit.rlim_max : FILES;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* What was used before may be used again, so this takes a daemon that has had no crowd. */
int daemon_measure_lanes(const char *address, const char *program, double *ret_bytes)
{
    Child daemon = { 0 };
    int r;

    daemon_raise_file_limit();
    r = daemon_start(&daemon, address, program);
    if (r >= 0)
        r = measure_crowd(address, &daemon, run_lane_crowd, ret_bytes);
    child_stop(&daemon);
    return r;
}

int daemon_measure(const char *address, const char *program, DaemonFigures *ret_figures)
{
    DaemonFigures figures = { 0 };
    Child daemon = { 0 };
    int r;

    daemon_raise_file_limit();
    r = daemon_start(&daemon, address, program);
    if (r >= 0)
        r = measure_memory(address, &daemon, &figures);
    if (r >= 0)
        r = settle(&daemon);
    if (r >= 0)
        r = measure_wake_ups(address, &daemon, &figures);
    child_stop(&daemon);
    if (r >= 0)
        *ret_figures = figures;
    return r;
}
