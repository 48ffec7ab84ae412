/* SPDX-License-Identifier: MIT */
#include "reload.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "clock.h"
#include "log.h"
#include "macro.h"

static int load(const Reload *reload, const char *consequence)
{
    _cleanup_(ipc_error_clear) ipc_error error = IPC_ERROR_INIT;
    int r;

    if (!reload->path)
        return 0;
    r = ipc_app_load_policy(reload->app, reload->path, &error);
    if (r < 0)
        log_error("%s%s", error.message ? error.message : strerror(-r), consequence);
    return r;
}

int reload_begin(const Reload *reload)
{
    return load(reload, "");
}

/* A policy that cannot be read is no reason to stop, and none to let anybody in: the one before it holds. */
static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source, (void)info;
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now(CLOCK_MONOTONIC));
    (void)load(userdata, " (the policy stays as it was)");
    sd_notify(0, "READY=1");
    return 0;
}

int reload_on_hangup(Reload *reload)
{
    sd_event *event = ipc_app_get_event(reload->app);
    int r;

    r = event ? sd_event_add_signal(event, NULL, SIGHUP, on_hangup, reload) : -ENOMEM;
    if (r < 0)
        log_errno(LOG_ERR, r, "Failed to wait for SIGHUP");
    return r;
}
