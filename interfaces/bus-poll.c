/* SPDX-License-Identifier: MIT */
#include "bus-poll.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "macro.h"

static int add(const BusPoll *poll, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events };

    return epoll_ctl(poll->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int bus_poll_new(BusPoll *poll, sd_bus *bus, WatchSet *watches)
{
    int watches_fd, r;

    watches_fd = watch_set_get_poll_fd(watches);
    if (watches_fd < 0)
        return watches_fd;
    poll->fd = epoll_create1(EPOLL_CLOEXEC);
    if (poll->fd < 0)
        return -errno;
    poll->events = EPOLLIN;
    r = add(poll, sd_bus_get_fd(bus), poll->events);
    if (r >= 0)
        r = add(poll, watches_fd, EPOLLIN);
    if (r < 0)
        bus_poll_clear(poll);
    return r;
}

int bus_poll_get_fd(BusPoll *poll, sd_bus *bus, WatchSet *watches)
{
    int r;

    if (poll->fd < 0) {
        r = bus_poll_new(poll, bus, watches);
        if (r < 0)
            return r;
    }
    return poll->fd;
}

int bus_poll_update(BusPoll *poll, sd_bus *bus, WatchSet *watches)
{
    struct epoll_event event;
    int events, r;

    events = sd_bus_get_events(bus);
    if (events < 0)
        return events;
    r = bus_poll_get_fd(poll, bus, watches);
    if (r < 0)
        return r;
    event = (struct epoll_event){ .events = (uint32_t)events };
    if (event.events != poll->events && epoll_ctl(poll->fd, EPOLL_CTL_MOD, sd_bus_get_fd(bus), &event) < 0)
        return -errno;
    poll->events = event.events;
    return POLLIN;
}

void bus_poll_clear(BusPoll *poll)
{
    if (poll->fd >= 0)
        close(poll->fd);
    poll->fd = -1;
}

/* The fd and its events may be -1 and 0: the bus alone. */
static int wait_for(sd_bus *bus, int fd, uint32_t fd_events, uint64_t timeout_usec)
{
    struct timespec timeout = { .tv_sec = (time_t)(timeout_usec / 1000000), .tv_nsec = timeout_usec % 1000000 * 1000 };
    struct pollfd fds[2] = { { .fd = sd_bus_get_fd(bus) }, { .fd = fd, .events = (short)fd_events } };
    int events, r;

    events = sd_bus_get_events(bus);
    if (events < 0)
        return events;
    fds[0].events = (short)events;
    r = ppoll(fds, ELEMENTSOF(fds), timeout_usec == UINT64_MAX ? NULL : &timeout, NULL);
    if (r < 0)
        return -errno;
    return (fds[0].revents ? BUS_POLL_BUS : 0) | (fds[1].revents ? BUS_POLL_WATCHES : 0);
}

int bus_poll_wait_for_one(sd_bus *bus, const Watch *watch, uint64_t timeout_usec)
{
    bool is_waited_for = watch->set && watch->events != 0;

    return wait_for(bus, is_waited_for ? watch->fd : -1, watch->events, timeout_usec);
}

int bus_poll_wait(sd_bus *bus, WatchSet *watches, uint64_t timeout_usec)
{
    const Watch *first = LIST_FIRST(&watches->watches);
    int fd;

    if (!first)
        return wait_for(bus, -1, 0, timeout_usec);
    /* One socket alone needs no set around it. */
    if (!LIST_NEXT(first, link))
        return bus_poll_wait_for_one(bus, first, timeout_usec);
    fd = watch_set_get_poll_fd(watches);
    return fd < 0 ? fd : wait_for(bus, fd, POLLIN, timeout_usec);
}
