/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <errno.h>
#include <stdbool.h>

/* Pieces of work in one go, before other sources of the loop have their turn. */
#define LOOP_BATCH 16

static int loop_dispatch(Loop *loop)
{
    bool is_detached = false;
    int i, r = 1;

    /* A callback may drop the object, and the loop with it. */
    /* cppcheck-suppress autoVariables ; it is taken back below, or the loop is gone */
    loop->is_detached = &is_detached;
    for (i = 0; i < LOOP_BATCH && r > 0 && !is_detached; i++)
        r = loop->ops->process(loop->object);
    if (is_detached)
        return 0;
    loop->is_detached = NULL;
    if (r < 0)
        loop_detach(loop);
    return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    (void)source, (void)fd, (void)revents;
    return loop_dispatch(userdata);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source, (void)usec;
    return loop_dispatch(userdata);
}

/*
 * A timer that goes off too early costs one wake-up, setting it costs a system call: so while calls follow each other,
 * each with a later deadline, it stays as it is. Without any deadline it is off, because who is idle must sleep.
 */
static int loop_arm(Loop *loop, uint64_t until)
{
    int enabled, r;

    if (until == UINT64_MAX)
        return sd_event_source_set_enabled(loop->timer, SD_EVENT_OFF);
    r = sd_event_source_get_enabled(loop->timer, &enabled);
    if (r < 0 || (enabled != SD_EVENT_OFF && loop->armed > 0 && loop->armed <= until))
        return r;
    loop->armed = until;
    r = sd_event_source_set_time(loop->timer, until);
    return r < 0 ? r : sd_event_source_set_enabled(loop->timer, SD_EVENT_ONESHOT);
}

/* What to wait for changes with every message, so it is asked anew before each sleep. */
static int on_prepare(sd_event_source *source, void *userdata)
{
    Loop *loop = userdata;
    uint64_t until = UINT64_MAX;
    int events, r;

    events = loop->ops->get_events(loop->object);
    r = events < 0 ? events : loop->ops->get_timeout(loop->object, &until);
    /* It is closed, and its socket with it; process() says so once it has run what is left. */
    if (r < 0)
        return loop_arm(loop, 0);
    r = sd_event_source_set_io_events(source, (uint32_t)events);
    return r < 0 ? r : loop_arm(loop, until);
}

static int loop_add_sources(Loop *loop, int64_t priority)
{
    int r;

    /* Prepared only while it is enabled, so it is the source that always is. */
    r = sd_event_add_io(loop->event, &loop->io, loop->ops->get_fd(loop->object), 0, on_io, loop);
    if (r >= 0)
        r = sd_event_source_set_prepare(loop->io, on_prepare);
    if (r >= 0)
        r = sd_event_source_set_priority(loop->io, priority);
    if (r >= 0)
        r = sd_event_add_time(loop->event, &loop->timer, CLOCK_MONOTONIC, UINT64_MAX, 1, on_time, loop);
    if (r >= 0)
        r = sd_event_source_set_priority(loop->timer, priority);
    if (r >= 0)
        r = sd_event_source_set_enabled(loop->timer, SD_EVENT_OFF);
    return r;
}

int loop_attach(Loop *loop, sd_event *event, int64_t priority, const LoopOps *ops, void *object)
{
    int r;

    if (loop_is_attached(loop))
        return -EBUSY;
    r = ops->get_fd(object);
    if (r < 0)
        return r;

    loop->ops = ops;
    loop->object = object;
    if (event)
        loop->event = sd_event_ref(event);
    else if ((r = sd_event_default(&loop->event)) < 0)
        return r;
    r = loop_add_sources(loop, priority);
    if (r < 0)
        loop_detach(loop);
    return r < 0 ? r : 0;
}

int loop_attach_foreign(Loop *loop, void (*on_detached)(void *userdata), void *userdata)
{
    if (loop_is_attached(loop))
        return -EBUSY;
    loop->on_detached = on_detached;
    loop->userdata = userdata;
    return 0;
}

void loop_detach(Loop *loop)
{
    void (*on_detached)(void *userdata) = loop->on_detached;

    loop->on_detached = NULL;
    if (on_detached)
        on_detached(loop->userdata);
    if (loop->is_detached)
        *loop->is_detached = true;
    loop->is_detached = NULL;
    loop->io = sd_event_source_disable_unref(loop->io);
    loop->timer = sd_event_source_disable_unref(loop->timer);
    loop->event = sd_event_unref(loop->event);
}
