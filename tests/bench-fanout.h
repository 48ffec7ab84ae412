/* SPDX-License-Identifier: MIT */
#pragma once

/* Fan-out: how long one message of main takes to all of its renderers. */

#include "bench-report.h"
#include "ipc-renderer.h"

/* Adds a value for each round, in us, from the sending of a request to broadcast until the last one has heard it. */
int fanout_measure(const char *address, ipc_renderer_flags flags, unsigned n_renderers, unsigned n_rounds,
                   Series *series);
