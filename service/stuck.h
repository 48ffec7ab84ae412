/* SPDX-License-Identifier: MIT */
#pragma once

/* Who does not read what is sent to it. The program is told, once until the peer has read all. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ipc-main.h"

typedef struct ipc_sender Peer;

typedef struct Stuck {
    bool is_listed;
    bool is_refused; /* a message found no room: it is to be told at once */
    bool is_told;
    uint64_t since; /* us of CLOCK_MONOTONIC */
    TAILQ_ENTRY(ipc_sender) link;
} Stuck;

/* Those who may have to be told of, in the order in which it is time. */
typedef struct StuckSet {
    TAILQ_HEAD(StuckList, ipc_sender) list;
} StuckSet;

void stuck_set_init(StuckSet *set);

/* The peer has something to read before it is sent more. */
void stuck_begin(Peer *peer);

/* It has read something, and may be sent more. */
void stuck_interrupt(Peer *peer);

/* It has read all, or is gone. */
void stuck_end(Peer *peer);

/* It is so far behind that a message to it was refused. */
void stuck_refuse(Peer *peer);

/* Tells of those for whom it is time, and when it will be for the next: us of CLOCK_MONOTONIC; UINT64_MAX: never. */
void stuck_tell(ipc_app *app);
uint64_t stuck_get_deadline(const ipc_app *app);

/* The app stops, and waits no longer: tells of those for whom something is left. */
void stuck_give_up(ipc_app *app);
