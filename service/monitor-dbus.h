/* SPDX-License-Identifier: MIT */
#pragma once

/* The D-Bus face of the monitor and of the figures: a vtable and thunks, and nothing else. */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

#include "ipc-main.h"

/* Beside the main interface, on the same object. */
int monitor_dbus_add(ipc_app *app, sd_bus_slot **ret_slot);

extern const sd_bus_vtable monitor_vtable[];

/* About how many bytes its properties have. */
size_t monitor_dbus_estimate(const ipc_app *app);
