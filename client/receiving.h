/* SPDX-License-Identifier: MIT */
#pragma once

/* Receiving: from the signals of main to the listeners. */

#include <systemd/sd-bus.h>

#include "args.h"
#include "ipc-renderer.h"
#include "lane.h"
#include "transfer.h"

/* What main says unasked, whichever way it came. */
typedef struct Signal {
    LaneVerb verb;
    uint32_t id; /* of the sender, or the guest */
    unsigned n_losses; /* of mains, when it came: ids are those of that main */
    const char *channel;
    const char *text;
    size_t length;
    Transfers *transfers; /* owned until it is taken; NULL: none */
} Signal;

/* Runs the listeners of a signal that main sent when so many others had been lost. */
void receive_signal(ipc_renderer *renderer, sd_bus_message *message, unsigned n_losses);
void receive_packet(ipc_renderer *renderer, Packet *packet, unsigned n_losses);

/* What a message of main says; it is not parsed yet. */
Args receive_args_of(const Signal *signal);

/* An event of a renderer; replies go to main (id 0) or to that renderer. */
int receive_new_event(ipc_renderer *renderer, const Signal *signal, ipc_event **ret_event);

void receive_warn(ipc_renderer *renderer, const char *message);

/* The leak guard of a renderer's listeners. */
void receive_leak(const char *channel, void *renderer);
