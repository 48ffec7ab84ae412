/* SPDX-License-Identifier: MIT */
#pragma once

/* The face that the app shows on lanes: thunks, and nothing else. */

#include "packet.h"

typedef struct ipc_sender Peer;

/* Dispatches a packet. -EBADMSG: it means nothing, and whoever sends such has no lane any more. */
int main_lane_run(Peer *peer, Packet *packet);
