/* SPDX-License-Identifier: MIT */
#include "bench-fanout.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "bench-child.h"
#include "bench-contender.h"
#include "bench-daemon.h"
#include "ipc-renderer.h"
#include "macro.h"

#define BROADCAST_CHANNEL "echo-broadcast"

/*
 * All renderers are in one process, each with its own connection. Sd-event would ask each of them at every turn whether
 * it has something to do; so that this is not what is measured, they are driven by epoll.
 */
typedef struct Audience {
    int epoll;
    ipc_renderer **renderers;
    unsigned n;
    unsigned n_left; /* have not heard it yet */
} Audience;

typedef struct Task {
    const char *address;
    ipc_renderer_flags flags;
    unsigned n_renderers;
} Task;

static void on_broadcast(ipc_event *event, json_t *args, void *userdata)
{
    Audience *audience = userdata;

    (void)event, (void)args;
    audience->n_left--;
}

static int add_renderer(Audience *audience, const Task *task)
{
    ipc_renderer **renderer = &audience->renderers[audience->n];
    struct epoll_event event = { .events = EPOLLIN };
    int r;

    r = daemon_open_renderer(task->address, task->flags, renderer);
    if (r >= 0)
        r = ipc_renderer_on(*renderer, NULL, BROADCAST_CHANNEL, on_broadcast, audience);
    audience->n++;
    if (r < 0)
        return r;
    event.data.ptr = *renderer;
    return epoll_ctl(audience->epoll, EPOLL_CTL_ADD, ipc_renderer_get_fd(*renderer), &event) < 0 ? -errno : 0;
}

static int gather(Audience *audience, const Task *task)
{
    int r = 0;

    audience->epoll = epoll_create1(EPOLL_CLOEXEC);
    audience->renderers = calloc(task->n_renderers, sizeof(ipc_renderer *));
    if (audience->epoll < 0 || !audience->renderers)
        return -ENOMEM;
    while (r >= 0 && audience->n < task->n_renderers)
        r = add_renderer(audience, task);
    return r;
}

static int process(ipc_renderer *renderer)
{
    int r;

    while ((r = ipc_renderer_process(renderer)) > 0)
        ;
    return r;
}

static int listen_on(Audience *audience)
{
    struct epoll_event events[64];
    int n, r = 0;

    n = epoll_wait(audience->epoll, events, ELEMENTSOF(events), -1);
    if (n < 0)
        return -errno;
    for (int i = 0; i < n && r >= 0; i++)
        r = process(events[i].data.ptr);
    return r;
}

static int broadcast_once(Audience *audience, uint64_t *ret_nsec)
{
    uint64_t start = now_nsec();
    int r;

    audience->n_left = audience->n;
    r = ipc_renderer_sendf(audience->renderers[0], BROADCAST_CHANNEL, "s", PAYLOAD);
    if (r >= 0)
        r = process(audience->renderers[0]);
    while (r >= 0 && audience->n_left > 0)
        r = listen_on(audience);
    *ret_nsec = now_nsec() - start;
    return r;
}

/* Each message from the other end is a round; ours tell how long it took, the first one that all are there. */
static int run_audience(int control, void *userdata)
{
    Audience audience = { 0 };
    uint64_t nsec = 0;
    int r, go;

    r = gather(&audience, userdata);
    while (r >= 0) {
        r = child_write(control, &nsec, sizeof(nsec));
        if (r >= 0)
            r = child_read(control, &go, sizeof(go));
        if (r >= 0)
            r = broadcast_once(&audience, &nsec);
    }
    return r == -ECONNRESET ? 0 : r;
}

int fanout_measure(const char *address, ipc_renderer_flags flags, unsigned n_renderers, unsigned n_rounds,
                   Series *series)
{
    Task task = { address, flags, n_renderers };
    Child audience = { 0 };
    uint64_t nsec;
    int r, go = 0;

    r = child_start(&audience, run_audience, &task);
    if (r >= 0)
        r = child_read(audience.control, &nsec, sizeof(nsec));
    /* The first round is for warming up. */
    for (unsigned round = 0; round <= n_rounds && r >= 0; round++) {
        r = child_write(audience.control, &go, sizeof(go));
        if (r >= 0)
            r = child_read(audience.control, &nsec, sizeof(nsec));
        if (r >= 0 && round > 0)
            series_add(series, (double)nsec / 1e3);
    }
    child_stop(&audience);
    return r;
}
