/* SPDX-License-Identifier: MIT */
#pragma once

/* The wait for a service that the bus starts: whether it can still come. */

#include "error.h"
#include "ipc-renderer.h"

typedef struct Starting Starting;

/* The bus was asked to start the service. On failure the renderer just waits for the bus. */
void starting_begin(ipc_renderer *renderer);

/* It is there, or nobody waits any more. */
void starting_end(ipc_renderer *renderer);

/*
 * The bus could not start it. Whether systemd is asked for a better reason: then registration_start_failed() is called
 * later, with that or with this error.
 */
bool starting_explain(ipc_renderer *renderer, const ipc_error *error);
