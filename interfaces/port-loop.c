/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#include "macro.h"
#include "port.h"

/* What drives a port. */

static void on_ready(Watch *watch)
{
    ipc_port *port = CONTAINER_OF(watch, ipc_port, watch);

    if (port->is_processing)
        return;
    if (!port->is_lingering)
        (void)port_process(port);
    else if (wire_flush(&port->wire) < 0 || !wire_has_unwritten(&port->wire))
        port_linger_over(port);
}

/* Who drove it is gone. */
static void on_unwatched(Watch *watch)
{
    ipc_port *port = CONTAINER_OF(watch, ipc_port, watch);

    if (port->is_lingering)
        port_linger_over(port);
}

int port_attach(ipc_port *port, WatchSet *set)
{
    int r = port_check(port);

    if (r < 0)
        return r;
    if (port->watch.set)
        return -EBUSY;
    if (port->is_ended)
        return -ENOTCONN;
    return watch_add(set, &port->watch, port->wire.fd, port_wanted_events(port), on_ready, on_unwatched);
}

int ipc_port_attach_event(ipc_port *port, sd_event *event, int64_t priority)
{
    _cleanup_(sd_event_unrefp) sd_event *loop = NULL;
    int r = port_check(port);

    if (r < 0)
        return r;
    if (event)
        loop = sd_event_ref(event);
    else if ((r = sd_event_default(&loop)) < 0)
        return r;
    if (port->watch.set)
        return -EBUSY;
    r = watch_set_attach(&port->set, loop, priority);
    if (r >= 0)
        r = port_attach(port, &port->set);
    if (r < 0) {
        watch_set_detach(&port->set);
        return r;
    }
    sd_event_unref(port->event);
    port->event = TAKE_PTR(loop);
    return 0;
}

int ipc_port_detach_event(ipc_port *port)
{
    if (!port)
        return -EINVAL;
    if (!port->is_lingering)
        watch_remove(&port->watch);
    return 0;
}

static int port_check_pollable(const ipc_port *port)
{
    int r = port_check(port);

    if (r < 0)
        return r;
    if (port->is_ended)
        return -ENOTCONN;
    return port_wanted_events(port) == 0 ? -EAGAIN : 0;
}

int ipc_port_get_fd(ipc_port *port)
{
    int r = port_check_pollable(port);

    return r < 0 ? r : port->wire.fd;
}

int ipc_port_get_events(ipc_port *port)
{
    int r = port_check_pollable(port);

    return r < 0 ? r : (int)port_wanted_events(port);
}

int ipc_port_get_timeout(ipc_port *port, uint64_t *ret_usec)
{
    int r = ret_usec ? port_check_pollable(port) : -EINVAL;

    if (r < 0)
        return r;
    *ret_usec = port->has_ahead || port->ahead_error < 0 ? 0 : UINT64_MAX;
    return 0;
}

int ipc_port_process(ipc_port *port)
{
    int r = port_check(port);

    if (r < 0)
        return r;
    if (port->is_ended)
        return -ENOTCONN;
    if (port->is_processing)
        return -EBUSY;
    /* After what wait() has read comes another wait(), which sees the next one. */
    if (port->was_read && !port->has_ahead) {
        port->was_read = false;
        return 0;
    }
    return port_process(port);
}

/*
 * Nothing else to wait for, and no end to it: then reading is the way to wait. 0: it is not, since whoever else holds
 * the socket has made it one that does not block, or not for long.
 */
static int wait_and_read(ipc_port *port)
{
    int r;

    errno = 0;
    r = wire_receive(&port->wire, 0, &port->ahead);
    if (r == 0)
        return errno == EINTR ? -EINTR : 0;
    port->has_ahead = r > 0;
    port->was_read = r > 0;
    port->ahead_error = r < 0 ? r : 0;
    return 1;
}

int ipc_port_wait(ipc_port *port, uint64_t timeout_usec)
{
    struct timespec timeout = { .tv_sec = (time_t)(timeout_usec / 1000000), .tv_nsec = timeout_usec % 1000000 * 1000 };
    struct pollfd pollfd;
    int r = port_check_pollable(port);

    if (r < 0)
        return r;
    if (port->has_ahead || port->ahead_error < 0)
        return 1;
    if (timeout_usec == UINT64_MAX && port_wanted_events(port) == EPOLLIN) {
        r = wait_and_read(port);
        if (r != 0)
            return r;
    }
    pollfd = (struct pollfd){ .fd = port->wire.fd, .events = (short)port_wanted_events(port) };
    r = ppoll(&pollfd, 1, timeout_usec == UINT64_MAX ? NULL : &timeout, NULL);
    return r < 0 ? -errno : r;
}
