/* SPDX-License-Identifier: MIT */
#pragma once

/* What each verb does, whichever way its message came. Failures set the error, and are sent back by the caller. */

#include "peer.h"
#include "request.h"
#include "webview-host.h"

/* The answer goes first; then, if the renderer is new, dispatch_registered() tells everyone. */
int dispatch_register(Peer *peer, const char *title, const char *guest_token, uint32_t *ret_id, bool *ret_is_new,
                      sd_bus_error *error);
void dispatch_registered(Peer *peer, const char *guest_token);
int dispatch_send(Peer *peer, Request *request, sd_bus_error *error);
int dispatch_send_to(Peer *peer, uint32_t id, Request *request, sd_bus_error *error);
int dispatch_send_to_host(Peer *peer, Request *request, sd_bus_error *error);
int dispatch_post_message(Peer *peer, Request *request, sd_bus_error *error);
int dispatch_open_lane(Peer *peer, int *ret_fd, sd_bus_error *error);
int dispatch_create_webview(Peer *peer, char ret_token[TOKEN_SIZE], sd_bus_error *error);

/* Returns before the answer is given, or after. */
int dispatch_invoke(Peer *peer, Request *request, sd_bus_error *error);
int dispatch_send_sync(Peer *peer, Request *request, sd_bus_error *error);
