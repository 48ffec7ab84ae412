/* SPDX-License-Identifier: MIT */
#pragma once

/* The lane of a peer: main's end of it. */

#include "ipc-main.h"
#include "lane.h"
#include "watch.h"
#include "wire.h"

typedef struct ipc_sender Peer;

typedef struct PeerLane {
    unsigned n_ref; /* the peer's, and one while a packet is dispatched, which lies in its buffer */
    Peer *peer;     /* borrowed: a lane does not outlive its peer */
    Wire wire;
    size_t n_counted; /* bytes unread on the wire that the peer's quota knows of */
    unsigned n_unread; /* answers that could not be written at once, since all was written */
    bool is_leaving;   /* its owner is no longer on the bus */
    Watch watch;
} PeerLane;

/* Makes a lane; the other end is the caller's to close. -EALREADY: it has one. -EMFILE, -ENOMEM. */
int peer_lane_open(Peer *peer, int *ret_fd);

/* The peer goes, and its lane with it. */
void peer_lane_close(Peer *peer);

/* It cannot be served: it ends when what the peer has written was read, and the peer hears of it. */
void peer_lane_break(Peer *peer);

/* Writes a packet, or keeps it. -ENOBUFS: the peer does not read. -ENOTCONN: it is gone. -ENOMEM. */
int peer_lane_send(Peer *peer, const Packet *packet);

/* The same of a small one that has to go, however much the peer has not read. */
int peer_lane_send_anyway(Peer *peer, const Packet *packet);

/*
 * Dispatches what the peer has written until now, but not much and nothing without end. If that was the end, or no
 * packet, the peer vanishes; so hold it, and the app. The answer is whether there was anything.
 */
bool peer_lane_drain(Peer *peer);

/* The owner has left the bus: what was written until now is dispatched, if need be by the loop, and the peer vanishes. */
void peer_lane_leave(Peer *peer);

/* What waits for the peer by its lane, and has perhaps been read meanwhile, is counted anew. */
void peer_lane_recount(Peer *peer);

/* Whether something waits to be written to it. */
bool peer_lane_has_unwritten(const Peer *peer);
