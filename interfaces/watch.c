/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "macro.h"

void watch_set_init(WatchSet *set)
{
    *set = (WatchSet){ .poll_fd = -1 };
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Watch *watch = userdata;

    (void)source, (void)fd, (void)revents;
    watch->run(watch);
    return 0;
}

static int watch_attach(Watch *watch)
{
    WatchSet *set = watch->set;
    int r;

    if (!set->event)
        return 0;
    r = sd_event_add_io(set->event, &watch->source, watch->fd, watch->events, on_io, watch);
    if (r >= 0)
        r = sd_event_source_set_priority(watch->source, set->priority);
    /* The end of a socket wakes a loop whatever it waits for. */
    if (r >= 0 && watch->events == 0)
        r = sd_event_source_set_enabled(watch->source, SD_EVENT_OFF);
    return r;
}

static int watch_poll(Watch *watch)
{
    struct epoll_event event = { .events = watch->events, .data.ptr = watch };
    int op = watch->events == 0 ? EPOLL_CTL_DEL : watch->polled == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (watch->set->poll_fd < 0 || watch->events == watch->polled)
        return 0;
    if (epoll_ctl(watch->set->poll_fd, op, watch->fd, &event) < 0)
        return -errno;
    watch->polled = watch->events;
    return 0;
}

int watch_add(WatchSet *set, Watch *watch, int fd, uint32_t events, WatchRun run, WatchRun gone)
{
    int r;

    *watch = (Watch){ .set = set, .fd = fd, .events = events, .run = run, .gone = gone };
    LIST_INSERT_HEAD(&set->watches, watch, link);
    r = watch_attach(watch);
    if (r >= 0)
        r = watch_poll(watch);
    if (r < 0)
        watch_remove(watch);
    return r < 0 ? r : 0;
}

int watch_set_events(Watch *watch, uint32_t events)
{
    int r = 0;

    if (!watch->set || watch->events == events)
        return 0;
    watch->events = events;
    if (watch->source && events != 0)
        r = sd_event_source_set_io_events(watch->source, events);
    if (watch->source && r >= 0)
        r = sd_event_source_set_enabled(watch->source, events != 0 ? SD_EVENT_ON : SD_EVENT_OFF);
    return r < 0 ? r : watch_poll(watch);
}

static void watch_take_back(Watch *watch)
{
    if (!watch->is_floating)
        return;
    watch->is_floating = false;
    (void)sd_event_source_set_destroy_callback(watch->source, NULL);
    /* The loop's reference to the source goes, and with it the source. */
    (void)sd_event_source_set_enabled(watch->source, SD_EVENT_OFF);
    (void)sd_event_source_set_floating(watch->source, false);
    watch->source = NULL;
}

void watch_remove(Watch *watch)
{
    if (!watch->set)
        return;
    watch->events = 0;
    (void)watch_poll(watch);
    watch_take_back(watch);
    watch->source = sd_event_source_disable_unref(watch->source);
    LIST_REMOVE(watch, link);
    watch->set = NULL;
}

static void on_loop_gone(void *userdata)
{
    Watch *watch = userdata;

    watch->is_floating = false;
    watch->source = NULL;
    watch_remove(watch);
    if (watch->gone)
        watch->gone(watch);
}

void watch_leave_to_loop(Watch *watch)
{
    if (!watch->source || watch->is_floating ||
        sd_event_source_set_destroy_callback(watch->source, on_loop_gone) < 0)
        return;
    watch->is_floating = true;
    (void)sd_event_source_set_floating(watch->source, true);
    /* If the loop had nobody else, this is its end. */
    sd_event_source_unref(watch->source);
}

int watch_set_attach(WatchSet *set, sd_event *event, int64_t priority)
{
    Watch *watch;
    int r = 0;

    set->event = event;
    set->priority = priority;
    LIST_FOREACH(watch, &set->watches, link)
        if (r >= 0)
            r = watch_attach(watch);
    if (r < 0)
        watch_set_detach(set);
    return r < 0 ? r : 0;
}

void watch_set_detach(WatchSet *set)
{
    Watch *watch;

    LIST_FOREACH(watch, &set->watches, link) {
        watch_take_back(watch);
        watch->source = sd_event_source_disable_unref(watch->source);
    }
    set->event = NULL;
}

void watch_set_clear(WatchSet *set)
{
    Watch *watch;

    while ((watch = LIST_FIRST(&set->watches))) {
        watch_remove(watch);
        if (watch->gone)
            watch->gone(watch);
    }
    set->event = NULL;
    if (set->poll_fd >= 0)
        close(set->poll_fd);
    set->poll_fd = -1;
}

int watch_set_get_poll_fd(WatchSet *set)
{
    Watch *watch;
    int r;

    if (set->poll_fd >= 0)
        return set->poll_fd;
    set->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (set->poll_fd < 0)
        return -errno;
    LIST_FOREACH(watch, &set->watches, link) {
        r = watch_poll(watch);
        if (r < 0)
            return r;
    }
    return set->poll_fd;
}

int watch_set_dispatch(WatchSet *set)
{
    struct epoll_event event;
    Watch *watch;
    int r;

    if (LIST_EMPTY(&set->watches))
        return 0;
    r = watch_set_get_poll_fd(set);
    if (r < 0)
        return r;
    r = epoll_wait(r, &event, 1, 0);
    if (r <= 0)
        return r < 0 && errno != EINTR ? -errno : 0;
    watch = event.data.ptr;
    watch->run(watch);
    return 1;
}
