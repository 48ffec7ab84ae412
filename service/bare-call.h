/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A bare call: what main keeps of a call that it cannot answer yet. A message may have come with a body of any size and
 * with files that nobody asked for, and sd-bus holds them as long as it lives.
 */

#include <stddef.h>
#include <systemd/sd-bus.h>

/* All that an answer needs: who called, and with which serial. */
int bare_call_new(sd_bus_message *call, sd_bus_message **ret_bare);

/*
 * All that sd-bus needs to answer it by itself, as it answers calls about properties: the strings that it begins with,
 * too. And how many bytes those have.
 */
int bare_call_new_with_strings(sd_bus_message *call, sd_bus_message **ret_bare, size_t *ret_size);
