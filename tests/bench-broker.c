/* SPDX-License-Identifier: MIT */

/* A dbus-broker beside the dbus-daemon, in the same folder. */

#include <errno.h>
#include <stdio.h>

#include "bench-bus.h"
#include "broker.h"

/* What its launcher makes of the limits of a session. */
static const BrokerLimits session_limits = {
    .bytes = "100000000000000", .fds = "6400000", .matches = "5000000000", .objects = "16777216",
};

int bus_start_broker(Bus *bus)
{
    char path[192];
    Broker broker = { 0 };
    int r;

    if (!child_program_exists("dbus-broker"))
        return -ENOENT;
    snprintf(path, sizeof(path), "%s/broker", bus_get_folder());
    snprintf(bus->address, sizeof(bus->address), "unix:path=%s", path);
    r = broker_start(&broker, path, &session_limits);
    bus->daemon = (Child){ .pid = broker.pid, .control = -1 };
    bus->controller = broker.controller;
    return r;
}
