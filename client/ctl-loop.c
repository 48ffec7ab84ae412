/* SPDX-License-Identifier: MIT */
#include "ctl-loop.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "ctl-failure.h"
#include "macro.h"

/* Only an error or a hang-up wakes us: nobody reads what we would write. */
static int on_reader_gone(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)fd, (void)events, (void)userdata;
    return sd_event_exit(sd_event_source_get_event(source), STATUS_OK);
}

int loop_add_endings(sd_event *event)
{
    static const int signals[] = { SIGINT, SIGTERM };
    sigset_t set;
    int r = 0;

    sigemptyset(&set);
    for (size_t i = 0; i < ELEMENTSOF(signals); i++)
        sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
        r = sd_event_add_signal(event, NULL, signals[i], NULL, NULL);
    if (r >= 0)
        r = sd_event_add_io(event, NULL, STDOUT_FILENO, 0, on_reader_gone, NULL);
    return r == -EPERM || r == -EBADF ? 0 : r; /* a file has no reader that could go */
}
