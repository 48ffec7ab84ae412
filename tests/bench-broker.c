/* SPDX-License-Identifier: MIT */

/* A dbus-broker beside the dbus-daemon, in the same folder. */

#include <errno.h>
#include <stdio.h>

#include "bench-bus.h"
#include "broker.h"

#define MAX_BYTES "1000000000" /* as dbus-daemon has it for a session */

int bus_start_broker(Bus *bus)
{
    char path[192];
    Broker broker = { 0 };
    int r;

    if (!child_program_exists("dbus-broker"))
        return -ENOENT;
    snprintf(path, sizeof(path), "%s/broker", bus_get_folder());
    snprintf(bus->address, sizeof(bus->address), "unix:path=%s", path);
    r = broker_start(&broker, path, MAX_BYTES);
    bus->daemon = (Child){ .pid = broker.pid, .control = -1 };
    bus->controller = broker.controller;
    return r;
}
