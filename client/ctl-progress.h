/* SPDX-License-Identifier: MIT */
#pragma once

/* A progress bar on standard error, if that is a terminal; else nothing at all. */

#include <stdbool.h>
#include <stdint.h>

typedef struct Progress {
    uint64_t next; /* us of CLOCK_MONOTONIC: not drawn before */
    bool is_drawn;
} Progress;

/* fraction: 0 to 1. May be called as often as one likes. */
void progress_show(Progress *progress, double fraction, const char *what);

/* Makes room for other output. */
void progress_clear(Progress *progress);
