/* SPDX-License-Identifier: MIT */
#pragma once

/* How errors are made and read on both sides. */

#include <systemd/sd-bus.h>

#include "ipc-error.h"

/* Sets an error that is not set yet; the message is printf()'s. -ENOMEM. */
int error_setf(ipc_error *error, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* From an error message of the bus: the name, and a body of `s` or `ss` (message, detail). -ENOMEM. */
int error_from_message(ipc_error *error, sd_bus_message *message);
