/* SPDX-License-Identifier: MIT */
#pragma once

/* What the service manager is told while the daemon serves: that it is ready, how it is doing, that it is alive. */

#include "ipc-main.h"

typedef struct Manager {
    ipc_app *app; /* borrowed */
    sd_event_source *post;
    sd_event_source *timer;
    uint64_t told_at; /* us of CLOCK_MONOTONIC; 0: never */
    int n_renderers;  /* as it was told */
    int n_pending;
} Manager;

/* The app is started, and ipc_app_run() comes next. A negative errno. */
int manager_start(Manager *manager, ipc_app *app);
void manager_stop(Manager *manager);
