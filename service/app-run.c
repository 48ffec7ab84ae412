/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include "app.h"
#include "clock.h"
#include "invocation.h"
#include "macro.h"
#include "main-event.h"
#include "notice.h"
#include "peer-lane.h"

/* How an app runs, and how it leaves: what it has accepted is answered, and what it has answered is written. */

/* One step towards something that the bus must still do. -ETIMEDOUT: it is too late. */
static int app_step(ipc_app *app, uint64_t deadline)
{
    uint64_t now;
    int r;

    r = sd_bus_process(app->bus, NULL);
    if (r == 0)
        r = watch_set_dispatch(&app->watches);
    if (r != 0)
        return r < 0 ? r : 0;
    now = clock_now(CLOCK_MONOTONIC);
    if (now >= deadline)
        return -ETIMEDOUT;
    r = bus_poll_wait(app->bus, &app->watches, deadline - now);
    return r < 0 && r != -EINTR ? r : 0;
}

/* Who writes on and on is not waited for. */
static int drain_lanes(ipc_app *app, uint64_t deadline)
{
    Peer *peer, *next;
    bool was_there = true;

    while (was_there && !app->is_closed && clock_now(CLOCK_MONOTONIC) < deadline) {
        was_there = false;
        for (peer = TAILQ_FIRST(&app->peers.list); peer; peer = next) {
            _cleanup_(peer_unrefp) Peer *held = peer_ref(peer);

            was_there = peer_lane_drain(held) || was_there;
            next = held->app ? TAILQ_NEXT(held, link) : TAILQ_FIRST(&app->peers.list);
        }
    }
    return 0;
}

/* What the bus had delivered when the name went is dispatched, wherever it has got to. */
static int app_drain(ipc_app *app, uint64_t deadline)
{
    uint64_t n = 0;
    int r = 0;

    /* The manager must know first: a call that comes later wants the next instance, and this unit to be no more. */
    if (app->is_process_ending && !app->idle.is_leaving)
        sd_notify(0, "STOPPING=1");
    if (app->is_started)
        r = sd_bus_release_name(app->bus, app->name);
    while (r >= 0 && !app->is_closed) {
        peer_queue_flush(app);
        r = sd_bus_get_n_queued_read(app->bus, &n);
        if (r >= 0 && n == 0 && !peer_set_is_waiting(&app->peers))
            return drain_lanes(app, deadline);
        if (r >= 0)
            r = app_step(app, deadline);
    }
    return r;
}

static void app_reject_all(ipc_app *app)
{
    Peer *peer, *next;

    app->is_stopping = true;
    TAILQ_FOREACH_SAFE(peer, &app->peers.list, link, next) {
        invocation_reject_all(peer);
        main_event_reject_all(peer);
    }
}

static int app_flush(ipc_app *app, uint64_t deadline)
{
    uint64_t n, now = clock_now(CLOCK_MONOTONIC);
    uint64_t lanes_deadline = now < deadline ? deadline - (deadline - now) / 4 : deadline; /* the bus needs some, too */
    bool is_bus_done;
    int r;

    peer_queue_leave(app);
    while (!app->is_closed) {
        peer_queue_flush(app);
        r = sd_bus_get_n_queued_write(app->bus, &n);
        is_bus_done = r >= 0 && n == 0 && peer_queue_set_is_empty(&app->queues);
        if (is_bus_done && !peer_set_has_unwritten(&app->peers))
            break;
        if (r >= 0)
            r = app_step(app, is_bus_done ? lanes_deadline : deadline);
        if (r == -ETIMEDOUT)
            stuck_give_up(app);
        if (r == -ETIMEDOUT && is_bus_done)
            break; /* what was not taken from a lane in all that time ends with that */
        if (r < 0)
            return r;
    }
    now = clock_now(CLOCK_MONOTONIC);
    return app->is_closed ? 0 : backlog_settle(app->bus, deadline > now ? deadline - now : 1);
}

int app_stop_now(ipc_app *app)
{
    uint64_t deadline = clock_now(CLOCK_MONOTONIC) + app->stop_timeout;
    int r, flushed;

    if (app->is_closed)
        return 0;
    app->is_stop_wanted = false;
    app->is_processing = true;
    sd_bus_set_method_call_timeout(app->bus, app->stop_timeout);
    r = app_drain(app, deadline);
    app_reject_all(app);
    flushed = app_flush(app, deadline);
    app->is_processing = false;
    app_close(app);
    return app_errno(r < 0 ? r : flushed);
}

void app_want_stop(ipc_app *app, uint64_t timeout_usec)
{
    app->stop_timeout = timeout_usec > 0 ? timeout_usec : IPC_STOP_TIMEOUT_USEC;
    app->is_stop_wanted = true;
}

int ipc_app_stop(ipc_app *app, uint64_t timeout_usec)
{
    _cleanup_(ipc_app_unrefp) ipc_app *held = ipc_app_ref(app);

    if (!held)
        return -EINVAL;
    app_want_stop(held, timeout_usec);
    return held->is_processing ? 0 : app_stop_now(held);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source, (void)info;
    return ipc_app_quit(userdata);
}

static void on_run_closed(ipc_app *app, void *userdata)
{
    (void)userdata;
    if (app->is_running)
        sd_event_exit(app->run_event, app->is_stopping ? 0 : -ENOTCONN);
}

static int app_prepare_run(ipc_app *app)
{
    sigset_t signals;
    int r;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
        return -errno;
    r = sd_event_add_signal(app->run_event, NULL, SIGTERM, on_signal, app);
    if (r >= 0)
        r = sd_event_add_signal(app->run_event, NULL, SIGINT, on_signal, app);
    if (r >= 0)
        r = ipc_app_attach_event(app, app->run_event, SD_EVENT_PRIORITY_NORMAL);
    return r < 0 ? r : ipc_app_start(app);
}

int ipc_app_run(ipc_app *app)
{
    _cleanup_(ipc_app_unrefp) ipc_app *held = ipc_app_ref(app);
    _cleanup_(ipc_slot_unrefp) ipc_slot *closed = NULL;
    int r;

    if (!held)
        return -EINVAL;
    if (held->is_running || loop_is_attached(&held->loop))
        return -EBUSY;
    if (held->is_closed)
        return -ENOTCONN;
    if (!ipc_app_get_event(held))
        return -ENOMEM;
    held->is_running = true;
    held->is_process_ending = true;
    r = ipc_app_on_closed(held, &closed, on_run_closed, NULL);
    if (r >= 0)
        r = app_prepare_run(held);
    if (r >= 0)
        r = sd_event_loop(held->run_event);
    held->is_running = false;
    (void)ipc_app_detach_event(held);
    held->run_event = sd_event_unref(held->run_event);
    return r < 0 ? r : ipc_app_stop(held, 0);
}

int ipc_app_quit(ipc_app *app)
{
    if (!app)
        return -EINVAL;
    return app->is_running ? sd_event_exit(app->run_event, 0) : -ESTALE;
}
