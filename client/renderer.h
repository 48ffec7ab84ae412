/* SPDX-License-Identifier: MIT */
#pragma once

/* The renderer: one connection to the bus, and how it stands with its main process. */

#include <stdbool.h>
#include <sys/queue.h>

#include "bus-poll.h"
#include "emitter.h"
#include "inbox.h"
#include "ipc-renderer.h"
#include "loop.h"
#include "outbox.h"
#include "starting.h"
#include "watch.h"
#include "wire.h"

struct ipc_renderer {
    unsigned n_ref;
    sd_bus *bus;
    sd_bus_slot *filter_slot;
    char *name;        /* the app's */
    char *title;       /* NULL: none */
    char *guest_token; /* NULL: none, or used */
    uint64_t timeout;  /* us, of calls from here on */
    Loop loop;        /* of the bus */
    WatchSet watches; /* the lane, and ports */
    BusPoll poll;
    int ready;        /* BUS_POLL_...: who is known to have something to read */
    bool is_polled;   /* who else has nothing, as of just now */

    ipc_renderer_flags flags;
    Wire lane; /* closed: there is none */
    Watch lane_watch;
    unsigned n_blocks;      /* reads of the lane that have blocked since the bus was looked at */
    uint32_t registered_id; /* before it is ready */

    ipc_renderer_state state;
    bool is_started;        /* it has looked for main at least once */
    bool is_processing; /* a callback runs */
    bool is_pumping;    /* the connection is being read */
    bool is_closing;
    bool is_watching;       /* the bus tells when the name changes hands */
    bool may_start_service; /* somebody wants main, so the bus may start it */
    bool has_lost_owner;    /* the main that it registers with has lost the name */
    bool has_new_owner;     /* the name has a new owner since it began to register */
    unsigned n_losses; /* of mains */
    unsigned n_looks;  /* since somebody wanted main, or main was there */
    Call *start_call;  /* the bus is to start main; NULL: it is not */
    Starting *starting; /* how that goes; NULL: nobody watches */
    uint32_t id;
    char *owner; /* unique name of main; NULL: not known */

    Emitter listeners;
    Emitter observers; /* by the names below */
    Outbox outbox;
    Inbox inbox;
    LIST_HEAD(, ipc_webview) webviews;
};

#define LANE_BLOCK_USEC 5000u /* us that a read of the lane may block, before the bus is looked at */
#define LANE_BLOCKS_MAX 64u   /* such reads before the bus is looked at all the same */

#define RENDERER_STATE "state"
#define RENDERER_WARNING "warning"
#define RENDERER_ANY "any"

/* -EINVAL, -ENOTCONN */
int renderer_check_open(const ipc_renderer *renderer);

/* It is in no loop any more. */
void renderer_detach(ipc_renderer *renderer);

/* Moves messages between the bus and the boxes; no callback runs. The answer is that of ipc_renderer_process(). */
int renderer_pump(ipc_renderer *renderer);

/* Blocks until something comes by the lane, for a moment, if there are so many us; whether there was anything. */
bool renderer_block_on_lane(ipc_renderer *renderer, uint64_t left);

/* -ENOBUFS: main does not read. */
int renderer_send_by_lane(ipc_renderer *renderer, const Packet *packet);

/* Something has come by the lane: reads and tells it. */
void renderer_run_lane(ipc_renderer *renderer);

/* Until when pump() has nothing to do but read: us of CLOCK_MONOTONIC. */
int renderer_get_pump_timeout(ipc_renderer *renderer, uint64_t *ret_usec);

/* The same, in us from now. */
int renderer_get_left(ipc_renderer *renderer, uint64_t *ret_usec);

/* The state changes; observers hear of it in turn. The error may be NULL. */
void renderer_set_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error);

/* The bus went away: everything settles. */
void renderer_lose_bus(ipc_renderer *renderer);
