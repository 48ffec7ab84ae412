/* SPDX-License-Identifier: MIT */
#include "ctl-progress.h"

#include <stdio.h>

#include "clock.h"
#include "ctl-terminal.h"

#define INTERVAL_USEC (100u * 1000)
#define WIDTH 40

void progress_show(Progress *progress, double fraction, const char *what)
{
    static const char full[] = "########################################";
    uint64_t now = clock_now(CLOCK_MONOTONIC);
    int filled = fraction < 1 ? (int)(fraction * WIDTH) : WIDTH;

    if (now < progress->next)
        return;
    progress->next = now + INTERVAL_USEC;
    if (!terminal_is_live(stderr))
        return;
    terminal_clear_line(stderr);
    fprintf(stderr, "[%-*.*s] %3.0f %%  %s", WIDTH, filled, full, fraction * 100, what);
    fflush(stderr);
    progress->is_drawn = true;
}

void progress_clear(Progress *progress)
{
    if (!progress->is_drawn)
        return;
    terminal_clear_line(stderr);
    fflush(stderr);
    progress->is_drawn = false;
}
