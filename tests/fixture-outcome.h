/* SPDX-License-Identifier: MIT */
#pragma once

/* How a call ended: a result, the body of a reply, or an error. The fixture owns it. */

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "ipc-error.h"
#include "ipc-slot.h"

typedef struct Fixture Fixture;

typedef struct Outcome {
    Fixture *fixture;
    unsigned n_settled; /* how often it was told: 0 is pending, and more than 1 is a fault */
    json_t *result;     /* of an invoke or a send_sync */
    sd_bus_message *reply; /* of any other call */
    ipc_error error;
    uint64_t serial;    /* of the message of a foreign client, as for Cancel */
    ipc_slot *slot;     /* of a renderer's invoke, for ipc_renderer_cancel() */
    sd_bus_slot *bus_slot;
    unsigned order;     /* the first outcome that settles has 1, the next 2, ... */
} Outcome;

Outcome *outcome_new(Fixture *f);
void outcome_free(Outcome *o);

/* Told by who made the call. */
void outcome_settle(Outcome *o, json_t *result, const ipc_error *error);
void outcome_settle_reply(Outcome *o, sd_bus_message *reply, bool is_result);

static inline bool is_settled(const Outcome *o)
{
    return o->n_settled > 0;
}

/* Runs the loop until the call has ended. */
#define await(o) outcome_await(G_STRLOC, o)
Outcome *outcome_await(const char *where, Outcome *o);

/* Each waits for the end. JSON is compared as values, not as text; a message of NULL is any. */
#define assert_resolved(o, json) outcome_assert_resolved(G_STRLOC, o, json)
#define assert_rejected(o, name, message) outcome_assert_rejected(G_STRLOC, o, name, message)
#define assert_detail(o, json) outcome_assert_detail(G_STRLOC, o, json)
void outcome_assert_resolved(const char *where, Outcome *o, const char *json);
void outcome_assert_rejected(const char *where, Outcome *o, const char *name, const char *message);

/* The detail of the error; NULL: it has none. */
void outcome_assert_detail(const char *where, Outcome *o, const char *json);

/* A reply that is no JSON: its types as sd_bus_message_read() wants them, and where to. "" is an empty body. */
#define assert_replied(o, ...) outcome_assert_replied(G_STRLOC, o, __VA_ARGS__)
void outcome_assert_replied(const char *where, Outcome *o, const char *types, ...);
