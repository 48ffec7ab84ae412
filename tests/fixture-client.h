/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client of the app: a renderer of the library, or a foreign one that speaks plain D-Bus. Each has a connection of
 * its own, hears all that is sent to it, and is owned by the fixture. Verbs that do not say so take either kind.
 */

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "fixture-outcome.h"
#include "ipc-renderer.h"

typedef struct Client {
    Fixture *fixture;
    sd_bus *bus;            /* NULL: closed */
    ipc_renderer *renderer; /* NULL: foreign, or closed */
    bool is_foreign;
    bool is_frozen;
    sd_bus_slot *filter;
    GQueue heard; /* of Heard */
} Client;

/* One signal that arrived. */
typedef struct Heard {
    char *member;  /* "Message", "WebviewMessage", ... */
    char *channel; /* or the token; NULL: it has neither */
    json_t *args;  /* NULL: it has none */
    uint32_t id;   /* of the sender, or the guest */
} Heard;

Heard *heard_new(const char *member, const char *channel, json_t *args, uint32_t id);
void heard_free(Heard *heard);
void heard_compare(const char *where, const Heard *heard, const char *member, const char *channel, const char *args,
                   uint32_t id);
void client_free(Client *c);

/* ---- coming ---- */

Client *renderer_new(Fixture *f);  /* registered */
Client *renderer_new_deaf(Fixture *f); /* registered; hears nothing but what it listens to */
Client *renderer_make(Fixture *f); /* not processed yet: its title and so on can be set */
Client *foreign_new(Fixture *f);   /* connected, anonymous */
Client *foreign_new_as(Fixture *f, uid_t uid); /* as another user: only for root */
Client *foreign_new_registered(Fixture *f);

/* How many calls of a renderer main gets at once. */
unsigned in_flight_max(void);

/* Waits for a renderer's state. */
#define await_state(c, state) wait_until((c)->fixture, ipc_renderer_get_state((c)->renderer) == (state))

/* Its id, 0 if it has none; a foreign one is asked by registering, which is idempotent. */
uint32_t client_id(Client *c);
const char *client_name(Client *c);

/* ---- going ---- */

/* The connection ends: in good order, or without a word. The client is of no use from then on. */
void leave(Client *c);
void vanish(Client *c);

/* It stops reading and writing, and goes on. */
void freeze(Client *c);
void thaw(Client *c);

/* ---- doing ---- */

/* args is a JSON array. The ones that start return at once, the others when the call has settled. */
void send_message(Client *c, const char *channel, const char *args);
void send_to(Client *c, uint32_t id, const char *channel, const char *args);
Outcome *invoke(Client *c, const char *channel, const char *args);
Outcome *invoke_start(Client *c, const char *channel, const char *args);

/* Foreign ones only: any method of the main interface, with its arguments as sd_bus_message_append() wants them. */
Outcome *call(Client *c, const char *member, const char *types, ...);
Outcome *call_start(Client *c, const char *member, const char *types, ...);

/* The same without a reply. */
void call_no_reply(Client *c, const char *member, const char *types, ...);

/* Foreign ones only: SendSync. */
Outcome *send_sync_start(Client *c, const char *channel, const char *args);

/* Foreign ones only: a property of an object of the app; the reply is a variant. */
Outcome *get_property(Client *c, const char *path, const char *interface, const char *name);

/* Foreign ones only: any method of any object at the app. */
Outcome *call_object(Client *c, const char *path, const char *interface, const char *member, const char *types, ...);

/* The same for a call that has been made elsewhere, and is given away. */
Outcome *call_message(Client *c, sd_bus_message *message);

/* ---- hearing ---- */

/* Waits for the next thing that the client hears, and compares it. A channel or args of NULL: any. */
#define expect_message(c, channel, args, sender_id) \
    client_expect(G_STRLOC, c, "Message", channel, args, sender_id)
#define expect_signal(c, member, channel, args, id) client_expect(G_STRLOC, c, member, channel, args, id)
void client_expect(const char *where, Client *c, const char *member, const char *channel, const char *args,
                   uint32_t id);

/* Waits for all that is under way, and finds that nothing was heard beyond what was expected. */
#define expect_silence(c) client_expect_silence(G_STRLOC, c)
void client_expect_silence(const char *where, Client *c);
