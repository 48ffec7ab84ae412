/* SPDX-License-Identifier: MIT */
#pragma once

/* Sending: from the calls of the user to the outbox. */

#include "outbox.h"
#include "text.h"

/* One-way: member Send or SendToHost. */
int send_text(ipc_renderer *renderer, const char *member, const char *channel, const Text *args);
int send_text_to(ipc_renderer *renderer, uint32_t id, const char *channel, const Text *args);

/* A call to main whose message the types and values make; on failure the call is gone. */
int send_call(ipc_renderer *renderer, Call *call, const char *member, size_t size, const char *types, ...);

/* The error of a settled call; one is made up where memory was out. NULL: it has a reply. */
const ipc_error *send_get_error(const Call *call);
