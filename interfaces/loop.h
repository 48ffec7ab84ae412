/* SPDX-License-Identifier: MIT */
#pragma once

/* The glue between an sd-event loop and anything that a poll loop could drive. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

typedef struct LoopOps {
    int (*get_fd)(void *object);
    int (*get_events)(void *object);
    int (*get_timeout)(void *object, uint64_t *ret_usec);
    int (*process)(void *object);
} LoopOps;

typedef struct Loop {
    const LoopOps *ops;
    void *object;
    sd_event *event; /* NULL: not attached */
    sd_event_source *io;
    sd_event_source *timer;
    uint64_t armed;    /* when the timer goes off, if it is on */
    bool *is_detached; /* of the dispatch that runs, to be set */

    void (*on_detached)(void *userdata); /* of the glue of a foreign loop; NULL: it is in none */
    void *userdata;
} Loop;

/* An object keeps itself while it is processed, and detaches before it goes. */

/* event NULL: the thread's default loop. -EBUSY: attached already. */
int loop_attach(Loop *loop, sd_event *event, int64_t priority, const LoopOps *ops, void *object);

/* A loop that is not known here drives the object, until on_detached runs. -EBUSY. */
int loop_attach_foreign(Loop *loop, void (*on_detached)(void *userdata), void *userdata);

void loop_detach(Loop *loop);

static inline bool loop_is_attached(const Loop *loop)
{
    return loop->event || loop->on_detached;
}
