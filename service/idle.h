/* SPDX-License-Identifier: MIT */
#pragma once

/* How an app leaves when nobody needs it. */

#include <stdbool.h>
#include <stdint.h>

#include "ipc-main.h"

typedef struct Idle {
    uint64_t timeout;  /* us without work after which the app leaves; 0: never */
    uint64_t deadline; /* us of CLOCK_MONOTONIC: the end of that time or, while it leaves, of the time for it */
    bool is_leaving;   /* the name is given up */
} Idle;

/* Something was done for somebody. */
void idle_touch(ipc_app *app);

/* When idle_run() has something to do: us of CLOCK_MONOTONIC. */
uint64_t idle_get_deadline(const ipc_app *app);

/* A step towards leaving, when there is nothing else to do. Whether it was made; the app may want to stop then. */
bool idle_run(ipc_app *app);
