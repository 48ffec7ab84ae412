/* SPDX-License-Identifier: MIT */
#pragma once

/* A peer: one connection of the bus that has called the app, registered or not, and what the bus vouches for. */

#include <stdbool.h>
#include <sys/queue.h>

#include "ipc-main.h"
#include "ipc-port.h"
#include "peer-queue.h"
#include "stuck.h"
#include "process.h"
#include "quota.h"
#include "window.h"

typedef struct ipc_sender Peer;
typedef struct PeerLane PeerLane;
typedef struct Waiting Waiting;

/* What a message does once it is known who sent it. A negative answer, or a set error, is sent back. */
typedef int (*PeerRun)(Peer *peer, sd_bus_message *message, sd_bus_error *error);

struct ipc_sender {
    unsigned n_ref;
    ipc_app *app; /* NULL: it has left the bus, or the app has */
    bool is_known;
    bool has_uid;
    bool has_pid;
    bool has_groups;
    bool is_denial_told; /* to who observes notices */
    uid_t uid;
    pid_t pid;
    gid_t *groups; /* all of them */
    size_t n_groups;
    Process *process; /* NULL: nobody has asked */
    uint64_t n_sent;     /* messages to it */
    uint64_t n_received; /* messages from it */
    uint64_t n_calls;    /* of them, those that were let in and want an answer */
    uint64_t n_errors;   /* calls that ended with one, and messages that were refused */
    uint64_t n_bytes;    /* of JSON text, both ways */
    ipc_web_contents *contents; /* owned; NULL: anonymous */
    sd_bus_slot *credentials_slot;
    TAILQ_HEAD(, Waiting) waiting; /* messages that came before its credentials, in order */
    TAILQ_HEAD(, ipc_invocation) invocations; /* those that have not settled */
    TAILQ_HEAD(, MainEvent) syncs;            /* sync messages that have not been answered */
    unsigned n_pending;                       /* both */
    PeerQueue queue;
    Stuck stuck;
    Window window;
    User *user;     /* as long as it is on the bus */
    PeerLane *lane; /* NULL: what goes to it goes by the bus */
    TAILQ_ENTRY(ipc_sender) link;
    char unique_name[];
};

typedef struct PeerSet {
    void *tree; /* by unique name */
    TAILQ_HEAD(, ipc_sender) list;
} PeerSet;

void peer_set_init(PeerSet *set);

Peer *peer_find(PeerSet *set, const char *unique_name);

/* The sender of a message; it is noted if it is new. */
int peer_obtain(ipc_app *app, sd_bus_message *message, Peer **ret_peer);

/*
 * Runs the function now or, for a peer that is new, when the bus has told who it is; messages keep their order, and
 * what fails is answered. The answer is that of a handler of sd-bus.
 */
int peer_admit(ipc_app *app, sd_bus_message *message, PeerRun run);

/* Whether messages wait for the credentials of their sender, or one that comes now would. */
bool peer_is_waiting(const Peer *peer);

/* Whether messages wait for the credentials of their senders. */
bool peer_set_is_waiting(const PeerSet *set);

/* Whether lanes have something to write. */
bool peer_set_has_unwritten(const PeerSet *set);

/* It has left the bus: everything of it is cancelled, told and forgotten. */
void peer_vanish(Peer *peer);

/* Read once, when it is first asked for; owned by the peer. NULL: its pid is not known, or memory is out. */
const Process *peer_get_process(Peer *peer);

Peer *peer_ref(Peer *peer);
Peer *peer_unref(Peer *peer);
static inline void peer_unrefp(Peer **peer)
{
    peer_unref(*peer);
}

/*
 * Everything that goes to a peer goes through here, in order: signals, answers, errors. The size is that of the
 * text in it. -ENOBUFS: its queue is full. -ENOTCONN: it is gone.
 */
int peer_send(Peer *peer, sd_bus_message *message, size_t size);

/* The same for the answer to a call: one that nobody expects is not sent. */
int peer_answer(Peer *peer, sd_bus_message *call, sd_bus_message *answer, size_t size);

/* Sends a short error instead, for which there is always room: as many as a peer may have calls that are not answered. */
void peer_refuse_answer(Peer *peer, sd_bus_message *call, const char *name, const char *text);

/* A signal of the main interface to the peer alone: the caller appends and sends it. */
int peer_new_signal(Peer *peer, const char *member, sd_bus_message **ret_message);

/* How many bytes of text a message to it may have. */
size_t peer_get_max(const Peer *peer);

/* The signal Message, by lane or bus. The text has a NUL after it. */
int peer_send_message(Peer *peer, const char *channel, const char *args, size_t size, uint32_t sender_id);

/* The signal PortMessage, the same; on success the ports are the other end's. */
int peer_send_port_message(Peer *peer, const char *channel, const char *text, size_t size,
                           const ipc_transfer *transfer);
