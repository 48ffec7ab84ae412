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

int bus_poll_wait(sd_bus *bus, WatchSet *watches, uint64_t timeout_usec)
{
    struct timespec timeout = { .tv_sec = (time_t)(timeout_usec / 1000000), .tv_nsec = timeout_usec % 1000000 * 1000 };
    struct pollfd fds[2] = { { .fd = sd_bus_get_fd(bus) }, { .fd = -1, .events = POLLIN } };
    int events, r;

    events = sd_bus_get_events(bus);
    if (events < 0)
        return events;
    fds[0].events = (short)events;
    /* One socket alone needs no set around it. */
    if (!LIST_EMPTY(&watches->watches) && !LIST_NEXT(LIST_FIRST(&watches->watches), link)) {
        if (LIST_FIRST(&watches->watches)->events != 0) {
            fds[1].fd = LIST_FIRST(&watches->watches)->fd;
            fds[1].events = (short)LIST_FIRST(&watches->watches)->events;
        }
    } else if (!LIST_EMPTY(&watches->watches)) {
        fds[1].fd = watch_set_get_poll_fd(watches);
        if (fds[1].fd < 0)
            return fds[1].fd;
    }
    r = ppoll(fds, ELEMENTSOF(fds), timeout_usec == UINT64_MAX ? NULL : &timeout, NULL);
    if (r < 0)
        return -errno;
    return (fds[0].revents ? BUS_POLL_BUS : 0) | (fds[1].revents ? BUS_POLL_WATCHES : 0);
}
