/* SPDX-License-Identifier: MIT */
#pragma once

/* An answer that is owed to a peer: given once, in text or as an error, the way that the call came. */

#include "peer.h"
#include "request.h"
#include "text.h"
#include "traffic.h"

typedef struct Answer {
    Peer *peer;           /* a reference */
    sd_bus_message *call; /* a reference; NULL: it came by the lane */
    uint32_t serial;      /* of a call that came by the lane */
    bool is_owed;
    TrafficCall traffic;
} Answer;

/* request NULL: nobody waits for an answer. */
void answer_init(Answer *answer, Peer *peer, const Request *request);
void answer_clear(Answer *answer);

static inline bool answer_is_owed(const Answer *answer)
{
    return answer->is_owed;
}

/* Unless it was given, the answer comes later: of the call, only what that needs is kept until then. */
void answer_wait(Answer *answer);

/*
 * A JSON value. Where it is too large for the way back the peer is told TooLarge, and the answer is -EMSGSIZE. -EINVAL
 * and -ENOMEM leave it owed. -ENOTCONN, -ENOBUFS: it could not be sent.
 */
int answer_value(Answer *answer, json_t *value);

/* The same with the text of one; a NUL follows it. */
int answer_text(Answer *answer, const char *text, size_t length);

/* detail: any JSON value, or NULL. -EINVAL and -ENOMEM leave it owed. */
int answer_error(Answer *answer, const char *name, const char *message, json_t *detail);
