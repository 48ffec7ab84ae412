/* SPDX-License-Identifier: MIT */
#pragma once

/* Registration: how a renderer finds its main process, has it started, becomes its web contents, and loses it. */

#include <systemd/sd-bus.h>

#include "ipc-renderer.h"
#include "outbox.h"

/* Looks for main, and has it started, unless that is under way or done. */
int registration_want_main(ipc_renderer *renderer);

/* The lane broke, or main did: everything on it has settled. Registers anew if main is still there. */
void registration_lane_lost(ipc_renderer *renderer);

/* The service that the bus was asked to start will not come. The error is that of the bus, or IPC_ERROR_MAIN_GONE. */
void registration_start_failed(ipc_renderer *renderer, const ipc_error *error);

/* A call of a method of the bus, for the caller to fill and ask. */
int registration_new_question(ipc_renderer *renderer, sd_bus_message **ret_message, const char *member);

/* Sends a call past all that is held; done runs at once when it settles. */
int registration_ask(ipc_renderer *renderer, sd_bus_message *message, const char *destination, CallDone done,
                     Call **ret_call);

/* The bus tells that a name has changed hands. */
void registration_name_changed(ipc_renderer *renderer, sd_bus_message *message);
