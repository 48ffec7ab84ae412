/* SPDX-License-Identifier: MIT */
#pragma once

/* An answer that is owed to a peer: given once, in text or as an error. */

#include "peer.h"
#include "text.h"

typedef struct Answer {
    Peer *peer;           /* a reference */
    sd_bus_message *call; /* a reference; NULL: given */
} Answer;

void answer_init(Answer *answer, Peer *peer, sd_bus_message *call);
void answer_clear(Answer *answer);

static inline bool answer_is_owed(const Answer *answer)
{
    return answer->call != NULL;
}

/* The answer comes later: the call need not keep its args in memory until then. */
void answer_forget_args(Answer *answer);

/*
 * A JSON value. Over IPC_ARGS_MAX the peer is told TooLarge, and the answer is -EMSGSIZE. -EINVAL and -ENOMEM leave it
 * owed. -ENOTCONN, -ENOBUFS: it could not be sent.
 */
int answer_value(Answer *answer, json_t *value);

/* detail: any JSON value, or NULL. -EINVAL and -ENOMEM leave it owed. */
int answer_error(Answer *answer, const char *name, const char *message, json_t *detail);
