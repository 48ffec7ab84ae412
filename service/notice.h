/* SPDX-License-Identifier: MIT */
#pragma once

/* What a program may want to have in its log: the library itself has none. */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "ipc-main.h"

/* A warning, and what it is about: a channel, or NULL; a renderer, or 0. */
void notice_warn(ipc_app *app, const char *channel, uint32_t renderer_id, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A message of the peer is refused: if it was the policy, that is worth a line, once a peer. The channel may be NULL. */
void notice_refusal(ipc_sender *peer, const char *channel, const sd_bus_error *error);

/* The same of a call on the bus. */
void notice_error(ipc_sender *peer, sd_bus_message *call, const sd_bus_error *error);
