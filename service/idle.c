/* SPDX-License-Identifier: MIT */
#include "idle.h"

#include <errno.h>
#include <systemd/sd-daemon.h>

#include "app.h"
#include "clock.h"

/*
 * A call may be on its way when the app decides to leave, and must not be lost:
 *
 *   STOPPING=1 -> ReleaseName -> what came before the bus's answer -> nothing pending -> stop
 *
 * Calls that the bus took before it took back the name have arrived with its answer, and are served as ever. Later ones
 * start the next instance. The manager has to know that this one ends before the bus asks it for that: it would find
 * the unit running, and do nothing. For the same reason there is no way back; a renderer that still registers is
 * served, and sees main go as it would with any restart.
 */

static bool has_work(const ipc_app *app)
{
    return app->n_pending > 0 || !peer_queue_set_is_empty(&app->queues) ||
           !TAILQ_EMPTY(&app->queues.readmitted) || peer_set_is_waiting(&app->peers);
}

void idle_touch(ipc_app *app)
{
    if (app->idle.timeout > 0 && !app->idle.is_leaving)
        app->idle.deadline = clock_now(CLOCK_MONOTONIC) + app->idle.timeout;
}

/* Beside renderers, those who have a port that the app drives. */
static bool is_needed(const ipc_app *app)
{
    return app->web_contents.n > 0 || !LIST_EMPTY(&app->watches.watches) || monitor_is_watched(&app->monitor);
}

uint64_t idle_get_deadline(const ipc_app *app)
{
    const Idle *idle = &app->idle;

    if (idle->is_leaving)
        return has_work(app) ? idle->deadline : 0;
    if (idle->timeout == 0 || !app->is_started || is_needed(app) || has_work(app))
        return UINT64_MAX;
    return idle->deadline;
}

static void begin_to_leave(ipc_app *app)
{
    app->idle.is_leaving = true;
    /* Who called with the default timeout has given up by then. */
    app->idle.deadline = clock_now(CLOCK_MONOTONIC) + IPC_TIMEOUT_USEC;
    sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%u", IPC_TIMEOUT_USEC + IPC_STOP_TIMEOUT_USEC);
    app->is_started = false;
    /* A bus that cannot answer this is one to be left. */
    if (sd_bus_release_name(app->bus, app->name) < 0)
        app->idle.deadline = 0;
}

bool idle_run(ipc_app *app)
{
    if (clock_now(CLOCK_MONOTONIC) < idle_get_deadline(app))
        return false;
    if (app->idle.is_leaving)
        app_want_stop(app, 0);
    else
        begin_to_leave(app);
    return true;
}

int ipc_app_set_exit_on_idle(ipc_app *app, uint64_t timeout_usec)
{
    int r = app_check_open(app);

    if (r < 0)
        return r;
    app->idle.timeout = timeout_usec < UINT64_MAX / 2 ? timeout_usec : 0;
    idle_touch(app);
    return 0;
}
