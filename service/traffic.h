/* SPDX-License-Identifier: MIT */
#pragma once

/* Traffic: everything that goes between main and its peers is counted here and, if somebody watches, told. */

#include "figures.h"
#include "ipc-main.h"
#include "monitor.h"
#include "request.h"
#include "verb.h"

/* What is known of a call until it ends, as a part of the answer that is owed. */
typedef struct TrafficCall {
    Figures *figures; /* of its channel; NULL: it has ended, or is none that is counted */
    uint64_t serial;  /* of all calls of the app */
    uint64_t began;   /* ns of CLOCK_MONOTONIC */
    const char *channel; /* borrowed from whoever owes the answer */
    Verb verb;
    uint32_t sender_id;
    bool is_by_lane;
} TrafficCall;

/* A message that has been let in, while it is dispatched. */
typedef struct Passage {
    ipc_app *app; /* borrowed */
    Peer *peer;   /* borrowed */
    const Request *request;
    uint64_t began; /* ns of CLOCK_MONOTONIC */
    Line line;      /* set if somebody watches */
} Passage;

/*
 * A message comes in; receiver_id: the renderer that it is for, 0: it is for main. It either goes through (is_own: the
 * program uses its channel) or is turned back; the refusal is told by who makes it.
 */
void traffic_enter(Passage *passage, Peer *peer, Verb verb, const Request *request, uint32_t receiver_id);
void traffic_leave(Passage *passage, bool is_own);
void traffic_turn_back(Passage *passage);

/*
 * A call comes in. Its dispatching is over before it ends, or after; that none has come in (zeroes) is fine. The
 * channel outlives the call.
 */
void traffic_enter_call(Passage *passage, TrafficCall *call, Peer *peer, Verb verb, const Request *request,
                        const char *channel, bool is_own);
void traffic_leave_call(Passage *passage);

/* The end of a call; the second time, and of one that was not counted, nothing happens. */
void traffic_resolved(TrafficCall *call, Peer *peer, const char *text, size_t length);
void traffic_rejected(TrafficCall *call, Peer *peer, const char *name, const char *message, const Text *detail);
void traffic_abandoned(TrafficCall *call, Peer *peer);

/* A message was sent to the peer. */
typedef struct Outgoing {
    const char *verb;
    uint32_t sender_id;  /* 0: main */
    const char *channel; /* NULL: it is on none */
    const char *text;    /* NULL: none */
    size_t length;
    const ipc_transfer *transfer; /* the text is one value, and this goes along */
    bool is_posted;
} Outgoing;

void traffic_sent(Peer *peer, const Outgoing *outgoing);

/* What a peer asked for is refused. */
typedef struct Refusal {
    const char *verb;
    uint32_t receiver_id;
    const char *channel; /* NULL: none, or not even that can be read. Whatever was sent */
    const char *text;    /* the same */
    size_t length;
    bool is_by_lane;
} Refusal;

void traffic_refused(Peer *peer, const Refusal *refusal, const sd_bus_error *error);
void traffic_refused_message(Peer *peer, sd_bus_message *message, const sd_bus_error *error);

/* Other things that a peer does: it has come, gone, got a lane. */
void traffic_happened(Peer *peer, const char *verb, const ipc_web_contents *contents);
