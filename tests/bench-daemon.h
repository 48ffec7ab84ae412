/* SPDX-License-Identifier: MIT */
#pragma once

/* The daemon: what a real ipcbusd with the module echo needs when it has little or nothing to do. */

#include "bench-child.h"
#include "ipc-renderer.h"

#define CROWD 1000u /* renderers that the memory of one is measured with */

typedef struct DaemonFigures {
    double bytes_at_rest;      /* of private memory */
    double bytes_resident;     /* at rest, what it shares with other processes included */
    double bytes_per_renderer; /* more than that */
    double wake_ups;           /* in an idle second after traffic */
    double renderer_wake_ups;  /* of a renderer attached to a loop, in the same second */
} DaemonFigures;

/* That of the build tree. */
const char *daemon_get_program(void);

/* A daemon of that program with the module echo, once it is there and has come to rest. */
int daemon_start(Child *daemon, const char *address, const char *program);

/* A renderer that is registered. */
int daemon_open_renderer(const char *address, ipc_renderer_flags flags, ipc_renderer **ret_renderer);

/* For a crowd in one process. */
void daemon_raise_file_limit(void);

/* What a renderer with a lane costs, as bytes_per_renderer. */
int daemon_measure_lanes(const char *address, const char *program, double *ret_bytes);

int daemon_measure(const char *address, const char *program, DaemonFigures *ret_figures);
