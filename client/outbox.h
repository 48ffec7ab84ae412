/* SPDX-License-Identifier: MIT */
#pragma once

/* What goes out: calls and one-way messages, in the order in which they were sent, and the calls' way back. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "backlog.h"
#include "error.h"
#include "inbox.h"
#include "ipc-renderer.h"
#include "parcel.h"
#include "slot.h"

typedef struct Call Call;
typedef struct Held Held;

/* A call settled: its reply, or its error, is in it. */
typedef void (*CallDone)(Call *call);

/*
 * A call is held, then in flight, then settled: by its answer, its deadline, its cancelling or the end of what would
 * answer it. One that settles early stays in the list of those in flight until its answer is there, because the bus
 * counts it for so long.
 */
struct Call {
    ipc_slot slot;
    Delivery delivery;
    ipc_renderer *renderer; /* borrowed: a renderer settles its calls before it goes */
    CallDone done;
    bool is_immediate; /* done runs when it settles; else in turn, from the inbox */
    bool is_invoke;    /* main is told when it is given up */
    bool is_in_flight;
    bool is_by_lane; /* where it is in flight */
    bool is_settled;
    bool is_cancelled;
    bool is_given_up; /* main has been told */
    uint64_t deadline; /* us of CLOCK_MONOTONIC */
    uint64_t cookie; /* of its message, or its serial on the lane */
    char *answerer; /* whose answer counts, beside that of the bus; NULL: the bus alone */
    Held *held;
    sd_bus_message *reply; /* that came by the bus */
    Parcel *parcel;        /* that came by the lane */
    ipc_error error;
    void (*callback)(void); /* for done */
    void *userdata;
    TAILQ_ENTRY(Call) link;
    TAILQ_ENTRY(Call) deadline_link;
};

struct Held {
    TAILQ_ENTRY(Held) link;
    sd_bus_message *message; /* NULL: for the lane */
    Parcel *parcel;
    size_t size;
    Call *call; /* NULL: one-way */
};

typedef struct Outbox {
    TAILQ_HEAD(, Held) held; /* what waits for main, or for calls to end */
    size_t held_bytes;
    uint64_t retry; /* us of CLOCK_MONOTONIC, when what is held may find room on the lane; UINT64_MAX: never */
    Backlog backlog;
    TAILQ_HEAD(, Call) in_flight;
    unsigned n_in_flight; /* to main, by the bus */
    unsigned n_in_lane;   /* by the lane */
    uint32_t lane_serial; /* of the last call there */
    TAILQ_HEAD(CallList, Call) deadlines; /* soonest first */
} Outbox;

static inline void outbox_init(Outbox *outbox)
{
    TAILQ_INIT(&outbox->held);
    outbox->retry = UINT64_MAX;
    TAILQ_INIT(&outbox->in_flight);
    TAILQ_INIT(&outbox->deadlines);
}

int call_new(ipc_renderer *renderer, ipc_slot **ret_slot, CallDone done, uint64_t timeout, Call **ret_call);

/* It was never submitted. */
void call_discard(Call *call);

/*
 * A message for main, in the words of lanes, which becomes one of the bus where there is no lane. The call is NULL for
 * a one-way message. On failure nothing has been taken.
 */
int outbox_submit(ipc_renderer *renderer, const Packet *packet, Call *call);

/* A message to the bus itself or to one main, past all that is held. */
int outbox_send_now(ipc_renderer *renderer, sd_bus_message *message, const char *destination, Call *call);

/* Sends what may go. */
void outbox_flush(ipc_renderer *renderer);

/* Settles what is overdue; the answer tells whether there was any. */
bool outbox_expire(ipc_renderer *renderer);

/* When there is something to settle or to send, whatever comes in; us of CLOCK_MONOTONIC. */
static inline uint64_t outbox_get_deadline(const Outbox *outbox)
{
    const Call *call = TAILQ_FIRST(&outbox->deadlines);

    return call && call->deadline < outbox->retry ? call->deadline : outbox->retry;
}

/* An answer arrived; false: it answers nothing that was asked. */
bool outbox_receive(ipc_renderer *renderer, sd_bus_message *reply);

/* The same by the lane. -EBADMSG: a packet that is no answer. */
int outbox_receive_packet(ipc_renderer *renderer, Packet *packet);

/* The text of a settled call's reply. -EBADMSG: it has none. */
int call_read_text(Call *call, const char **ret_text, size_t *ret_length);

/* The reply was none: there is an error instead. */
void call_drop_reply(Call *call);

/* There is no main: what is held for it settles with the error. */
void outbox_fail_held(ipc_renderer *renderer, const char *error_name, const char *message);

/* What the user has called settles, in flight or held; one-way messages stay. */
void outbox_fail_calls(ipc_renderer *renderer, const char *error_name, const char *message);

/* The lane has ended: so do the calls in flight on it. */
void outbox_fail_lane(ipc_renderer *renderer, const char *error_name, const char *message);

/* The connection has ended, and everything with it. */
void outbox_fail_all(ipc_renderer *renderer, const char *error_name, const char *message);

/* The only end of a call that is asked for: it settles soon. -EALREADY. */
int call_cancel(Call *call);

/* The slot of a pending invoke, or NULL. */
Call *call_from_slot(ipc_slot *slot);
