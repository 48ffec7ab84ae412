/* SPDX-License-Identifier: MIT */
#pragma once

/* What a program may want to have in its log: the library itself has none. */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "ipc-main.h"

/* How many denials were told lately: whoever comes again and again must not fill the log. */
typedef struct Denials {
    uint64_t since; /* us of CLOCK_MONOTONIC */
    unsigned n;     /* since then */
} Denials;

/* A warning, and what it is about: a channel, or NULL; a renderer, or 0. */
void notice_warn(ipc_app *app, const char *channel, uint32_t renderer_id, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * A message of the peer is refused: if it was the policy, that is worth a line, once a peer, unless there have been many.
 * The channel may be NULL.
 */
void notice_refusal(ipc_sender *peer, const char *channel, const sd_bus_error *error);

/* The same of a call on the bus. */
void notice_error(ipc_sender *peer, sd_bus_message *call, const sd_bus_error *error);
