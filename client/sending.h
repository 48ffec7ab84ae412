/* SPDX-License-Identifier: MIT */
#pragma once

/* Sending: from the calls of the user to the outbox. */

#include "lane.h"
#include "outbox.h"
#include "text.h"

/* How many bytes of text a message may have. */
size_t send_get_max(const ipc_renderer *renderer);

/* One-way; a NUL follows the text. */
int send_one_way(ipc_renderer *renderer, LaneVerb verb, uint32_t id, const char *channel, const char *text,
                 size_t length);

/* A call to main; on failure it is gone. */
int send_call(ipc_renderer *renderer, Call *call, const Packet *packet);

/* The error of a settled call; one is made up where memory was out. NULL: it has a reply. */
const ipc_error *send_get_error(const Call *call);
