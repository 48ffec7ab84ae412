/* SPDX-License-Identifier: MIT */
#pragma once

/* One message on its way through the listeners; each side brings what it can do with it. */

#include "args.h"
#include "emitter.h"
#include "ipc-event.h"
#include "text.h"
#include "transfer.h"

typedef struct EventOps {
    /* NULL: there is no way back. */
    int (*reply)(ipc_event *event, const char *channel, const char *text, size_t length);
    size_t (*get_reply_max)(const ipc_event *event); /* bytes of text; NULL: IPC_ARGS_MAX */
    int (*answer)(ipc_event *event, json_t *value); /* NULL: messages of this side are never sync */
    int (*answer_text)(ipc_event *event, const char *text, size_t length); /* the same */
    ipc_sender *(*get_sender)(const ipc_event *event); /* NULL: there is none */
    void (*destroy)(ipc_event *event);
} EventOps;

/* The first member of what each side allocates. */
struct ipc_event {
    unsigned n_ref;
    const EventOps *ops;
    uint32_t sender_id;
    bool is_sync; /* the sender still waits for an answer */
    bool was_sync;
    bool is_posted; /* by post_message */
    int ended; /* what a later answer gets: -EALREADY, -ENOTCONN */
    char *channel; /* NULL: it came on none */
    Transfers *transfers; /* NULL: nothing came along */
};

/* The channel is copied; NULL: none. The event is freed, by its destroy, with event_done() and free(). -ENOMEM. */
int event_init(ipc_event *event, const EventOps *ops, const char *channel, uint32_t sender_id, bool is_sync);
void event_done(ipc_event *event);

/* Runs the listeners of a channel with an event, each with what it wants; the answer is how many ran. */
size_t event_emit(Emitter *emitter, const char *channel, ipc_event *event, Args *args);
