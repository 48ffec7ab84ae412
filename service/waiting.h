/* SPDX-License-Identifier: MIT */
#pragma once

/* What came from a peer and waits until it is known who that is, in order, and bounded with what waits for the peer. */

#include <sys/queue.h>

#include "peer.h"

/* Busy: too much waits already. -ENOMEM. */
int waiting_push(Peer *peer, sd_bus_message *message, PeerRun run, sd_bus_error *error);

/* The first one, whose reference is the caller's; or NULL. */
sd_bus_message *waiting_pop(Peer *peer, PeerRun *ret_run);

void waiting_clear(Peer *peer);
