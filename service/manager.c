/* SPDX-License-Identifier: MIT */
#include "manager.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "clock.h"

/*
 * The status is looked at when the loop has had something else to do, which is when it may have changed: a service
 * that is idle is not woken for it. It is told at once or, where that was done within the last second, once that
 * second is over. The watchdog is fed by the loop itself: a handler that hangs lets it starve.
 */

#define STATUS_USEC (1u * 1000 * 1000) /* us between two of them, at least */

static void tell_status(Manager *manager, uint64_t now)
{
    int n_renderers = ipc_app_web_contents_count(manager->app), n_pending = ipc_app_pending_count(manager->app);

    if (manager->told_at > 0 && n_renderers == manager->n_renderers && n_pending == manager->n_pending)
        return;
    manager->told_at = now;
    manager->n_renderers = n_renderers;
    manager->n_pending = n_pending;
    sd_notifyf(0, "STATUS=%d renderer%s, %d pending call%s", n_renderers, n_renderers == 1 ? "" : "s", n_pending,
               n_pending == 1 ? "" : "s");
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source, (void)usec;
    tell_status(userdata, clock_now(CLOCK_MONOTONIC));
    return 0;
}

static int on_work(sd_event_source *source, void *userdata)
{
    Manager *manager = userdata;
    uint64_t now;
    int r;

    (void)source;
    if (ipc_app_web_contents_count(manager->app) == manager->n_renderers &&
        ipc_app_pending_count(manager->app) == manager->n_pending)
        return 0;
    now = clock_now(CLOCK_MONOTONIC);
    if (now - manager->told_at >= STATUS_USEC) {
        tell_status(manager, now);
        return 0;
    }
    r = sd_event_source_set_time(manager->timer, manager->told_at + STATUS_USEC);
    return r < 0 ? r : sd_event_source_set_enabled(manager->timer, SD_EVENT_ONESHOT);
}

static int add_sources(Manager *manager, sd_event *event)
{
    int r;

    r = sd_event_add_time(event, &manager->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_time, manager);
    if (r >= 0)
        r = sd_event_source_set_enabled(manager->timer, SD_EVENT_OFF);
    return r < 0 ? r : sd_event_add_post(event, &manager->post, on_work, manager);
}

int manager_start(Manager *manager, ipc_app *app)
{
    sd_event *event = ipc_app_get_event(app);
    int r;

    manager->app = app;
    if (!event)
        return -ENOMEM;
    if (!getenv("NOTIFY_SOCKET"))
        return 0;
    r = add_sources(manager, event);
    if (r < 0)
        return r;
    sd_notify(0, "READY=1");
    tell_status(manager, clock_now(CLOCK_MONOTONIC));
    return sd_event_set_watchdog(event, true);
}

void manager_stop(Manager *manager)
{
    manager->post = sd_event_source_disable_unref(manager->post);
    manager->timer = sd_event_source_disable_unref(manager->timer);
}
