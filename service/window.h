/* SPDX-License-Identifier: MIT */
#pragma once

/* What the peers have been sent and have not been seen to read: how much more each may be sent now. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "ipc-main.h"

typedef struct ipc_sender Peer;

typedef enum WindowAsking {
    WINDOW_NOTHING, /* it has read all: there is nothing to ask */
    WINDOW_UNASKED, /* something is unread, and it is early to ask */
    WINDOW_WANTING, /* it is to be asked, when there is a ping to spare */
    WINDOW_ASKED,   /* a ping is under way */
    N_WINDOW_ASKINGS,
} WindowAsking;

typedef struct Window {
    size_t unread;      /* bytes sent since the last that are known to be read */
    size_t asked_about; /* of them, those before the ping */
    bool is_fresh;      /* it has just said that it has read all */
    bool has_answered;  /* some ping */
    WindowAsking asking;
    uint64_t asked_at; /* us of CLOCK_MONOTONIC */
    sd_bus_slot *ping_slot;
    TAILQ_ENTRY(ipc_sender) link; /* of the set's list, unless there is nothing to ask */
} Window;

/* Those of all peers of an app. */
typedef struct WindowSet {
    TAILQ_HEAD(WindowList, ipc_sender) lists[N_WINDOW_ASKINGS]; /* each in order of entry */
    unsigned n_asked;
    size_t unread;
    size_t unread_large; /* of it, what is beyond two windows of each peer */
    bool is_leaving;     /* the app stops, and what is not sent now never will be */
    bool is_refused;     /* the bus does not let pings through, which has been warned of */
} WindowSet;

typedef enum WindowAnswer {
    WINDOW_OPEN,
    WINDOW_SHUT,  /* until the peer has answered */
    WINDOW_SHORT, /* until any peer has: all have too much unread */
} WindowAnswer;

void window_set_init(WindowSet *set);

/* Whether a message of so many bytes may be sent now. is_awaited: the peer waits for it, or for one behind it. */
WindowAnswer window_check(const Peer *peer, size_t size, bool is_awaited);

/* It was sent. */
void window_sent(Peer *peer, size_t size);

/* Asks the peer, or notes that it is to be asked. */
void window_ask(Peer *peer);

/* Asks those who are to be asked and, when all have too much unread, others as well. */
void window_ask_more(ipc_app *app, bool is_short);

/* The peer is gone, and what it had not read with it. */
void window_forget(Peer *peer);
