/* SPDX-License-Identifier: MIT */
#pragma once

/* The quota: what each peer, and all peers of one user, have taken of the limits, and what else they may take. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "account.h"
#include "ipc-main.h"
#include "transfer.h"

typedef struct ipc_sender Peer;

/* What all peers of one user have together, so that one user cannot use up what is another's. */
typedef struct UserSet UserSet;

typedef struct User {
    UserSet *set; /* borrowed; NULL: the app has gone, and left ports */
    uid_t uid;
    unsigned n_peers; /* it is there as long as there are any, or ports */
    unsigned n_renderers;
    unsigned n_pending;
    unsigned n_tokens;
    size_t queue_bytes;
    size_t unread;    /* bytes on the bus that its peers have not been seen to read */
    unsigned n_asked; /* its peers that are being asked whether they do */
    Account account; /* of its ports and lanes */
} User;

struct UserSet {
    void *tree; /* by uid */
    AccountTotal total;
};

/* All peers have left. */
void quota_clear(UserSet *set);

/* Other limits are there now. */
void quota_limits_changed(ipc_app *app);

/*
 * The peer is one of its user's, or, as long as its uid is not known, of one whom all those share; until it has given
 * back all it had, and leaves. -ENOMEM: all is as before.
 */
int quota_join(Peer *peer);
void quota_leave(Peer *peer);

/* One renderer more: LimitsExceeded. One call more that waits for its answer: Busy. Of peers whose uid is known. */
int quota_check_renderer(const Peer *peer, sd_bus_error *error);
int quota_check_pending(const Peer *peer, sd_bus_error *error);

/* One unused token more of a host: LimitsExceeded. */
int quota_check_token(const ipc_web_contents *host, sd_bus_error *error);

/* What is transferred is the peer's: LimitsExceeded, if its user has so many ports that others would find too few. */
int quota_join_ports(Peer *peer, Transfers *transfers, sd_bus_error *error);

/* The account of all ports and lanes of its user; NULL: the peer has left. */
Account *quota_get_account(const Peer *peer);

/* Whether so many bytes more may wait for the peer. */
bool quota_has_room(const Peer *peer, size_t bytes);

/* The same of all peers of its user. */
bool quota_user_has_room(const Peer *peer, size_t bytes);

/* The same for what a third peer sends to it: of another user, it leaves half of the queue to others. */
bool quota_has_room_from(const Peer *peer, const Peer *sender, size_t bytes);

void quota_add_pending(Peer *peer);
void quota_remove_pending(Peer *peer);
void quota_add_bytes(Peer *peer, size_t bytes);
void quota_remove_bytes(Peer *peer, size_t bytes);
