/* SPDX-License-Identifier: MIT */
#pragma once

/* Receiving: from the signals of main to the listeners. */

#include <systemd/sd-bus.h>

#include "ipc-renderer.h"

/* Runs the listeners of a signal of main. */
void receive_signal(ipc_renderer *renderer, sd_bus_message *message);

/* An event of a renderer; replies go to main (sender_id 0) or to that renderer. */
int receive_new_event(ipc_renderer *renderer, const char *channel, uint32_t sender_id, ipc_event **ret_event);

void receive_warn(ipc_renderer *renderer, const char *message);

/* The leak guard of a renderer's listeners. */
void receive_leak(const char *channel, void *renderer);
