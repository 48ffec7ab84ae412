/* SPDX-License-Identifier: MIT */
#pragma once

/* How an object that has a bus and watches is waited for, outside of sd-event: by one fd, or by sleeping in it. */

#include <systemd/sd-bus.h>

#include "watch.h"

typedef struct BusPoll {
    int fd;          /* readable when any of them is ready; -1: nobody has asked */
    uint32_t events; /* that the bus is waited for with */
} BusPoll;

#define BUS_POLL_INIT { .fd = -1 }

/* The fd, which belongs to the object. Negative errno as of epoll. */
int bus_poll_get_fd(BusPoll *poll, sd_bus *bus, WatchSet *watches);

/* Before each sleep: what the bus waits for changes with each message. The answer is what to poll the fd for. */
int bus_poll_update(BusPoll *poll, sd_bus *bus, WatchSet *watches);

void bus_poll_clear(BusPoll *poll);

#define BUS_POLL_BUS 1     /* the bus is ready */
#define BUS_POLL_WATCHES 2 /* a watch is */

/* Sleeps, so many us at most, and tells who is ready: a set of the above, 0 if nobody, or -EINTR and the like. */
int bus_poll_wait(sd_bus *bus, WatchSet *watches, uint64_t timeout_usec);

/* The same with one of the watches, whoever else is ready. One that is in no set is never ready. */
int bus_poll_wait_for_one(sd_bus *bus, const Watch *watch, uint64_t timeout_usec);
