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

static const int endings[] = { SIGINT, SIGTERM };

static void mask_endings(int how)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < ELEMENTSOF(endings); i++)
        sigaddset(&set, endings[i]);
    sigprocmask(how, &set, NULL);
}

static void end_at_once(int number)
{
    (void)number;
    _exit(STATUS_OK);
}

void loop_begin_writing(void)
{
    mask_endings(SIG_UNBLOCK);
}

void loop_end_writing(void)
{
    mask_endings(SIG_BLOCK);
}

int loop_add_endings(sd_event *event)
{
    int r = 0;

    mask_endings(SIG_BLOCK);
    for (size_t i = 0; i < ELEMENTSOF(endings) && r >= 0; i++) {
        signal(endings[i], end_at_once);
        r = sd_event_add_signal(event, NULL, endings[i], NULL, NULL);
    }
    if (r >= 0)
        r = sd_event_add_io(event, NULL, STDOUT_FILENO, 0, on_reader_gone, NULL);
    return r == -EPERM || r == -EBADF ? 0 : r; /* a file has no reader that could go */
}
