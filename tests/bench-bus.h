/* SPDX-License-Identifier: MIT */
#pragma once

/* The bus: a dbus-daemon of the benchmark's own, with the limits of a session bus, in a temporary folder. */

#include <systemd/sd-bus.h>

#include "bench-child.h"

typedef struct Bus {
    Child daemon;
    sd_bus *controller; /* of a dbus-broker; NULL: it is a dbus-daemon */
    char address[256];
} Bus;

/* Limits beside those of a session bus, as XML: they win; "" is none. */
int bus_start(Bus *bus, const char *limits);

/* The temporary folder, once a bus was started. */
const char *bus_get_folder(void);

/* A dbus-broker beside it. -ENOENT: it is not installed. Stop it first. */
int bus_start_broker(Bus *bus);

/* From here on dbus-daemon starts the command for whoever calls the name. */
int bus_add_service(const Bus *bus, const char *name, const char *command);

/* Returns when nobody owns the name any more. -ETIMEDOUT. */
int bus_wait_until_free(const char *address, const char *name);

void bus_stop(Bus *bus);

/* A connection of its own. */
int bus_open(const char *address, sd_bus **ret_bus);

/* Returns when the name is owned, as the child is about to. -ESRCH: it ended before; -ETIMEDOUT. */
int bus_wait_for_name(const char *address, const char *name, const Child *owner);
