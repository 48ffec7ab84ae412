/* SPDX-License-Identifier: MIT */
#pragma once

/* What waits for a peer in main's memory, in order, while the connection does not take it. */

#include <stddef.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "backlog.h"
#include "ipc-main.h"

typedef struct ipc_sender Peer;
typedef struct Queued Queued;

typedef struct PeerQueue {
    TAILQ_HEAD(, Queued) messages;
    size_t bytes;
    TAILQ_ENTRY(ipc_sender) link; /* of the app's, while there are messages */
} PeerQueue;

/* The queues of an app that are not empty, in the order of their turns. */
typedef struct PeerQueueSet {
    TAILQ_HEAD(, ipc_sender) waiting;
    Backlog backlog;
} PeerQueueSet;

void peer_queue_init(PeerQueue *queue);
void peer_queue_set_init(PeerQueueSet *set);

/* Sends the message or keeps it, behind what waits already. -ENOBUFS: too much does. */
int peer_queue_send(Peer *peer, sd_bus_message *message, size_t size);

/* Sends what the connection takes, one message of each peer in turn. */
void peer_queue_flush(ipc_app *app);

/* The peer is gone. */
void peer_queue_clear(Peer *peer);
