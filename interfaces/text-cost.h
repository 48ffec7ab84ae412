/* SPDX-License-Identifier: MIT */
#pragma once

/* What the values of a JSON text cost: a text of empty objects takes eighty times as much memory as itself. */

#include <stddef.h>
#include <systemd/sd-bus.h>

/* Whether that stays under IPC_VALUES_BYTES_MAX. The text need not be JSON. */
int text_check_cost(const char *text, size_t length);

/* The same, and sets the error TooLarge. -EMSGSIZE. */
int text_check_cost_of(const char *text, size_t length, const char *what, sd_bus_error *error);
