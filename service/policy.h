/* SPDX-License-Identifier: MIT */
#pragma once

/* Who may do what. */

#include <systemd/sd-bus.h>

typedef struct ipc_sender Peer;

typedef enum Verb {
    VERB_REGISTER,
    VERB_SEND,
    VERB_INVOKE,
    VERB_SEND_SYNC,
    VERB_SEND_TO,
    VERB_SEND_TO_HOST,
} Verb;

/* channel: NULL where the verb has none. AccessDenied, with verb and channel. */
int policy_check(const Peer *peer, Verb verb, const char *channel, sd_bus_error *error);
