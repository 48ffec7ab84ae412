/* SPDX-License-Identifier: MIT */
#pragma once

/* A webview: the host's view of one guest. */

#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "emitter.h"
#include "ipc-renderer.h"
#include "receiving.h"

struct ipc_webview {
    unsigned n_ref;
    ipc_renderer *renderer; /* a reference */
    ipc_webview_state state;
    char *token;
    uint32_t id;
    unsigned n_losses; /* of mains of the renderer, before it was made */
    ipc_slot *create_slot; /* of the call that makes the token */
    Emitter observers;     /* by the names below */
    LIST_ENTRY(ipc_webview) link;
};

#define WEBVIEW_STATE "state"
#define WEBVIEW_MESSAGE "ipc-message"

/* A signal of main about webviews. -EBADMSG: of something else. */
int webview_receive(ipc_renderer *renderer, const Signal *signal);

/* So many mains are gone, and every guest of theirs with them. */
void webview_detach_all(ipc_renderer *renderer, unsigned n_losses, const ipc_error *error);
