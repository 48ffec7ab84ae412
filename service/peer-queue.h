/* SPDX-License-Identifier: MIT */
#pragma once

/* What waits for a peer in main's memory, in order, while the connection or the peer's window does not take it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "backlog.h"
#include "ipc-main.h"

typedef struct ipc_sender Peer;
typedef struct Queued Queued;
typedef struct Readmitted Readmitted;

typedef enum QueueState {
    QUEUE_EMPTY,
    QUEUE_READY, /* waits for its turn */
    QUEUE_SHUT,  /* waits for the peer to read */
    QUEUE_SHORT, /* waits for any peer to read */
    N_QUEUE_STATES,
} QueueState;

typedef struct PeerQueue {
    TAILQ_HEAD(, Queued) messages;
    size_t bytes;
    QueueState state;
    TAILQ_ENTRY(ipc_sender) link; /* of the set's list for the state, unless the queue is empty */

    unsigned n_answers;     /* among the messages */
    uint64_t last_call;     /* the cookie of the last message that came from the peer */
    uint64_t last_answered; /* of the last that has an answer among the messages */
    bool is_awaited;        /* the peer waits for that answer, and does nothing else */
    uint64_t quiet_since;   /* last_call, when the bus was asked whether that is so */
    sd_bus_slot *quiet_slot;
} PeerQueue;

/* The queues of an app. */
typedef struct PeerQueueSet {
    TAILQ_HEAD(QueueList, ipc_sender) lists[N_QUEUE_STATES];
    TAILQ_HEAD(, Readmitted) readmitted;
    Backlog backlog;
} PeerQueueSet;

void peer_queue_init(PeerQueue *queue);
void peer_queue_set_init(PeerQueueSet *set);
void peer_queue_set_clear(PeerQueueSet *set); /* all peers are gone */

/* Sends the message or keeps it, behind what waits already. -ENOBUFS: too much does. */
int peer_queue_send(Peer *peer, sd_bus_message *message, size_t size);

/* The same of a small one that has to go, however much waits. */
int peer_queue_send_anyway(Peer *peer, sd_bus_message *message, size_t size);

/*
 * A call that sd-bus answers by itself, with about so many bytes. 0: let it; 1: it was kept, and will be read again in
 * its turn; -ENOBUFS.
 */
int peer_queue_admit(Peer *peer, sd_bus_message *call, size_t size);

/* The same for one that cannot be let now, because it is not what sd-bus is at: it is read again in its turn. */
int peer_queue_defer(Peer *peer, sd_bus_message *call, size_t size);

/* Whether it is such a call that has been kept, and has its turn now. */
bool peer_queue_set_take_readmitted(PeerQueueSet *set, const sd_bus_message *call);

/*
 * Refuses a call of a peer that has not read the answers to so many before, and sends that out of turn if it can. The
 * answer tells whether it did.
 */
bool peer_queue_refuse(Peer *peer, sd_bus_message *call);

/* A message came from the peer, so it does not just wait. */
void peer_queue_peer_has_sent(Peer *peer, sd_bus_message *message);

/* Its window has changed. */
void peer_queue_peer_has_read(Peer *peer);

/* Sends what the connection and the windows take, one message of each peer in turn. */
void peer_queue_flush(ipc_app *app);

/* The app stops: what waits is sent to those as well who have not been seen to read. */
void peer_queue_leave(ipc_app *app);

bool peer_queue_set_is_empty(const PeerQueueSet *set);


/* The peer is gone. */
void peer_queue_clear(Peer *peer);
