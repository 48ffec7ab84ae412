/* SPDX-License-Identifier: MIT */
#pragma once

/* The monitor: tells who watches the app of everything that goes by. */

#include <stdbool.h>
#include <stdint.h>

#include "monitor-line.h"
#include "watcher.h"

typedef struct Monitor {
    WatcherList watchers;
    Line *held; /* of a message that is being dispatched, and nobody has been told of yet; NULL: none */
} Monitor;

/* Whether the peer may watch. AccessDenied. LimitsExceeded: too many do. */
int monitor_check(Peer *peer, sd_bus_error *error);

/*
 * Answers the end of a pipe, which the caller closes; takes the channels, whatever it answers. InvalidArgs: a glob is
 * none, or there are too many. LimitsExceeded.
 */
int monitor_open(Peer *peer, char **channels, int *ret_fd, sd_bus_error *error);

/* Everyone reads the end of his pipe. */
void monitor_close(Monitor *monitor);

/* The policy has changed: who may not watch any more has seen the last. */
void monitor_judge(ipc_app *app);

static inline bool monitor_is_watched(const Monitor *monitor)
{
    return monitor->watchers.n > 0;
}

/* For when somebody watches. What is held comes first. */
void monitor_tell(ipc_app *app, Line *line);

/*
 * A message is about to be dispatched. Its line waits: it comes before that of anything that happens meanwhile, so that
 * causes come before effects; but if the answer to a call is the first thing that happens, they are told in one line.
 * Release it before it goes: it is told then, unless it has been. Forget it if the message is refused after all.
 */
void monitor_hold(ipc_app *app, Line *line);
void monitor_release(ipc_app *app, Line *line);
void monitor_forget(ipc_app *app);

/* A call has ended, as the line says; that of the message is put into it if it is held. */
void monitor_tell_end(ipc_app *app, Line *line);
