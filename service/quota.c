/* SPDX-License-Identifier: MIT */
#include "quota.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "app.h"
#include "macro.h"
#include "peer.h"

#define UID_NONE ((uid_t)-1)

static int compare_uids(const void *a, const void *b)
{
    uid_t x = ((const User *)a)->uid, y = ((const User *)b)->uid;

    return (x > y) - (x < y);
}

static User *find(const UserSet *set, uid_t uid)
{
    User key = { .uid = uid }, **node = tfind(&key, &set->tree, compare_uids);

    return node ? *node : NULL;
}

/* The ports of a user may outlive its peers, and those that the program keeps, the app. */
static void drop_unused(User *user)
{
    if (user->n_peers > 0 || user->account.n_wires > 0)
        return;
    assert(user->n_renderers == 0 && user->n_pending == 0 && user->n_tokens == 0 && user->queue_bytes == 0);
    assert(user->unread == 0 && user->n_asked == 0 && user->account.bytes == 0);
    if (user->set)
        tdelete(user, &user->set->tree, compare_uids);
    free(user);
}

static void on_wires_gone(Account *account)
{
    drop_unused(CONTAINER_OF(account, User, account));
}

static void leave_set(void *user)
{
    ((User *)user)->set = NULL;
    ((User *)user)->account.total = NULL;
}

void quota_clear(UserSet *set)
{
    tdestroy(TAKE_PTR(set->tree), leave_set);
}

static void set_limits(const void *node, VISIT visit, void *limits)
{
    User *user = *(User *const *)node;

    if (visit == preorder || visit == leaf)
        user->account.max = ((const Limits *)limits)->queue_bytes_per_uid;
}

void quota_limits_changed(ipc_app *app)
{
    twalk_r(app->users.tree, set_limits, &app->policy.limits);
}

static User *add(UserSet *set, uid_t uid)
{
    User *user = calloc(1, sizeof(*user));

    if (!user)
        return NULL;
    user->set = set;
    user->uid = uid;
    account_init(&user->account, &set->total, on_wires_gone);
    if (!tsearch(user, &set->tree, compare_uids)) {
        free(user);
        return NULL;
    }
    return user;
}

/* What a peer may have had before it was known whose it is: answers to pings. */
static void move(Peer *peer, User *from, User *to)
{
    bool is_asked = peer->window.asking == WINDOW_ASKED;

    assert(!peer->contents && peer->n_pending == 0);
    from->queue_bytes -= peer->queue.bytes;
    from->unread -= peer->window.unread;
    from->n_asked -= is_asked;
    to->queue_bytes += peer->queue.bytes;
    to->unread += peer->window.unread;
    to->n_asked += is_asked;
}

int quota_join(Peer *peer)
{
    UserSet *set = &peer->app->users;
    uid_t uid = peer->has_uid ? peer->uid : UID_NONE;
    User *user;

    user = find(set, uid);
    if (!user)
        user = add(set, uid);
    if (!user)
        return -ENOMEM;
    user->n_peers++;
    user->account.max = peer->app->policy.limits.queue_bytes_per_uid;
    if (peer->user)
        move(peer, peer->user, user);
    quota_leave(peer);
    peer->user = user;
    return 0;
}

void quota_leave(Peer *peer)
{
    User *user = TAKE_PTR(peer->user);

    if (!user)
        return;
    user->n_peers--;
    drop_unused(user);
}

int quota_check_renderer(const Peer *peer, sd_bus_error *error)
{
    const Limits *limits = &peer->app->policy.limits;
    const WebContentsSet *set = &peer->app->web_contents;

    if (set->n >= limits->renderers || set->last_id == UINT32_MAX)
        return sd_bus_error_setf(error, IPC_ERROR_LIMITS_EXCEEDED, "There are %u renderers: no more are let in",
                                 set->n);
    if (peer->user->n_renderers >= limits->renderers_per_uid)
        return sd_bus_error_setf(error, IPC_ERROR_LIMITS_EXCEEDED,
                                 "There are %u renderers of user %u: no more of them are let in",
                                 peer->user->n_renderers, peer->uid);
    return 0;
}

int quota_check_pending(const Peer *peer, sd_bus_error *error)
{
    const Limits *limits = &peer->app->policy.limits;

    if (peer->n_pending >= limits->pending_invokes)
        return sd_bus_error_setf(error, IPC_ERROR_BUSY, "%u calls of this peer are pending: wait for some to end",
                                 peer->n_pending);
    if (peer->user->n_pending >= limits->pending_invokes_per_uid)
        return sd_bus_error_setf(error, IPC_ERROR_BUSY, "%u calls of user %u are pending: wait for some to end",
                                 peer->user->n_pending, peer->uid);
    return 0;
}

int quota_check_token(const ipc_web_contents *host, sd_bus_error *error)
{
    const User *user = host->peer->user;

    if (host->n_tokens >= IPC_GUEST_TOKENS_MAX)
        return sd_bus_error_setf(error, IPC_ERROR_LIMITS_EXCEEDED,
                                 "%u tokens of renderer %u wait for a guest: use those first", host->n_tokens,
                                 host->id);
    if (user->n_tokens >= IPC_GUEST_TOKENS_PER_UID_MAX)
        return sd_bus_error_setf(error, IPC_ERROR_LIMITS_EXCEEDED,
                                 "%u tokens of user %u wait for a guest: use those first", user->n_tokens, user->uid);
    return 0;
}

int quota_join_ports(Peer *peer, Transfers *transfers, sd_bus_error *error)
{
    int r = transfers_join(transfers, &peer->user->account);

    if (r == -EMFILE)
        return sd_bus_error_setf(error, IPC_ERROR_LIMITS_EXCEEDED,
                                 "User %u has %zu ports and lanes open here: close some, as others find too few files left",
                                 peer->uid, peer->user->account.n_wires);
    return r;
}

Account *quota_get_account(const Peer *peer)
{
    return peer->user ? &peer->user->account : NULL;
}

/* A lower limit may have come since, so more may be there than is allowed. */
static bool fits(size_t used, size_t bytes, uint64_t limit)
{
    return used <= limit && bytes <= limit - used;
}

bool quota_user_has_room(const Peer *peer, size_t bytes)
{
    return fits(peer->user->queue_bytes, bytes, peer->app->policy.limits.queue_bytes_per_uid);
}

bool quota_has_room(const Peer *peer, size_t bytes)
{
    return fits(peer->queue.bytes, bytes, peer->app->policy.limits.queue_bytes) && quota_user_has_room(peer, bytes);
}

bool quota_has_room_from(const Peer *peer, const Peer *sender, size_t bytes)
{
    return sender->uid == peer->uid || fits(peer->queue.bytes, bytes, peer->app->policy.limits.queue_bytes / 2);
}

void quota_add_pending(Peer *peer)
{
    peer->n_pending++;
    peer->user->n_pending++;
    peer->app->n_pending++;
}

void quota_remove_pending(Peer *peer)
{
    peer->n_pending--;
    peer->user->n_pending--;
    peer->app->n_pending--;
}

void quota_add_bytes(Peer *peer, size_t bytes)
{
    peer->queue.bytes += bytes;
    peer->user->queue_bytes += bytes;
}

void quota_remove_bytes(Peer *peer, size_t bytes)
{
    peer->queue.bytes -= bytes;
    peer->user->queue_bytes -= bytes;
}
