/* SPDX-License-Identifier: MIT */
#pragma once

/* Web contents: main's view of one registered renderer. */

#include <stdbool.h>
#include <sys/queue.h>

#include "emitter.h"
#include "ipc-main.h"
#include "main.h"

typedef struct ipc_sender Peer;

struct ipc_web_contents {
    unsigned n_ref;
    uint32_t id;
    Peer *peer;             /* a reference */
    uint64_t connected;     /* us of CLOCK_REALTIME */
    uint64_t n_sent_before; /* messages to and from the peer before it registered */
    uint64_t n_received_before;
    ipc_web_contents *host; /* borrowed; NULL: no guest, or the host is gone */
    LIST_HEAD(, ipc_web_contents) guests;
    LIST_ENTRY(ipc_web_contents) guest_link;
    TAILQ_ENTRY(ipc_web_contents) link;
    ipc_main *main;     /* NULL until somebody asks */
    Emitter *observers; /* the same */
    unsigned n_tokens;  /* that no guest has used yet */
    bool is_destroyed;
    char title[];
};

typedef struct WebContentsSet {
    void *tree; /* by id */
    TAILQ_HEAD(, ipc_web_contents) list;
    uint32_t last_id;
    unsigned n;
} WebContentsSet;

/* The names of its observers. */
#define WEB_CONTENTS_MESSAGE "ipc-message"
#define WEB_CONTENTS_MESSAGE_SYNC "ipc-message-sync"
#define WEB_CONTENTS_DESTROYED "destroyed"

void web_contents_set_init(WebContentsSet *set);

/* Makes the peer a renderer, for which there is a quota. -ENOMEM. */
int web_contents_create(Peer *peer, const char *title, ipc_web_contents *host, ipc_web_contents **ret_contents);

/* Tells everyone of a new one. */
void web_contents_announce(ipc_web_contents *contents);

/* The peer has left: the app and the observers are told, the object goes, the set forgets it. */
void web_contents_destroy(ipc_web_contents *contents);

/* Of the emitters whose callbacks are about web contents. */
void web_contents_call(EmitterFunction function, void *userdata, void *context);
