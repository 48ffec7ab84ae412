/* SPDX-License-Identifier: MIT */
#pragma once

/* The daemon's policy: read at its start, and again on SIGHUP. */

#include "ipc-main.h"

typedef struct Reload {
    ipc_app *app;
    const char *path; /* NULL: there is no policy, and SIGHUP does nothing */
} Reload;

/* Reads it for the first time. What is wrong is logged. */
int reload_begin(const Reload *reload);

/* Reads it again on SIGHUP, which must be blocked, as long as the app runs. */
int reload_on_hangup(Reload *reload);
