/* SPDX-License-Identifier: MIT */
#pragma once

/* An invocation: an Invoke on its way through its handler, settled exactly once. */

#include "answer.h"
#include "ipc-main.h"

struct ipc_invocation {
    unsigned n_ref;
    Answer answer;
    uint32_t serial; /* of the call, as the caller knows it */
    bool is_by_lane;
    uint32_t sender_id;
    bool is_cancelled;
    ipc_cancelled_t cancelled;
    void *cancelled_userdata;
    TAILQ_ENTRY(ipc_invocation) link; /* of the peer's, until it settles */
    char channel[];
};

int invocation_new(Peer *peer, const Request *request, ipc_invocation **ret_invocation);

/* What the handler answered: a negative errno rejects. */
void invocation_returned(ipc_invocation *invocation, int r);

/* The caller gives up the invoke that came this way with this serial; that there is none is fine. */
void invocation_cancel(Peer *peer, uint32_t serial, bool is_by_lane);

/* The caller is gone: its handlers are told. */
void invocation_cancel_all(Peer *peer);

/* The app stops: each is rejected, and its handler is told. */
void invocation_reject_all(Peer *peer);
